import DeliveryQueue
import GRDB
import ProviderAPI
import Synchronization
import Testing

@testable import DeliveryWorker

@Suite struct LogPollerTests {
    private func lines(_ range: ClosedRange<Int>, _ status: String = "failure") -> [LogLine] {
        range.map { LogLine("t\($0)", status, at: .noon(-Double($0) * 60)) }
    }

    private func pages(_ pages: [String]) -> ScriptedTransport {
        ScriptedTransport(pages.map { HTTPResponse.json($0) })
    }

    @Test func `whole pages become rows, and the turn is recorded`() async throws {
        let bench = try await Workbench()
        let transport = pages([
            LogText.page(lines(1...10), next: "?page=2"),
            LogText.page(lines(11...20) + lines(21...25, "success") + lines(26...27, "pending")),
        ])

        let summary = try await bench.poller(transport).runOnce(at: .noon)

        #expect(summary == PollSummary(pages: 2, entries: 27, new: 20))
        #expect(try bench.tasks(.scheduled).count == 20)
        #expect(try bench.number("SELECT COUNT(*) FROM scan_gap WHERE is_second = 0") == 0)
        #expect(try bench.number("SELECT last_poll_ms FROM endpoint") == Int(Timestamp.noon.milliseconds))
        #expect(try bench.number("SELECT head_ms FROM endpoint") == Int(Timestamp.noon(-60).milliseconds))
        #expect(try bench.text("SELECT last_poll_error FROM endpoint") == nil)
        let urls = await transport.requests.map(\.url)
        #expect(urls.map { $0.hasSuffix("/api/v2/webhook_endpoint/e1/logs") } == [true, false])
        #expect(urls[1] == Workbench.base + "/api/v2/webhook_endpoint/e1/logs?page=2")
    }

    @Test func `the same pages again change nothing`() async throws {
        let bench = try await Workbench()
        let page = LogText.page(lines(1...10))
        let poller = bench.poller(pages([page, page]))
        _ = try await poller.runOnce(at: .noon)
        let before = try bench.rows("SELECT * FROM delivery")

        let summary = try await poller.runOnce(at: .noon(60))

        #expect(summary == PollSummary(pages: 1, entries: 10))
        #expect(try bench.rows("SELECT * FROM delivery") == before)
    }

    @Test(arguments: [
        (404, "404"), (403, "403"), (401, "401"), (500, "500"), (301, "301"), (400, "400"),
    ])
    func `a log that is refused is reported at its endpoint and thrown`(status: Int, word: String) async throws {
        let bench = try await Workbench()
        let poller = bench.poller(ScriptedTransport([HTTPResponse(status: status)]))

        await #expect(throws: ProviderError.self) { try await poller.runOnce(at: .noon) }

        #expect(try bench.text("SELECT last_poll_error FROM endpoint")?.contains(word) == true)
        #expect(try bench.number("SELECT last_poll_error_ms FROM endpoint") == Int(Timestamp.noon.milliseconds))
        #expect(try bench.number("SELECT COUNT(*) FROM endpoint WHERE last_poll_ms IS NULL") == 1)
    }

    @Test func `a poll that succeeds again clears the error`() async throws {
        let bench = try await Workbench()
        let poller = bench.poller(ScriptedTransport([HTTPResponse(status: 404), .json("[]")]))
        _ = try? await poller.runOnce(at: .noon)

        _ = try await poller.runOnce(at: .noon(60))

        #expect(try bench.text("SELECT last_poll_error FROM endpoint") == nil)
    }

    @Test func `HTML instead of JSON is an error of the turn that says so`() async throws {
        let bench = try await Workbench()
        let poller = bench.poller(pages(["<!doctype html><html><body>Maintenance</body></html>"]))

        await #expect(throws: ProviderError.self) { try await poller.runOnce(at: .noon) }

        #expect(try bench.text("SELECT last_poll_error FROM endpoint")?.contains("HTML") == true)
    }

    @Test func `a truncated second page keeps the first and a gap, and the next turn works it off`() async throws {
        let bench = try await Workbench()
        let first = LogText.page(lines(1...10), next: "?page=2")
        let second = LogText.page(lines(11...20))
        let isBroken = Mutex(true)
        let poller = bench.poller(
            ScriptedTransport { request async throws(TransportError) in
                guard request.url.hasSuffix("page=2") else { return .json(first) }
                return .json(isBroken.withLock { $0 } ? String(second.prefix(second.count / 2)) : second)
            })

        #expect(try await poller.runOnce(at: .noon).trouble != nil)

        #expect(try bench.tasks(.scheduled).count == 10)
        #expect(try bench.text("SELECT last_poll_error FROM endpoint") != nil)
        let gap = try #require(try bench.rows("SELECT * FROM scan_gap").first)
        #expect((gap["resume_url"] as String).hasSuffix("?page=2"))
        #expect(gap["to_ms"] as Int64 == Timestamp.noon(-480).milliseconds)

        isBroken.withLock { $0 = false }
        _ = try await poller.runOnce(at: .noon(60))
        #expect(try bench.tasks(.scheduled).count == 20)
        #expect(try bench.number("SELECT COUNT(*) FROM scan_gap WHERE is_second = 0") == 0)
    }

    @Test func `a page that stays unreadable does not heap up gaps`() async throws {
        let bench = try await Workbench()
        let first = LogText.page(lines(1...10), next: "?page=2")
        let transport = ScriptedTransport { request async throws(TransportError) in
            request.url.contains("page=2") ? HTTPResponse(status: 500) : .json(first)
        }
        let poller = bench.poller(transport)

        for turn in 0..<20 { _ = try? await poller.runOnce(at: .noon(Double(turn) * 60)) }

        #expect(try bench.number("SELECT COUNT(*) FROM scan_gap") <= 2)
    }

    @Test func `a next page on another origin is asked for at our own, and that is said once`() async throws {
        let bench = try await Workbench()
        let first = LogText.page(lines(1...3), next: "http://inner-host:8000/logs?page=2")
        let transport = ScriptedTransport { request async throws(TransportError) in
            .json(request.url == Workbench.base + "/logs?page=2" ? LogText.page(lines(4...6)) : first)
        }
        let said = LogLines()
        let poller = bench.poller(transport, logger: said.logger)

        for turn in 0..<3 { _ = try await poller.runOnce(at: .noon(Double(turn))) }

        #expect(try bench.tasks(.scheduled).count == 6)
        #expect(try bench.number("SELECT COUNT(*) FROM scan_gap WHERE is_second = 0") == 0)
        #expect(try bench.text("SELECT last_poll_error FROM endpoint") == nil)
        #expect(await transport.requests.allSatisfy { $0.url.hasPrefix(Workbench.base + "/") })
        let notices = said.all.filter { $0.hasPrefix("notice ") }
        #expect(
            notices == [
                "notice the log's links to the next page do not lead to base_url; their path and query are followed there"
            ])
    }

    @Test func `what was said once is not said again after a reload`() async throws {
        let bench = try await Workbench()
        let base = WorkerBase(store: bench.store, transport: ScriptedTransport([]), logger: .silent)
        let pollers = (1...2).map { _ in Generation(.for(bench), on: base).pollers[0].poller }
        #expect(pollers.map { $0.strayLinks.isNew("e1") } == [true, false])
        #expect(pollers[1].strayLinks.isNew("e2"))
    }

    @Test(arguments: ["javascript:alert(1)", "ftp://provider.test/2", "https://a:b@provider.test/2"])
    func `a page whose next cannot be followed is stored, what is behind it stays unread, and it is reported`(
        next: String
    ) async throws {
        let bench = try await Workbench()
        let isMended = Mutex(false)
        let transport = ScriptedTransport { request async throws(TransportError) in
            if request.url.hasSuffix("page=2") { return .json(LogText.page(lines(4...6))) }
            return .json(LogText.page(lines(1...3), next: isMended.withLock { $0 } ? "?page=2" : next))
        }
        let poller = bench.poller(transport)

        for _ in 0..<3 {
            _ = try await poller.runOnce(at: bench.time.now)
            bench.time.advance(by: .seconds(400))
            #expect(try bench.tasks(.scheduled).count == 3)
            #expect(try bench.number("SELECT COUNT(*) FROM scan_gap WHERE resume_url IS NULL") == 1)
            #expect(try bench.text("SELECT last_poll_error FROM endpoint")?.contains("is not http or https") == true)
            #expect(try bench.number("SELECT COUNT(*) FROM endpoint WHERE last_scan_ms IS NULL") == 1)
        }
        isMended.withLock { $0 = true }
        _ = try await poller.runOnce(at: bench.time.now)
        #expect(try bench.tasks(.scheduled).count == 6)
        #expect(try bench.number("SELECT COUNT(*) FROM scan_gap WHERE is_second = 0") == 0)
    }

    @Test func `a next that cannot be followed does not matter where nothing older does`() async throws {
        let bench = try await Workbench()
        let page = LogText.page(lines(1...40), next: "ftp://provider.test/2")
        let poller = bench.poller(pages([page]))
        try bench.execute("UPDATE endpoint SET head_ms = \(Timestamp.noon(-120).milliseconds)")

        _ = try await poller.runOnce(at: .noon)

        #expect(try bench.number("SELECT COUNT(*) FROM scan_gap WHERE is_second = 0") == 0)
    }

    @Test func `a stored address of another origin is never called; the log is read from its first page`() async throws
    {
        let bench = try await Workbench()
        try bench.execute(
            """
            INSERT INTO scan_gap (endpoint_id, from_ms, to_ms, resume_url, newest_first, started_ms, since_ms)
            VALUES ('e1', 0, \(Timestamp.noon(-60).milliseconds), 'https://elsewhere.test/logs?page=9', 0, 0, 0)
            """)
        let transport = pages([LogText.page(lines(1...3))])

        _ = try await bench.poller(transport).runOnce(at: .noon)

        #expect(await transport.requests.map(\.url) == [Workbench.base + "/api/v2/webhook_endpoint/e1/logs"])
        #expect(try bench.number("SELECT COUNT(*) FROM scan_gap WHERE is_second = 0") == 0)
        #expect(try bench.tasks(.scheduled).count == 3)
    }

    @Test func `a page address that has expired makes the next turn begin at the first page`() async throws {
        let bench = try await Workbench()
        try bench.execute(
            """
            INSERT INTO scan_gap (
                endpoint_id, from_ms, to_ms, resume_url, last_url, newest_first, started_ms, since_ms)
            VALUES ('e1', 0, \(Timestamp.noon(-60).milliseconds), '\(Workbench.base)/logs?cursor=old',
                '\(Workbench.base)/logs?cursor=older', 0, 0, 0)
            """)
        let transport = ScriptedTransport([HTTPResponse(status: 404), .json(LogText.page(lines(1...3)))])
        let poller = bench.poller(transport)

        _ = try? await poller.runOnce(at: .noon)
        #expect(try bench.text("SELECT resume_url FROM scan_gap") == nil)
        _ = try await poller.runOnce(at: .noon(60))

        #expect(try bench.number("SELECT COUNT(*) FROM scan_gap WHERE is_second = 0") == 0)
        #expect(try bench.tasks(.scheduled).count == 3)
    }

    @Test func `a turn that takes too long leaves a gap, says so, and the next turns finish it`() async throws {
        let bench = try await Workbench()
        let all = (1...12).map { page in
            LogText.page(
                lines((page * 10)...(page * 10 + 9)), next: page == 12 ? nil : "?page=\(page + 1)")
        }
        let transport = ScriptedTransport { [time = bench.time] request async throws(TransportError) in
            time.advance(by: .seconds(10))
            return .json(all[(request.url.split(separator: "=").last.flatMap { Int($0) } ?? 1) - 1])
        }
        let poller = bench.poller(transport)

        let first = try await poller.runOnce(at: bench.time.now)

        #expect(first.isUnfinished)
        #expect(first.pages == 5)
        #expect(try bench.number("SELECT COUNT(*) FROM scan_gap") == 1)
        for _ in 0..<10 { _ = try await poller.runOnce(at: bench.time.now) }
        #expect(try bench.tasks(.scheduled).count == 120)
        #expect(try bench.number("SELECT COUNT(*) FROM scan_gap WHERE is_second = 0") == 0)
    }

    /// Every page takes 20 s and new entries fill the first pages, so that a turn is over before they are read.
    @Test func `what earlier turns left unread is worked off even when new entries fill every turn`() async throws {
        let bench = try await Workbench()
        let transport = ScriptedTransport { [time = bench.time] request async throws(TransportError) in
            time.advance(by: .seconds(20))
            let page = request.url.split(separator: "=").last.flatMap { Int($0) } ?? 1
            let newest = 300 + Int64((time.now - .noon).components.seconds / 20) - Int64(page - 1) * 10
            let lines = (0..<10).map { newest - $0 }.filter { $0 >= 0 }
                .map { LogLine("\($0)", at: .noon(Double($0 - 300) * 20)) }
            return .json(LogText.page(lines, next: newest < 10 ? nil : "?page=\(page + 1)"))
        }
        let poller = bench.poller(transport)

        for _ in 0..<120 { _ = try await poller.runOnce(at: bench.time.now) }

        #expect(try bench.tasks(.scheduled).contains("0"))
    }
}
