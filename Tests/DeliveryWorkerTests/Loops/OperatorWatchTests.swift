import DeliveryQueue
import Foundation
import GRDB
import ProviderAPI
import ServiceLifecycle
import ServiceLifecycleTestKit
import Testing

@testable import DeliveryWorker
@testable import RedeliverConfiguration

@Suite struct OperatorWatchTests {
    private let bench: Workbench

    init() async throws {
        bench = try await Workbench()
    }

    private func pause(_ reason: String = "maintenance") async throws {
        _ = try await bench.store.pause(
            endpoint: "e1", by: "ann", reason: reason, at: bench.time.now)
    }

    private func pauses() throws -> [String] {
        try bench.rows("SELECT reason, since_ms, until_ms FROM provider_pause").map { row in
            let until = (row["until_ms"] as Int64?).map { "\(($0 - Timestamp.noon.milliseconds) / 1_000)" } ?? "none"
            return
                "\(row["reason"] as String) \(((row["since_ms"] as Int64) - Timestamp.noon.milliseconds) / 1_000) \(until)"
        }
    }

    // MARK: - Actions

    @Test func `the first look only takes note of what operators did before`() async throws {
        try await pause()
        var watch = OperatorWatch(store: bench.store, gate: bench.gate())

        #expect(try await watch.runOnce(at: .noon) == false)
        #expect(try await watch.runOnce(at: .noon(1)) == false)
    }

    @Test func `each new action is told once, the very first one too`() async throws {
        var watch = OperatorWatch(store: bench.store, gate: bench.gate())
        #expect(try await watch.runOnce(at: .noon) == false)

        try await pause()
        #expect(try await watch.runOnce(at: .noon(1)))
        #expect(try await watch.runOnce(at: .noon(2)) == false)
        _ = try await bench.store.resume(endpoint: "e1", by: "ann", reason: "done", rules: bench.rules, at: .noon(3))
        try await pause("again")
        #expect(try await watch.runOnce(at: .noon(4)))
        #expect(try await watch.runOnce(at: .noon(5)) == false)
    }

    @Test func `an action during a look that failed is told by the next one`() async throws {
        var watch = OperatorWatch(store: bench.store, gate: bench.gate())
        _ = try await watch.runOnce(at: .noon)
        try await pause()
        try bench.execute("ALTER TABLE operator_action RENAME TO gone")

        await #expect(throws: StoreError.self) { try await watch.runOnce(at: .noon(1)) }
        try bench.execute("ALTER TABLE gone RENAME TO operator_action")

        #expect(try await watch.runOnce(at: .noon(2)))
    }

    // MARK: - The provider's pause

    @Test func `why no calls are made is written down, and taken away when they are`() async throws {
        let gate = bench.gate()
        var watch = OperatorWatch(store: bench.store, gate: gate)
        _ = await gate.with { $0.unreachable(at: .noon) }
        _ = try await watch.runOnce(at: .noon(1))
        #expect(try pauses() == ["outage 1 5"])

        // The same outage goes on: since when stays, until when moves.
        _ = await gate.with { $0.pauseOfRead(by: "e1", of: 1, at: .noon(5)) }
        _ = try await watch.runOnce(at: .noon(6))
        #expect(try pauses() == ["outage 1 15"])
        await gate.with { $0.credentialRefused(at: .noon(7)) }
        _ = try await watch.runOnce(at: .noon(7))
        #expect(try pauses() == ["credential 7 none"])

        await gate.with { $0.credentialWorks(at: .noon(8)) }
        _ = try await watch.runOnce(at: .noon(8))
        #expect(try pauses() == [])
    }

    @Test func `what an earlier process left there is taken away at the first look`() async throws {
        try await bench.store.recordPause("credential", until: nil, at: .noon(-60))
        var watch = OperatorWatch(store: bench.store, gate: bench.gate())

        _ = try await watch.runOnce(at: .noon)

        #expect(try pauses() == [])
    }

    @Test func `a pause that could not be written is written by the next look`() async throws {
        let gate = bench.gate()
        await gate.with { $0.credentialRefused(at: .noon) }
        var watch = OperatorWatch(store: bench.store, gate: gate)
        try bench.execute(
            """
            CREATE TRIGGER broken BEFORE INSERT ON provider_pause
            BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END
            """)
        await #expect(throws: StoreError.self) { try await watch.runOnce(at: .noon) }
        try bench.execute("DROP TRIGGER broken")

        _ = try await watch.runOnce(at: .noon(3))

        #expect(try pauses() == ["credential 3 none"])
    }

    @Test func `nothing is written while nothing changes`() async throws {
        let gate = bench.gate()
        await gate.with { $0.credentialRefused(at: .noon) }
        var watch = OperatorWatch(store: bench.store, gate: gate)
        _ = try await watch.runOnce(at: .noon)
        try bench.execute("DELETE FROM provider_pause")

        _ = try await watch.runOnce(at: .noon(1))

        #expect(try pauses() == [])
    }

    // MARK: - In the daemon

    /// Only the watch wakes up by itself; the dispatcher and the pollers have to be rung.
    @Test func `a running daemon sends an operator's retry at its next look`() async throws {
        try await bench.ingest([LogLine("t1")])
        try bench.execute("UPDATE delivery SET next_attempt_ms = next_attempt_ms + 86400000")
        let transport = ScriptedTransport { request async throws(TransportError) in
            request.isRetry ? .accepted : .json(LogText.page([]))
        }
        let clock = SteppedClock()
        let base = WorkerBase(
            store: bench.store, transport: transport, clock: clock, wallClock: bench.time.wallClock, logger: .silent)
        let generation = Generation(.for(bench), on: base)
        try await generation.prepare(at: bench.time.now)
        let id = Int64(try bench.number("SELECT id FROM delivery"))

        try await testGracefulShutdown { trigger in
            try await withThrowingTaskGroup { group in
                for service in generation.services() { group.addTask { try await service.run() } }
                var (turns, hasLooked) = (0, false)
                for await sleep in clock.sleeps {
                    turns += 1
                    if sleep == OperatorWatch.interval, !hasLooked {
                        hasLooked = true
                        #expect(await transport.retries.isEmpty)
                        _ = try await bench.store.act(
                            .retry, on: id, by: "ann", reason: "now", at: bench.time.now)
                    }
                    if await !transport.retries.isEmpty || turns > 2_000 { break }
                    clock.wake(upTo: OperatorWatch.interval)
                }
                trigger.triggerGracefulShutdown()
                try await group.waitForAll()
            }
        }

        #expect(await transport.retries.count == 1)
        #expect(try bench.text("SELECT kind FROM attempt") == "manual")
    }
}
