import Testing

@testable import DeliveryQueue
@testable import DeliveryWorker

/// What counts as read just now where a reading is stopped, waits or is cut short.
extension UnreadPartTests {
    @Test func `a stop in the middle of a look makes it count for nothing`() async throws {
        log.change { $0.rows = Array($0.rows.prefix(5)) }
        try await turn()
        #expect(await readings()["e1"] != nil)
        log.change { $0.delay = .seconds(72) }
        try await turn(after: 10)

        #expect(await readings().isEmpty)
    }

    @Test func `a break of the dispatcher that is too long makes all readings count for nothing`() async throws {
        log.change { log in
            log.rows = Array(log.rows.prefix(15))
            log.delay = .seconds(40)
        }
        await coverage.beat(next: .seconds(90))
        try await turn()
        #expect(await readings()["e1"] != nil)
        bench.time.advance(by: .seconds(11))
        await coverage.beat(next: .seconds(60))

        #expect(await readings().isEmpty)
    }

    @Test func `a pass that waited for a bad page does not count from its first page`() async throws {
        log.change { log in
            log.rows.reverse()
            log.badPages = [4]
        }
        try await turn()
        try await turn(after: 3_600)
        log.change { $0.badPages = [] }
        try await turn(after: 3_600)

        #expect(await readings().isEmpty)
        try await turn()
        #expect(await readings()["e1"] != nil)
    }

    @Test func `a pass that has read one page begins anew, and comes to its end however slow the pages are`()
        async throws
    {
        log.change { log in
            log.rows = log.rows.prefix(40).reversed()
            log.delay = LogPoller.turnLimit
        }
        try await turn()
        try await turn(after: 3_600)
        for _ in 0..<2 { try await turn() }

        #expect(try bench.tasks(.scheduled).count == 40)
        #expect(try gaps() == 0)
        #expect(try bench.number("SELECT last_scan_ms FROM endpoint") >= Int(Timestamp.noon(3_600).milliseconds))
    }

    @Test func `a pass that began before a hold ended does not count after it`() async throws {
        log.change { log in
            log.rows.reverse()
            log.delay = .seconds(10)
        }
        try await turn()
        try bench.execute("UPDATE endpoint SET openings = openings + 1")
        log.change { $0.delay = .zero }
        try await turn()

        #expect(await readings()["e1"]?.openings == 0)
    }

    /// Also not when its time is over, and when another call's row is in reach.
    @Test(arguments: [3_600, -1])
    func `the log's silence does not count while the old row of a call lies too deep`(confirmIn: Int) async throws {
        try bench.execute("UPDATE endpoint SET retry_shows = 'in_place'")
        log.change { log in
            log.rows = (1...400).map { LogLine("t\($0)", at: .noon(-Double($0) * 60)) }
        }
        for _ in 0..<3 { try await turn() }
        try bench.execute("UPDATE endpoint SET last_scan_ms = 0")
        bench.time.advance(by: .seconds(30))
        try bench.execute(
            """
            UPDATE delivery SET state = 'awaiting', next_attempt_ms = NULL, called_ms = \(bench.time.now.milliseconds),
                confirm_by_ms = \((bench.time.now + .seconds(confirmIn)).milliseconds) WHERE task_id IN ('t390', 't45')
            """)
        _ = log.takeAsked()
        try await turn()

        #expect(try bench.number("SELECT last_scan_ms FROM endpoint") == 0)
        // The row of t45 is read again.
        #expect(log.asked.contains(5) && !log.asked.contains(39))
    }

    @Test func `above a page that cannot be read the log's silence counts`() async throws {
        try bench.execute("UPDATE endpoint SET retry_shows = 'in_place'")
        for _ in 0..<3 { try await turn() }
        log.change { $0.badPages = [5] }
        try await turn(after: 400)
        for _ in 0..<5 { try await turn() }

        let scanned = try bench.number("SELECT last_scan_ms FROM endpoint")
        #expect(scanned >= Int((bench.time.now - .seconds(2)).milliseconds))
        #expect(try gaps() > 0)
    }
}
