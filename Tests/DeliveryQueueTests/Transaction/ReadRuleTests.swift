import GRDB
import Testing

@testable import DeliveryQueue
@testable import QueueFixtures

/// Which deliveries may be called, by what was read of their endpoint's log.
@Suite struct ReadRuleTests {
    private let queue: QueueFixture
    private let due = QueueFixture.due

    init() async throws {
        queue = try await QueueFixture()
    }

    // MARK: - A reading

    @Test func `nothing is called of an endpoint whose log was not read, and the claim names the endpoint`()
        async throws
    {
        try await queue.ingest(.failure("a", at: start), at: start)

        let batch = try await queue.claim(of: [:])

        #expect(batch.deliveries.isEmpty)
        #expect(batch.unread == [QueueFixture.endpoint])
        #expect(try await queue.tasks(of: [QueueFixture.endpoint: .whole]) == ["a"])
    }

    @Test func `an endpoint with nothing due wants no reading`() async throws {
        try await queue.ingest(.failure("a", at: due), at: due)

        #expect(try await queue.claim(of: [:]).unread.isEmpty)
    }

    @Test func `an operator's retry wants a reading as well`() async throws {
        try await queue.ingest(.failure("a", at: due), at: due)
        let id = try await queue.delivery("a").id
        _ = try await queue.store.act(.retry, on: id, by: "ann", reason: "x", at: due)

        let batch = try await queue.claim(of: [:])

        #expect(batch.deliveries.isEmpty)
        #expect(batch.unread == [QueueFixture.endpoint])
    }

    @Test func `an endpoint whose log is being read already is not named again`() async throws {
        try await queue.ingest(.failure("a", at: start), at: start)
        try await queue.ingest(.failure("b", at: start), endpoint: QueueFixture.other, at: start)

        let batch = try await queue.store.claimDue(
            of: [:], besides: [QueueFixture.endpoint], limit: 1, lease: .seconds(60), rules: queue.rules, at: due)

        #expect(batch.unread == [QueueFixture.other])
    }

    @Test func `an endpoint that is called without a break does not keep others unread`() async throws {
        try await queue.ingest(.failure("a", at: start), .failure("a2", at: start), at: start)
        try await queue.ingest(.failure("b", at: start), endpoint: QueueFixture.other, at: start)

        let batch = try await queue.claim(of: [QueueFixture.endpoint: .whole], limit: 1)

        #expect(batch.deliveries.map(\.taskID) == ["a"])
        #expect(batch.unread == [QueueFixture.other])
    }

    @Test func `a reading from before the end of a hold does not count`() async throws {
        try await queue.ingest(.failure("a", at: start), at: start)
        _ = try await queue.store.pause(
            endpoint: QueueFixture.endpoint, by: "ann", reason: "x", at: start)
        _ = try await queue.store.resume(
            endpoint: QueueFixture.endpoint, by: "ann", reason: "x", rules: queue.rules, at: due)
        let plan = try await queue.store.scanPlan(
            of: QueueFixture.endpoint, overlap: .minutes(15), rereading: .none, rules: queue.rules, at: due)

        #expect(try await queue.claim(of: [QueueFixture.endpoint: .whole]).unread == [QueueFixture.endpoint])
        var reading = LogReading.whole
        reading.openings = plan.openings
        #expect(try await queue.tasks(of: [QueueFixture.endpoint: reading]) == ["a"])
    }

    // MARK: - Gaps

    @Test func `a gap holds back what failed before its end, and nothing else`() async throws {
        try await queue.ingest(
            .failure("old", at: start), .failure("new", at: start + .minutes(30)), at: start + .minutes(30))
        try await queue.gap(from: start - .hours(1), to: start + .minutes(5))

        let batch = try await queue.claim(of: [QueueFixture.endpoint: .whole])

        #expect(batch.deliveries.map(\.taskID) == ["new"])
        #expect(batch.unread.isEmpty, "no reading frees it but that of the gap")
    }

    @Test func `what failed within the tolerance of clocks after a gap is held back too`() async throws {
        let end = start + .minutes(5)
        try await queue.ingest(
            .failure("before", at: end + RetryRules.clockTolerance - .milliseconds(1)),
            .failure("behind", at: end + RetryRules.clockTolerance), at: start + .minutes(10))
        try await queue.gap(from: start, to: end)

        #expect(try await queue.tasks(of: [QueueFixture.endpoint: .whole]) == ["behind"])
    }

    @Test func `a delivery behind a gap is shown as waiting for it, and wants no timer`() async throws {
        try await queue.ingest(.failure("a", at: start), at: start)
        try await queue.gap(from: start - .hours(1), to: start + .minutes(5))

        #expect(
            try await queue.text("SELECT waits_for FROM delivery_standing WHERE task_id = 'a'")
                == "an unread part of the log")
        #expect(
            try await queue.store.nextWork(after: [QueueFixture.endpoint: .whole], rules: queue.rules, at: due)
                == NextWork())
    }

    @Test func `a gap that an operator freed holds nothing back`() async throws {
        try await queue.ingest(.failure("a", at: start), at: start)
        try await queue.gap(from: start - .hours(1), to: start + .minutes(5), freed: start)

        #expect(try await queue.tasks(of: [QueueFixture.endpoint: .whole]) == ["a"])
    }

    @Test func `the time for which a gap held it back does not count for a delivery's age`() async throws {
        try await queue.ingest(.failure("a", at: start), at: start)
        let before = try await queue.delivery("a").held.total(at: start)
        let progress = ScanProgress(
            started: start, unread: ScanRange(from: start - .hours(1), to: start), resumeURL: "/2", newestFirst: true)
        let gap = try await queue.ingest(progress: progress, at: start).gapID
        let read = start + .hours(5)

        try await queue.ingest(progress: ScanProgress(gapID: gap, started: start), at: read)

        // It came due a minute after its failure.
        #expect(try await queue.delivery("a").held.total(at: read) - before == .hours(5) - .minutes(1))
    }

    @Test func `an operator frees what was unread for a day, and nothing younger`() async throws {
        try await queue.ingest(.failure("a", at: start), at: start)
        try await queue.gap(from: start - .hours(1), to: start + .minutes(5))
        func resume(at now: Timestamp) async throws -> HoldChange {
            try await queue.store.resume(
                endpoint: QueueFixture.endpoint, freesGaps: true, by: "ann", reason: "x", rules: queue.rules, at: now)
        }
        try await queue.run("UPDATE scan_gap SET since_ms = ?", [start.milliseconds])

        #expect(try await resume(at: start + .hours(24) - .milliseconds(1)) == .needless)
        #expect(try await resume(at: start + .hours(24)) == .made)
        #expect(try await queue.tasks(of: [QueueFixture.endpoint: .whole]) == [])
        var reading = LogReading.whole
        reading.openings = try await queue.number("SELECT openings FROM endpoint WHERE id = 'ep-1'")
        #expect(try await queue.tasks(of: [QueueFixture.endpoint: reading]) == ["a"])
    }

    @Test func `an entry that says that the provider is still trying is read again until it ends`() async throws {
        let later = start + .hours(2)
        try await queue.ingest(.pending("slow", at: start), at: start)
        func reread() async throws -> Timestamp? {
            try await queue.store.scanPlan(
                of: QueueFixture.endpoint, overlap: .minutes(15), rereading: .none, rules: queue.rules, at: later
            ).rereadFrom
        }
        #expect(try await reread() == start - RetryRules.clockTolerance)
        #expect(try await queue.number("SELECT COUNT(*) FROM v_in_progress") == 1)

        try await queue.ingest(.failure("slow", at: start), at: later)

        #expect(try await queue.isKnown("slow"))
        #expect(try await queue.number("SELECT COUNT(*) FROM v_in_progress") == 0)
    }

    @Test func `a drain is not over while what is left of it waits for the log`() async throws {
        try await queue.ingest(.failure("a", at: start), at: start)
        try await queue.run("UPDATE endpoint SET circuit_limit = 1, recovered_ms = ?", [due.milliseconds])
        try await queue.gap(from: start - .hours(1), to: start + .minutes(5))

        #expect(try await queue.tasks(of: [QueueFixture.endpoint: .whole]) == [])
        #expect(try await queue.number("SELECT circuit_limit FROM endpoint WHERE id = 'ep-1'") == 1)
    }

    @Test func `silence about a call counts in spite of a gap that ends before the call`() async throws {
        try await queue.accepted("a", failed: start, called: start + .minutes(30))
        try await queue.gap(from: start - .hours(2), to: start - .hours(1))
        let over = start + .hours(2)
        try await queue.ingest(progress: ScanProgress(started: over), at: over)

        #expect(try await queue.settle(at: over).unconfirmed == 1)
    }

    // MARK: - Rows that change in place

    private func show(_ word: String) async throws {
        try await queue.run("UPDATE endpoint SET retry_shows = ?", [word])
    }

    private func reading(since: Timestamp, sinceOpening: Timestamp) -> [String: LogReading] {
        [QueueFixture.endpoint: LogReading(rowsSince: since, rowsSinceOpening: sinceOpening)]
    }

    @Test func `where rows change in place, a delivery's own row must have been read again`() async throws {
        try await queue.ingest(
            .failure("deep", at: start), .failure("near", at: start + .minutes(9)), at: start + .minutes(9))
        try await show("in_place")
        let read = reading(since: start + .minutes(5), sinceOpening: .distantPast)

        let batch = try await queue.claim(of: read)

        #expect(batch.deliveries.map(\.taskID) == ["near"])
        #expect(batch.unread == [QueueFixture.endpoint])
        let plan = try await queue.store.scanPlan(
            of: QueueFixture.endpoint, overlap: .minutes(15), rereading: .none, rules: queue.rules, at: due)
        #expect(plan.rereadFrom == start - RetryRules.clockTolerance)
    }

    @Test(arguments: ["new_entry", "unknown"])
    func `where rows do not change, or once while that is unknown, older rows need not be`(shows: String) async throws {
        try await queue.ingest(.failure("deep", at: start), at: start)
        try await show(shows)

        #expect(try await queue.tasks(of: reading(since: start + .minutes(5), sinceOpening: start)) == ["deep"])
    }

    @Test func `while it is unknown whether rows change, the row must have been read once`() async throws {
        try await queue.ingest(.failure("deep", at: start), at: start)
        let late = start + .minutes(5)

        #expect(try await queue.claim(of: reading(since: late, sinceOpening: late)).unread == [QueueFixture.endpoint])
        func reread(_ rows: Reread) async throws -> Timestamp? {
            try await queue.store.scanPlan(
                of: QueueFixture.endpoint, overlap: .minutes(15), rereading: rows, rules: queue.rules, at: due
            ).rereadFrom
        }
        #expect(
            try await reread(Reread(withOverlap: false, rowsSinceOpening: late))
                == start - RetryRules.clockTolerance)
        #expect(try await reread(Reread(withOverlap: false, rowsSinceOpening: start)) == nil)
    }

    @Test func `where the answer confirms, no row is read again`() async throws {
        try await queue.ingest(.failure("deep", at: start), at: start)
        try await show("in_place")
        let batch = try await queue.store.claimDue(
            of: reading(since: .distantFuture, sinceOpening: .distantFuture), limit: 10, lease: .seconds(60),
            rules: .exact(confirm: .answer), at: due)

        #expect(batch.deliveries.count == 1)
    }

    // MARK: - Pages

    @Test func `a scan ends where its page ends in an entry that was stored before`() async throws {
        let later = start + .minutes(1)
        let entry = LogObservation.failure("a", at: start)
        try await queue.ingest(entry, at: start)
        let unread = ScanRange(from: start - .hours(1), to: start)
        func progress(_ started: Timestamp) -> ScanProgress {
            ScanProgress(
                started: started, newest: start, unread: unread, resumeURL: "/2", newestFirst: true, stopsAtKnown: true)
        }

        #expect(
            try await queue.ingest(.failure("b", at: later), entry, progress: progress(later), at: later).gapID == nil)
        #expect(try await queue.ingest(.failure("c", at: later), progress: progress(later), at: later).gapID != nil)
    }

    @Test func `an entry that the same scan has stored does not end it`() async throws {
        let entry = LogObservation.failure("a", at: start)
        try await queue.ingest(entry, at: start)
        let progress = ScanProgress(
            started: start, unread: ScanRange(from: start - .hours(1), to: start), resumeURL: "/2", newestFirst: true,
            stopsAtKnown: true)

        #expect(try await queue.ingest(entry, progress: progress, at: start).gapID != nil)
    }
}
