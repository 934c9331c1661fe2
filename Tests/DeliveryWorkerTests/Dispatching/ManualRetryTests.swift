import DeliveryQueue
import GRDB
import ProviderAPI
import Testing

@testable import DeliveryWorker
@testable import RedeliverConfiguration

/// What `redeliver deliveries retry` does itself while no daemon runs.
@Suite struct ManualRetryTests {
    private let bench: Workbench

    init() async throws {
        bench = try await Workbench(endpoints: ["e1", "e2"])
    }

    private func generation(_ transport: any HTTPTransport, endpoints: [String] = ["e1", "e2"]) async throws
        -> Generation
    {
        let base = WorkerBase(
            store: bench.store, transport: transport, clock: bench.time.clock, wallClock: bench.time.wallClock,
            logger: .silent)
        let generation = Generation(.for(bench, endpoints: endpoints), on: base)
        try await generation.prepare(at: bench.time.now)
        return generation
    }

    private func ask(_ taskID: String, in spacing: Duration = .zero) async throws {
        let id = Int64(try bench.number("SELECT id FROM delivery WHERE task_id = '\(taskID)'"))
        _ = try await bench.store.act(
            .retry, on: id, by: "ann", reason: "receiver is fixed", at: bench.time.now + spacing)
    }

    /// A provider whose log shows these failures.
    private func provider(_ tasks: [String]) async -> FakeProvider {
        let provider = FakeProvider(time: bench.time, confirmation: .sameTaskID)
        for (number, task) in tasks.enumerated() {
            let line = LogLine(task, at: .noon(-600 - Double(number))).with { $0.body = "\"\(task)\"" }
            await provider.fail(line, again: 0)
        }
        return provider
    }

    // MARK: - What is sent

    @Test func `only what operators asked for is sent, and the log shows at once what came of it`() async throws {
        let lines = ["t1", "t2", "t3"].map { task in LogLine(task, at: .noon(-600)).with { $0.body = "\"\(task)\"" } }
        try await bench.ingest(lines)
        let provider = await provider(["t1", "t2", "t3"])
        try await ask("t2")

        let summary = try await generation(provider).runManualRetries()

        #expect(summary.called == 1 && summary.accepted == 1 && summary.obstacle == nil)
        #expect(await provider.calls == [#""t2""#: 1])
        #expect(try bench.tasks(.delivered) == ["t2"])
        // Those were due all the time.
        #expect(try bench.tasks(.scheduled) == ["t1", "t3"])
        #expect(try bench.number("SELECT SUM(attempts_used) FROM delivery") == 0)
        #expect(try bench.rows("SELECT kind FROM attempt").map { $0["kind"] as String } == ["manual"])
    }

    @Test func `when nobody asked for anything, the provider is not even asked for its log`() async throws {
        try await bench.ingest([LogLine("t1")])
        let transport = ScriptedTransport { _ async throws(TransportError) in .json("[]") }

        let summary = try await generation(transport).runManualRetries()

        #expect(summary.called == 0 && summary.obstacle == nil)
        #expect(await transport.requests.isEmpty)
    }

    @Test func `only the logs of endpoints concerned are read, before the call and after it`() async throws {
        try await bench.ingest([LogLine("t1")])
        try await ask("t1")
        let transport = ScriptedTransport { request async throws(TransportError) in
            request.isRetry ? .accepted : .json(LogText.page([]))
        }

        _ = try await generation(transport).runManualRetries()

        let requests = await transport.requests
        #expect(requests.map(\.isRetry) == [false, true, false])
        #expect(requests.filter { !$0.isRetry }.allSatisfy { $0.url.contains("/e1/") })
        #expect(try bench.tasks(.awaiting) == ["t1"])
    }

    @Test func `what the log shows as delivered by now is not sent again`() async throws {
        try await bench.ingest([LogLine("t1", at: .noon(-600))])
        try await ask("t1")
        let page = LogText.page([LogLine("t1", "success", at: .noon(-5))])
        let transport = ScriptedTransport { request async throws(TransportError) in
            request.isRetry ? .accepted : .json(page)
        }

        let summary = try await generation(transport).runManualRetries()

        #expect(summary.called == 0)
        #expect(await transport.retries.isEmpty)
        #expect(try bench.tasks(.delivered) == ["t1"])
    }

    @Test func `retries that are spread over time are all sent`() async throws {
        let tasks = ["t1", "t2", "t3"]
        try await bench.ingest(tasks.map { LogLine($0, at: .noon(-600)) })
        let ids = try bench.rows("SELECT id FROM delivery ORDER BY id").map { $0["id"] as Int64 }
        _ = try await bench.store.act(
            .retry, on: ids, spacing: .seconds(10), by: "ann", reason: "slowly", at: bench.time.now)
        let time = bench.time
        let transport = ScriptedTransport { request async throws(TransportError) in
            request.isRetry ? .json(#"{"task_id": "\#(time.now.milliseconds)"}"#, status: 202) : .json("[]")
        }

        let summary = try await generation(transport).runManualRetries()

        #expect(summary.called == 3 && summary.accepted == 3)
        let called = try bench.rows("SELECT intent_ms FROM attempt ORDER BY intent_ms").map { $0["intent_ms"] as Int64 }
        #expect(called.map { ($0 - Timestamp.noon.milliseconds) / 1_000 } == [0, 10, 20])
    }

    // MARK: - Trouble

    @Test func `an answer that is no success is recorded with its status, and the schedule goes on`() async throws {
        try await bench.ingest([LogLine("t1")])
        let planned = try bench.number("SELECT next_attempt_ms FROM delivery")
        try await ask("t1")
        let transport = ScriptedTransport { request async throws(TransportError) in
            request.isRetry ? HTTPResponse(status: 500) : .json("[]")
        }

        let summary = try await generation(transport).runManualRetries()

        #expect(summary.called == 1 && summary.accepted == 0 && summary.obstacle == nil)
        #expect(try bench.number("SELECT http_status FROM attempt") == 500)
        // It may have been executed, so the log decides; the schedule is kept beside it.
        #expect(try bench.tasks(.awaiting) == ["t1"])
        #expect(try bench.number("SELECT kept_attempt_ms FROM delivery") == planned)
    }

    @Test func `while the provider cannot be reached the retry stays asked for`() async throws {
        try await bench.ingest([LogLine("t1")])
        try await ask("t1")
        let transport = ScriptedTransport { _ async throws(TransportError) in throw .notSent(.refused) }

        let summary = try await generation(transport).runManualRetries()

        #expect(summary.called == 0 && summary.accepted == 0)
        #expect((summary.obstacle as? ProviderError)?.kind == .unreachable)
        #expect(await transport.retries.isEmpty)
        #expect(
            try bench.number("SELECT COUNT(*) FROM delivery WHERE state = 'scheduled' AND manual_ms IS NOT NULL") == 1)
        #expect(try bench.text("SELECT last_poll_error FROM endpoint WHERE id = 'e1'") != nil)
    }

    @Test func `when only the call cannot be sent, the retry stays asked for and is not tried again and again`()
        async throws
    {
        try await bench.ingest([LogLine("t1")])
        try await ask("t1")
        let transport = ScriptedTransport { request async throws(TransportError) in
            if request.isRetry { throw .notSent(.refused) }
            return .json("[]")
        }

        let summary = try await generation(transport).runManualRetries()

        #expect(summary.called == 0 && summary.accepted == 0)
        #expect((summary.obstacle as? ProviderError)?.kind == .unreachable)
        #expect(await transport.retries.count == 1)
        #expect(
            try bench.number("SELECT COUNT(*) FROM delivery WHERE state = 'scheduled' AND manual_ms IS NOT NULL") == 1)
        #expect(try bench.number("SELECT SUM(attempts_used) FROM delivery") == 0)
    }

    @Test func `a refused credential leaves the retry asked for`() async throws {
        try await bench.ingest([LogLine("t1")])
        try await ask("t1")
        let transport = ScriptedTransport { _ async throws(TransportError) in HTTPResponse(status: 401) }

        let summary = try await generation(transport).runManualRetries()

        #expect(summary.called == 0)
        #expect((summary.obstacle as? ProviderError)?.kind == .unauthorized)
        #expect(try bench.number("SELECT COUNT(*) FROM delivery WHERE manual_ms IS NOT NULL") == 1)
    }

    @Test func `an endpoint that left the configuration since is left alone`() async throws {
        try await bench.ingest([LogLine("t1")])
        try await ask("t1")
        let transport = ScriptedTransport { _ async throws(TransportError) in .accepted }

        let summary = try await generation(transport, endpoints: ["e2"]).runManualRetries()

        #expect(summary.called == 0)
        #expect(await transport.requests.isEmpty)
        #expect(try bench.number("SELECT COUNT(*) FROM delivery WHERE manual_ms IS NOT NULL") == 1)
    }
}
