import DeliveryQueue
import GRDB
import ProviderAPI
import ServiceLifecycleTestKit
import Testing

@testable import DeliveryWorker

@Suite struct DutyTests {
    // MARK: - Settler

    private func accept(_ bench: Workbench, _ tasks: [String]) async throws {
        let lines = tasks.map { task in LogLine(task, at: .noon(-600)).with { $0.body = "\"body of \(task)\"" } }
        try await bench.ingest(lines)
        let transport = ScriptedTransport { _ async throws(TransportError) in .accepted }
        _ = try await bench.dispatcher(transport).runOnce(at: bench.time.now)
    }

    private func settler(_ bench: Workbench) -> Settler {
        Settler(store: bench.store, rules: bench.rules, logger: .silent)
    }

    @Test func `silence counts only when the log was read after the deadline`() async throws {
        let bench = try await Workbench()
        try await accept(bench, ["t1"])

        bench.time.advance(by: .seconds(601))
        #expect(try await settler(bench).runOnce(at: bench.time.now) == SettleSummary())
        try await bench.ingest([])
        #expect(try await settler(bench).runOnce(at: bench.time.now).unconfirmed == 1)

        let row = try #require(try bench.rows("SELECT * FROM delivery").first)
        #expect(row["state"] == "scheduled")
        #expect(row["attempts_used"] == 1)
        #expect(try bench.text("SELECT outcome FROM attempt") == "unconfirmed")
        #expect(try await bench.store.snapshot(at: bench.time.now).count(Counter.unconfirmed) == 1)
    }

    @Test func `while a gap of the log is unread, silence does not count`() async throws {
        let bench = try await Workbench()
        try await accept(bench, ["t1"])
        bench.time.advance(by: .seconds(601))
        let transport = ScriptedTransport([
            .json(LogText.page([LogLine("x", "success")], next: "?page=2")), HTTPResponse(status: 500),
        ])
        _ = try? await bench.poller(transport).runOnce(at: bench.time.now)

        #expect(try await settler(bench).runOnce(at: bench.time.now).unconfirmed == 0)
    }

    @Test func `three silent deliveries hold the endpoint, and a success in the log frees it`() async throws {
        let bench = try await Workbench()
        try await accept(bench, ["t1", "t2", "t3"])
        bench.time.advance(by: .seconds(601))
        try await bench.ingest([])

        let summary = try await settler(bench).runOnce(at: bench.time.now)

        #expect(summary.unconfirmed == 3)
        #expect(summary.held == ["e1"])
        #expect(try bench.text("SELECT hold_reason FROM endpoint") == "log_silent")
        bench.time.advance(by: .seconds(3_600))
        let transport = ScriptedTransport { _ async throws(TransportError) in .accepted }
        #expect(try await bench.dispatcher(transport).runOnce(at: bench.time.now).started == 0)
        try await bench.ingest([LogLine("t2", "success", at: bench.time.now)])
        #expect(try bench.text("SELECT hold_reason FROM endpoint") == nil)
        #expect(try await bench.dispatcher(transport).runOnce(at: bench.time.now).started == 2)
    }

    @Test func `a call whose lease ran out awaits the log instead of being sent again`() async throws {
        let bench = try await Workbench()
        try await bench.ingest([LogLine("t1")])
        _ = try await bench.store.claimDue(limit: 1, lease: .seconds(150), rules: bench.rules, at: .noon)

        #expect(try await settler(bench).runOnce(at: .noon(149)).interrupted == 0)
        #expect(try await settler(bench).runOnce(at: .noon(150)).interrupted == 1)

        #expect(try bench.tasks(.awaiting) == ["t1"])
        #expect(try bench.text("SELECT answer FROM attempt") == "interrupted")
    }

    // MARK: - Pruner

    @Test func `the pruner removes what is past its time in as many batches as it takes`() async throws {
        let bench = try await Workbench()
        try await bench.ingest((0..<1_200).map { LogLine("ok\($0)", "success", at: .noon(-Double($0))) })
        try await bench.ingest([LogLine("t1", at: .noon(-10))])
        let pruner = Pruner(store: bench.store, logger: .silent)

        #expect(try await pruner.runOnce(at: .noon) == PruneSummary())
        let summary = try await pruner.runOnce(at: .noon(86_401))

        #expect(summary.logEntries == 1_200)
        #expect(try bench.tasks(.scheduled) == ["t1"])
        #expect(try bench.number("SELECT COUNT(*) FROM log_entry") == 1)
        #expect(try await pruner.runOnce(at: .noon(86_402)).total == 0)
    }

    @Test func `the pruner ends between two batches when a shutdown begins`() async throws {
        let bench = try await Workbench()
        try await bench.ingest((0..<300).map { LogLine("ok\($0)", "success", at: .noon(-Double($0))) })
        let pruner = Pruner(store: bench.store, logger: .silent)

        try await testGracefulShutdown { trigger in
            trigger.triggerGracefulShutdown()
            let summary = try await pruner.runOnce(at: .noon(86_401))
            #expect(summary.total == 0)
        }

        #expect(try await pruner.runOnce(at: .noon(86_402)).logEntries == 300)
    }

    @Test func `bodies go a week after the delivery, rows after three months, open ones never`() async throws {
        let bench = try await Workbench()
        try await accept(bench, ["t1", "t2"])
        try await bench.ingest([LogLine("t1", "success", at: .noon)])
        let pruner = Pruner(store: bench.store, logger: .silent)

        #expect(try await pruner.runOnce(at: .noon(7 * 86_400 - 1)).bodies == 0)
        #expect(try await pruner.runOnce(at: .noon(7 * 86_400)).bodies == 1)
        #expect(try await pruner.runOnce(at: .noon(90 * 86_400)).deliveries == 1)
        #expect(try await pruner.runOnce(at: .noon(1_000 * 86_400)).deliveries == 0)
        #expect(try bench.tasks(.awaiting) == ["t2"])
        #expect(try bench.number("SELECT COUNT(*) FROM delivery_body WHERE body IS NOT NULL") == 1)
    }
}
