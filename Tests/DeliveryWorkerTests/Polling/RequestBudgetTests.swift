import DeliveryQueue
import ProviderAPI
import Testing

@testable import DeliveryQueue
@testable import DeliveryWorker
@testable import RedeliverConfiguration

/// Each request for a page of a log is counted, and none follows one that was answered with 429 for as long as that
/// said.
@Suite struct RequestBudgetTests {
    private let bench: Workbench

    init() async throws {
        bench = try await Workbench(endpoints: ["e1", "e2"])
    }

    private func counted(_ purpose: String) async throws -> Int64 {
        try await bench.store.snapshot(at: .noon).count(Counter.logRequests, purpose)
    }

    @Test func `requests are counted by purpose, also those that fail`() async throws {
        let budget = RequestBudget(perMinute: nil, clock: bench.time.clock)
        let page = LogText.page([LogLine("t-1")], next: "?page=2")
        let poller = bench.poller(
            ScriptedTransport([.json(page), HTTPResponse(status: 500), HTTPResponse(status: 404)]), budget: budget)
        _ = try await poller.runOnce(at: .noon, for: .look)
        await #expect(throws: ProviderError.self) { try await poller.runOnce(at: .noon(1), for: .confirm) }

        try await budget.count(in: bench.store, at: .noon(0))

        #expect(try await counted("look") == 2)
        #expect(try await counted("confirm") == 1)
        try await budget.count(in: bench.store, at: .noon(0))
        #expect(try await counted("look") == 2)
    }

    @Test func `requests that could not be written down are counted later`() async throws {
        let budget = RequestBudget(perMinute: nil, clock: bench.time.clock)
        #expect(try await budget.turn(for: .gap, of: "e1"))
        try bench.execute("CREATE TRIGGER broken BEFORE INSERT ON counter BEGIN SELECT RAISE(ABORT, 'full'); END")
        await #expect(throws: StoreError.self) { try await budget.count(in: bench.store, at: .noon(0)) }
        try bench.execute("DROP TRIGGER broken")
        #expect(try await budget.turn(for: .gap, of: "e1"))

        try await budget.count(in: bench.store, at: .noon(0))

        #expect(try await counted("gap") == 2)
    }

    @Test func `after a 429 no log is read for as long as it says, and calls keep their rate`() async throws {
        let (gate, time) = (bench.gate(), bench.time)
        let budget = RequestBudget(perMinute: nil, clock: time.clock) {
            await gate.with { $0.readingPause(at: time.now) }
        }
        let log = ScriptedTransport([
            HTTPResponse(status: 429, headers: [HTTPHeader("Retry-After", "60")]), .json("[]"), .json("[]"),
        ])
        let first = bench.poller(log, gate: gate, budget: budget)
        let second = bench.poller(
            log, gate: gate, endpoint: .init(id: "e2", name: "e2", webhookID: nil), budget: budget)
        await #expect(throws: ProviderError.self) { try await first.runOnce(at: time.now) }

        time.advance(by: .seconds(59))
        await #expect(throws: ReadingPaused.self) { try await second.runOnce(at: time.now) }

        #expect(await log.requests.count == 1)
        #expect(try bench.number("SELECT COUNT(*) FROM endpoint WHERE last_poll_ms IS NOT NULL") == 0)
        #expect(try await second.notePause(at: time.now))
        let said = "read log: the provider wants no log to be read for another 1 s (HTTP 429)"
        #expect(try bench.text("SELECT last_poll_error FROM endpoint WHERE id = 'e2'") == said)
        #expect(await gate.gate.closed == nil)
        #expect(await gate.gate.rate == 1)
        time.advance(by: .seconds(1))
        #expect(try await !second.notePause(at: time.now))
        _ = try await second.runOnce(at: time.now)
        _ = try await first.runOnce(at: time.now)
        #expect(await log.requests.count == 3)
    }
}
