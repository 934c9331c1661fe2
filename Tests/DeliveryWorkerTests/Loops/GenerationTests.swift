import DeliveryQueue
import Foundation
import GRDB
import Logging
import ProviderAPI
import ServiceLifecycle
import ServiceLifecycleTestKit
import Synchronization
import Testing

@testable import DeliveryWorker
@testable import RedeliverConfiguration

@Suite struct GenerationTests {
    private func generation(
        _ bench: Workbench, _ transport: any HTTPTransport, endpoints: [String] = ["e1"],
        clock: (any Clock<Duration>)? = nil
    ) async throws -> Generation {
        let base = WorkerBase(
            store: bench.store, transport: transport, clock: clock ?? bench.time.clock,
            wallClock: bench.time.wallClock, logger: .silent)
        let generation = Generation(.for(bench, endpoints: endpoints), on: base)
        try await generation.prepare(at: bench.time.now)
        return generation
    }

    private func metrics(_ bench: Workbench) throws -> MetricsParser {
        try MetricsParser(try String(contentsOfFile: bench.folder + "/redeliver.prom", encoding: .utf8))
    }

    @Test func `one turn polls, retries, reads the outcome, settles and writes metrics`() async throws {
        let bench = try await Workbench()
        let provider = FakeProvider(time: bench.time, confirmation: .sameTaskID)
        for number in 0..<12 {
            let line = LogLine("t\(number)", at: .noon(-600 - Double(number))).with { $0.body = "\(number)" }
            await provider.fail(line, again: number < 10 ? 0 : 1)
        }

        let failed = try await generation(bench, provider).runOnce()

        #expect(failed == 0)
        #expect(try bench.tasks(.delivered).count == 10)
        #expect(try bench.tasks(.scheduled) == ["t10", "t11"])
        #expect(try bench.number("SELECT SUM(attempts_used) FROM delivery") == 2)
        let parsed = try metrics(bench)
        #expect(parsed.values("redeliver_retry_requests_total", ["answer": "accepted"]) == ["12"])
        #expect(
            parsed.values(
                "redeliver_deliveries_finalized_total", ["event_type": "profile_update", "outcome": "delivered"])
                == ["10"])
        #expect(parsed.values("redeliver_auth_ok") == ["1"])
        // 5 at once and 7 more at 10 a second.
        #expect(bench.time.now - .noon >= .milliseconds(700))
    }

    @Test func `a part of the log that stays unread is counted, and what it does not concern is called`() async throws {
        let bench = try await Workbench()
        let page = LogText.page((0..<12).map { LogLine("t\($0)", at: .noon(-60 - Double($0) * 20)) }, next: "?page=2")
        let transport = ScriptedTransport { request async throws(TransportError) in
            if request.isRetry { return .accepted }
            return request.url.contains("page=2") ? HTTPResponse(status: 500) : .json(page)
        }

        let generation = try await generation(bench, transport)
        _ = try await generation.runOnce()
        let unread = try await generation.runOnce()

        #expect(unread == 1)
        #expect(try bench.number("SELECT COUNT(*) FROM scan_gap") == 1)
        // The last three of the page failed where the unread part ends.
        #expect(try bench.tasks(.scheduled) == ["t10", "t11", "t9"])
    }

    @Test func `one turn reads a slow log's old rows to their end and calls what is due`() async throws {
        let bench = try await Workbench()
        let log = PagedLog(bench.time, (1...300).map { LogLine("t\($0)", at: .noon(-3_600 - Double($0))) })
        log.change { $0.delay = .seconds(2) }
        try bench.execute("UPDATE endpoint SET retry_shows = 'in_place'")

        _ = try await generation(bench, log.transport).runOnce()

        #expect(try bench.number("SELECT COUNT(DISTINCT delivery_id) FROM attempt") == 300)
    }

    @Test func `an endpoint that the provider does not know is counted, the others go on`() async throws {
        let bench = try await Workbench()
        let transport = ScriptedTransport { request async throws(TransportError) in
            if request.isRetry { return .accepted }
            let line = LogLine(request.url.contains("/e3/") ? "t3" : "t1")
            return request.url.contains("/e2/") ? HTTPResponse(status: 404) : .json(LogText.page([line]))
        }

        let failed = try await generation(bench, transport, endpoints: ["e2", "e1", "e3"]).runOnce()

        #expect(failed == 1)
        #expect(try bench.number("SELECT COUNT(*) FROM delivery WHERE state = 'awaiting'") == 2)
        #expect(
            try bench.text("SELECT group_concat(id) FROM endpoint WHERE last_poll_error IS NOT NULL") == "e2")
    }

    /// e2 cannot be read at first. e1 can, and cannot when the outcome of its retry should show.
    @Test func `endpoints whose logs fail at different times in a turn are both counted`() async throws {
        let bench = try await Workbench()
        let reads = Mutex(0)
        let transport = ScriptedTransport { request async throws(TransportError) in
            if request.isRetry { return .accepted }
            if request.url.contains("/e2/") { return HTTPResponse(status: 404) }
            let isFirst = reads.withLock { reads in
                reads += 1
                return reads == 1
            }
            return isFirst ? .json(LogText.page([LogLine("t1")])) : HTTPResponse(status: 404)
        }

        let failed = try await generation(bench, transport, endpoints: ["e1", "e2"]).runOnce()

        #expect(try bench.tasks(.awaiting) == ["t1"])
        #expect(failed == 2)
    }

    @Test func `a refused credential ends the turn with metrics that say so, and nothing is sent`() async throws {
        let bench = try await Workbench()
        try await bench.ingest([LogLine("t1")])
        let transport = ScriptedTransport { _ async throws(TransportError) in HTTPResponse(status: 401) }

        let failed = try await generation(bench, transport).runOnce()

        #expect(failed == 1)
        #expect(await transport.retries.isEmpty)
        #expect(try metrics(bench).values("redeliver_auth_ok") == ["0"])
    }

    @Test func `an endpoint that left the configuration is neither polled, retried nor measured`() async throws {
        let bench = try await Workbench(endpoints: ["e1", "old"])
        try await bench.ingest([LogLine("t1", at: .noon(-10))])
        try bench.execute("UPDATE delivery SET endpoint_id = 'old'")
        let transport = ScriptedTransport { request async throws(TransportError) in .json("[]") }

        _ = try await generation(bench, transport).runOnce()

        #expect(await transport.requests.count == 1)
        #expect(try bench.tasks(.scheduled) == ["t1"])
        #expect(try metrics(bench).values("redeliver_scan_gap_seconds").count == 1)
    }

    @Test(.enabled(if: Promtool.path != nil, "promtool is not installed; Debian has it in the package prometheus"))
    func `promtool finds nothing wrong with the file of a turn`() async throws {
        let bench = try await Workbench()
        let provider = FakeProvider(time: bench.time, confirmation: .inPlace)
        await provider.fail(LogLine("t1"), again: 0)

        _ = try await generation(bench, provider).runOnce()

        #expect(try Promtool.check(try String(contentsOfFile: bench.folder + "/redeliver.prom", encoding: .utf8)) == "")
    }

    // MARK: - The services

    /// Two endpoints and all duties run as they do in the daemon, on a clock that skips every sleep.
    @Test func `the services deliver everything and end at a graceful shutdown`() async throws {
        let bench = try await Workbench()
        let provider = FakeProvider(time: bench.time, confirmation: .silentNewID)
        for number in 0..<10 {
            let line = LogLine("t\(number)", at: .noon(-600 - Double(number))).with { $0.body = "\(number)" }
            await provider.fail(line, again: number % 2)
        }
        let clock = SteppedClock()
        let generation = try await generation(bench, provider, clock: clock)

        try await testGracefulShutdown { trigger in
            try await withThrowingTaskGroup { group in
                for service in generation.services() { group.addTask { try await service.run() } }
                var turns = 0
                for await _ in clock.sleeps {
                    turns += 1
                    if try bench.tasks(.delivered).count == 10 || turns > 5_000 { break }
                    bench.time.advance(by: .seconds(1))
                    clock.wake()
                }
                trigger.triggerGracefulShutdown()
                try await group.waitForAll()
            }
        }

        #expect(try bench.tasks(.delivered).count == 10)
        #expect(await provider.received.values.allSatisfy { $0.count == 1 })
        #expect(await provider.doubleCalls == 0)
    }

    /// Each page takes 20 s, a turn 45 s, and the interval is a minute: the next turn must not wait for it.
    @Test func `a log that takes longer than a turn is gone on with at once`() async throws {
        let bench = try await Workbench()
        let transport = ScriptedTransport { [time = bench.time] request async throws(TransportError) in
            time.advance(by: .seconds(20))
            let page = request.url.split(separator: "=").last.flatMap { Int($0) } ?? 1
            let lines = (0..<10).map { LogLine("\(page).\($0)", at: .noon(-Double(page * 10 + $0) * 300)) }
            return .json(LogText.page(lines, next: page == 9 ? nil : "?page=\(page + 1)"))
        }
        let clock = SteppedClock()
        let generation = try await generation(bench, transport, clock: clock)
        let polling = try #require(generation.services().first)

        try await testGracefulShutdown { trigger in
            async let running: Void = polling.run()
            var sleeps = clock.sleeps.makeAsyncIterator()
            _ = await sleeps.next()
            trigger.triggerGracefulShutdown()
            try await running
        }

        #expect(try bench.number("SELECT COUNT(*) FROM scan_gap WHERE is_second = 0") == 0)
        #expect(try bench.tasks(.scheduled).contains("9.9"))
    }
}
