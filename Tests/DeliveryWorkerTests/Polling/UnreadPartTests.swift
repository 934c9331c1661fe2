import DeliveryQueue
import ProviderAPI
import Testing

@testable import DeliveryQueue
@testable import DeliveryWorker

/// What becomes of the parts of a log that could not be read: nothing in them is lost, and no more is kept back than
/// they may hold. Rows are a minute apart, the newest first, ten on a page.
@Suite struct UnreadPartTests {
    let bench: Workbench
    let log: PagedLog
    let coverage: Coverage
    let poller: LogPoller

    init() async throws {
        bench = try await Workbench()
        log = PagedLog(bench.time, (1...100).map { LogLine("t\($0)", at: .noon(-Double($0) * 60)) })
        coverage = Coverage(within: .seconds(5), clock: bench.time.clock)
        poller = bench.poller(log.transport, coverage: coverage)
    }

    @discardableResult
    func turn(after seconds: Int64 = 1) async throws -> PollSummary {
        bench.time.advance(by: .seconds(seconds))
        return try await poller.runOnce(at: bench.time.now)
    }

    /// As many new rows as `number`, so many seconds apart, up to now.
    func add(_ number: Int, _ prefix: String, every seconds: Int = 1) {
        let now = bench.time.now
        log.change { log in
            log.rows = (0..<number).map { LogLine("\(prefix)\($0)", at: now - .seconds($0 * seconds)) } + log.rows
        }
    }

    func gaps() throws -> Int { try bench.number("SELECT COUNT(*) FROM scan_gap WHERE is_second = 0") }

    func readings() async -> [String: LogReading] { await coverage.readings }

    /// Turns the log's order round, and lets a turn begin the pass through it that does not come to its end.
    func beginPass() async throws {
        log.change { log in
            log.rows.reverse()
            log.delay = .seconds(10)
        }
        #expect(try await turn().isUnfinished)
        log.change { $0.delay = .zero }
    }

    /// Lets an operator free what is unread, as if it had been so for a day.
    func freeGaps() async throws -> HoldChange {
        try bench.execute("UPDATE scan_gap SET since_ms = 0")
        return try await bench.store.resume(
            endpoint: "e1", freesGaps: true, by: "ann", reason: "x", rules: bench.rules, at: bench.time.now)
    }

    func claimed() async throws -> [ClaimedDelivery] {
        try await bench.store.claimDue(
            of: await readings(), limit: 200, lease: .seconds(60), rules: bench.rules, at: bench.time.now
        ).deliveries
    }

    // MARK: - Nothing is lost

    @Test func `what a look left unread is not forgotten when the next look finds a page of new rows`() async throws {
        log.change { $0.badPages = [3] }
        try await turn()
        log.change { $0.badPages = Set(2...100) }
        add(25, "new")
        try await turn()

        log.change { $0.badPages = [] }
        for _ in 0..<5 { try await turn(after: 400) }

        #expect(try bench.tasks(.scheduled).count == 125)
        #expect(try gaps() == 0)
    }

    @Test func `a gap is read as the look before has left it`() async throws {
        log.change { $0.badPages = [5] }
        try await turn()
        add(15, "new")
        log.change { $0.badPages = [2] }
        try await turn(after: 10)
        log.change { $0.badPages = [] }
        for _ in 0..<4 { try await turn(after: 400) }

        #expect(try bench.tasks(.scheduled).count == 115)
        #expect(try gaps() == 0)
    }

    @Test(arguments: [[4], [4, 5], [4, 5, 7]])
    func `rows behind pages that can never be read are found, and only those pages keep calls back`(
        bad: Set<Int>
    ) async throws {
        log.change { $0.badPages = bad }
        for _ in 0..<4 { try await turn(after: 10) }

        #expect(try bench.tasks(.scheduled).count == 100 - bad.count * 10)
        #expect(try gaps() == (bad.contains(7) ? 2 : 1))
        let behind = bad.contains(5) ? 51 : 41
        #expect(
            try bench.number("SELECT MAX(from_ms) FROM scan_gap WHERE is_second = 0")
                == Int(Timestamp.noon(Double(-behind * 60)).milliseconds))
    }

    @Test(arguments: [[4], [4, 5, 7]])
    func `rows behind the bad pages of a log in no order are found, and nothing of it counts as read`(
        bad: Set<Int>
    ) async throws {
        log.change { log in
            log.rows.reverse()
            log.badPages = bad
        }
        for _ in 0..<3 { try await turn(after: 10) }

        #expect(try bench.tasks(.scheduled).count == 100 - bad.count * 10)
        #expect(try gaps() == 1)
        #expect(await readings().isEmpty)
    }

    @Test func `a range without counts is walked once more, and a row that a deletion hid is found`() async throws {
        log.change { $0.delay = .seconds(10) }
        try await turn()
        // Ten rows at the top are deleted, so that a page is skipped where the scan goes on.
        log.change { log in
            log.delay = .zero
            log.rows.removeFirst(10)
        }
        for _ in 0..<3 { try await turn(after: 10) }

        #expect(try bench.tasks(.scheduled).count == 100)
        #expect(try bench.number("SELECT COUNT(*) FROM scan_gap") == 0)
    }

    @Test func `more than a page that is deleted while a counted log is read hides nothing`() async throws {
        log.change { log in
            log.isCounted = true
            // Five of them were read before.
            log.before[4] = { $0.removeSubrange(25..<45) }
        }
        for _ in 0..<4 { try await turn(after: 10) }

        #expect(try bench.tasks(.scheduled).count == 85)
        #expect(try gaps() == 0)
    }

    @Test func `new rows of more than the overlap are walked once more where there are no counts`() async throws {
        try await turn()
        try await turn()
        bench.time.advance(by: .seconds(3_600))
        add(50, "new", every: 60)
        log.change { $0.before[3] = { _ = $0.remove(at: 5) } }
        for _ in 0..<3 { try await turn(after: 10) }

        #expect(try bench.tasks(.scheduled).count == 150)
        #expect(try bench.number("SELECT COUNT(*) FROM scan_gap") == 0)
    }

    @Test func `a log that grows by more than a page between two pages is no circle`() async throws {
        let now = bench.time.now
        log.change { log in
            log.before[2] = { rows in
                rows = (0..<25).map { LogLine("new\($0)", at: now - .milliseconds($0 * 10)) } + rows
            }
        }
        #expect(try await turn().trouble == nil)
        for _ in 0..<2 { try await turn() }

        #expect(try bench.tasks(.scheduled).count == 125)
        #expect(try gaps() == 0)
    }

    @Test func `what is left unread while a range is walked once more keeps calls back`() async throws {
        try await turn()
        bench.time.advance(by: .seconds(3_600))
        add(50, "new", every: 60)
        try await turn(after: 10)
        #expect(try bench.number("SELECT COUNT(*) FROM scan_gap WHERE is_second = 1") > 0)
        add(25, "newer")
        log.change { $0.badPages = [2] }
        try await turn(after: 10)

        #expect(try bench.number("SELECT COUNT(*) FROM unread_gap") > 0)
    }

    @Test func `a pass goes back where the pages have moved since its last turn`() async throws {
        try await beginPass()
        log.change { $0.rows.removeFirst(15) }
        try await turn()

        #expect(try bench.tasks(.scheduled).count == 100)
    }

    @Test func `a pass that cannot go on while the provider is down is an outage, and no log counts as read`()
        async throws
    {
        try await beginPass()
        log.change { $0.badPages = Set(1...100) }

        await #expect(throws: ProviderError.self) { try await turn() }
        #expect(log.asked.last == 1)
        #expect(try bench.text("SELECT last_poll_error FROM endpoint")?.contains("500") == true)
    }

    // MARK: - Nothing starves

    @Test func `old rows behind a bad page are shown as unread, and are asked for less and less often`() async throws {
        try bench.execute("UPDATE endpoint SET retry_shows = 'in_place'")
        for _ in 0..<3 { try await turn() }
        log.change { $0.badPages = [5] }
        bench.time.advance(by: .seconds(400))
        _ = log.takeAsked()
        for _ in 0..<60 { try await turn() }

        #expect(try gaps() == 1)
        // The rows above it are read again for the deliveries that are due.
        #expect(log.asked.count { $0 == 5 } < 15)
        #expect(log.asked.count < 60 * 4 + 40)
    }

    @Test func `what an operator frees is called, although its old row cannot be read`() async throws {
        try bench.execute("UPDATE endpoint SET retry_shows = 'in_place'")
        for _ in 0..<3 { try await turn() }
        log.change { $0.badPages = [5] }
        try await turn(after: 400)
        #expect(try await freeGaps() == .made)
        try await turn()

        #expect(try await claimed().contains { $0.taskID == "t90" })
    }

    @Test func `what an operator frees of a log in no order is called`() async throws {
        log.change { log in
            log.rows.reverse()
            log.badPages = [4]
        }
        try await turn()
        #expect(try await freeGaps() == .made)
        // Put off: the first page counts as a look.
        try await turn()

        #expect(try await claimed().count == 90)
    }

    @Test func `a deep look goes on by at least a page in each turn, however long the backlog is`() async throws {
        try bench.execute("UPDATE endpoint SET retry_shows = 'in_place'")
        log.change { $0.delay = .seconds(20) }
        var deepest = Timestamp.distantFuture
        for _ in 0..<40 {
            try await turn()
            deepest = min(deepest, await readings()["e1"]?.rowsSince ?? .distantFuture)
        }

        #expect(try await turn().isUnfinished == false)
        #expect(deepest <= .noon(-60 * 99))
    }

    @Test func `the old row of a slow log's last page is read again, and its delivery can be called`() async throws {
        try bench.execute("UPDATE endpoint SET retry_shows = 'in_place'")
        log.change { log in
            log.pageSize = 5
            log.rows = Array(log.rows.prefix(60))
            log.delay = .seconds(5)
        }
        var seconds = 0
        let begin = bench.time.now
        repeat {
            try await turn()
            seconds = Int((bench.time.now - begin).components.seconds)
        } while await readings()["e1"]?.rowsSince ?? .distantFuture > .noon(-60 * 60) && seconds < 600

        #expect(seconds < 300)
    }

    @Test func `old rows that are read again in a slow log leave most of a turn to what is unread`() async throws {
        try bench.execute("UPDATE endpoint SET retry_shows = 'in_place'")
        log.change { log in
            log.rows = (1...500).map { LogLine("t\($0)", at: .noon(-Double($0) * 60)) }
            log.delay = .seconds(3)
        }
        var turns = 0
        repeat {
            try await turn()
            turns += 1
        } while try gaps() > 0 && turns < 30

        #expect(turns < 8)
    }
}
