import DeliveryQueue
import Foundation
import GRDB
import ProviderAPI
import Testing

@testable import DeliveryWorker

/// The whole line in virtual time: failures in the log, retries, more failures, the proof in the log. Every turn does
/// what the daemon's loops do, in their order, half a minute apart.
@Suite struct FullLineTests {
    struct Line {
        let bench: Workbench
        let provider: FakeProvider
        let gate: SharedGate
        let poller: LogPoller
        let dispatcher: RetryDispatcher
        let settler: Settler

        init(_ confirmation: FakeProvider.Confirmation, deliveries: Int = 30) async throws {
            bench = try await Workbench()
            provider = FakeProvider(time: bench.time, confirmation: confirmation)
            for number in 0..<deliveries {
                let line = LogLine("t\(number)", at: .noon(-600 - Double(number))).with {
                    $0.body = "{\"n\":  \(number), \"x\": 1.0}"
                    $0.customer = "\"c-\(number)\""
                }
                await provider.fail(line, again: number % 3)
            }
            gate = bench.gate()
            let coverage = Coverage(within: .seconds(5), clock: bench.time.clock)
            poller = bench.poller(provider, gate: gate, coverage: coverage)
            dispatcher = bench.dispatcher(provider, gate: gate, concurrency: 8, coverage: coverage)
            settler = Settler(store: bench.store, rules: bench.rules, logger: .silent)
        }

        func turns(_ count: Int) async throws {
            for _ in 0..<count {
                _ = try? await poller.runOnce(at: bench.time.now)
                _ = try await dispatcher.runOnce(at: bench.time.now) { _ in
                    _ = try? await poller.runOnce(at: bench.time.now)
                }
                _ = try await settler.runOnce(at: bench.time.now)
                bench.time.advance(by: .seconds(30))
            }
        }

        /// Nothing lost, nothing doubled, bytes unchanged, counters equal to the tables.
        func checkInvariants(deliveries: Int = 30, sourceLocation: SourceLocation = #_sourceLocation) async throws {
            let received = await provider.received
            #expect(received.count == deliveries, sourceLocation: sourceLocation)
            for (task, arrivals) in received {
                let number = task.dropFirst(2).dropLast()
                #expect(arrivals.map(\.body) == ["{\"n\":  \(number), \"x\": 1.0}"], sourceLocation: sourceLocation)
            }
            #expect(await provider.doubleCalls == 0, sourceLocation: sourceLocation)
            #expect(try bench.tasks(.delivered).count == deliveries, sourceLocation: sourceLocation)
            #expect(try bench.number("SELECT COUNT(*) FROM delivery") == deliveries, sourceLocation: sourceLocation)
            let snapshot = try await bench.store.snapshot(at: bench.time.now)
            let calls = await provider.calls.values.reduce(0, +)
            let counted = snapshot.counts.filter { $0.name == Counter.retryRequests }.reduce(0) { $0 + $1.value }
            #expect(counted == Int64(calls), sourceLocation: sourceLocation)
            #expect(try bench.number("SELECT COUNT(*) FROM attempt") == calls, sourceLocation: sourceLocation)
            let finalized = snapshot.counts.filter { $0.name == Counter.finalized }.reduce(0) { $0 + $1.value }
            #expect(finalized == Int64(deliveries), sourceLocation: sourceLocation)
            let entries = snapshot.counts.filter { $0.name == Counter.logEntries && $0.label1 != "duplicate" }
            #expect(
                entries.reduce(0) { $0 + $1.value } == Int64(try bench.number("SELECT COUNT(*) FROM log_entry")),
                sourceLocation: sourceLocation)
            #expect(snapshot.open.isEmpty, sourceLocation: sourceLocation)
        }
    }

    @Test(arguments: FakeProvider.Confirmation.allCases)
    func `failures are retried until the log proves them delivered`(confirmation: FakeProvider.Confirmation)
        async throws
    {
        let line = try await Line(confirmation)

        try await line.turns(16)

        try await line.checkInvariants()
        #expect(try line.bench.number("SELECT COUNT(*) FROM delivery WHERE delivered_by = 'worker'") == 30)
        #expect(try line.bench.number("SELECT MAX(attempts_used) FROM delivery") == 2)
        #expect(await line.provider.calls.values.reduce(0, +) == 60)
        #expect(try await line.bench.store.snapshot(at: .noon).count(Counter.unconfirmed) == 0)
    }

    @Test(arguments: FakeProvider.Confirmation.allCases)
    func `storms of 429 and an outage cost no attempt and lose nothing`(confirmation: FakeProvider.Confirmation)
        async throws
    {
        let line = try await Line(confirmation)
        await line.provider.disturb { .success(HTTPResponse(status: 429, headers: [HTTPHeader("Retry-After", "45")])) }
        try await line.turns(10)
        await line.provider.disturb(log: false) { .failure(.notSent(.refused)) }
        try await line.turns(20)
        #expect(try line.bench.number("SELECT SUM(attempts_used) FROM delivery") == 0)
        #expect(try line.bench.tasks(.scheduled).count == 30)
        let callsInTrouble = await line.provider.calls.values.reduce(0, +)
        #expect(callsInTrouble < 150)

        await line.provider.disturb(nil)
        try await line.turns(40)

        try await line.checkInvariants()
        #expect(try line.bench.number("SELECT MAX(attempts_used) FROM delivery") == 2)
    }

    /// The provider executes the calls and the connection breaks before the answer: the log alone tells.
    @Test(arguments: FakeProvider.Confirmation.allCases)
    func `an interrupted program waits for the log and sends nothing twice`(confirmation: FakeProvider.Confirmation)
        async throws
    {
        let line = try await Line(confirmation)
        let bench = line.bench
        _ = try await line.poller.runOnce(at: bench.time.now)

        // Calls are made and executed; the program dies before it records their answers.
        let claimed = try await bench.store.claimDue(
            limit: 30, lease: .seconds(150), rules: bench.rules, at: bench.time.now)
        let client = bench.client(line.provider)
        for delivery in claimed.deliveries { _ = await client.retry(RetryRequest(delivery)) }
        #expect(try bench.tasks(.attempting).count == 30)
        let reclaimed = try await bench.store.reclaimOpenIntents(rules: bench.rules, at: bench.time.now)
        #expect(reclaimed == 30)
        #expect(try bench.tasks(.awaiting).count == 30)
        try await line.turns(24)

        let received = await line.provider.received
        #expect(received.count == 30)
        #expect(received.values.allSatisfy { $0.count == 1 })
        #expect(try bench.tasks(.delivered).count == 30)
        #expect(try bench.number("SELECT COUNT(*) FROM delivery") == 30)
        #expect(try await bench.store.snapshot(at: bench.time.now).count(Counter.unconfirmed) == 0)
    }

    /// A real stop and start: the database is closed and opened again between two turns of the same line.
    @Test func `a restart goes on where the first program stopped`() async throws {
        let line = try await Line(.sameTaskID)
        let path = line.bench.folder + "/restart.db"
        func run(turns: Int) async throws -> QueueSnapshot {
            let store = try QueueStore(path: path, now: line.bench.time.now)
            try await store.registerEndpoints([(id: "e1", name: "core")], historyFrom: .noon(-3_600), at: .noon(-3_600))
            _ = try await store.reclaimOpenIntents(rules: line.bench.rules, at: line.bench.time.now)
            let gate = line.bench.gate()
            let poller = line.bench.poller(line.provider, gate: gate, store: store)
            let dispatcher = line.bench.dispatcher(line.provider, gate: gate, store: store)
            for _ in 0..<turns {
                _ = try await poller.runOnce(at: line.bench.time.now)
                _ = try await dispatcher.runOnce(at: line.bench.time.now)
                line.bench.time.advance(by: .seconds(30))
            }
            let snapshot = try await store.snapshot(at: line.bench.time.now)
            try store.close()
            return snapshot
        }

        let first = try await run(turns: 2)
        let second = try await run(turns: 16)

        #expect(!first.open.isEmpty)
        #expect(second.open.isEmpty)
        #expect(second.count(Counter.finalized, "profile_update", "delivered") == 30)
        #expect(await line.provider.received.count == 30)
        #expect(await line.provider.received.values.allSatisfy { $0.count == 1 })
    }
}
