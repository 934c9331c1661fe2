import GRDB
import TestSupport
import Testing

@testable import DeliveryQueue
@testable import QueueFixtures

/// What a clock that was ahead has decided is judged again by the clock that is right.
@Suite struct PutRightTests {
    private let queue: QueueFixture
    private let history = start - .hours(72)

    init() async throws {
        queue = try await QueueFixture()
    }

    private func gaps() async throws -> [String] {
        try await queue.texts(
            "SELECT printf('%d %d %d', (from_ms - ?1) / 1000, (to_ms - ?1) / 1000, (since_ms - ?1) / 1000) FROM scan_gap",
            [start.milliseconds])
    }

    private func plan(at now: Timestamp) async throws -> ScanPlan {
        try await queue.store.scanPlan(
            of: QueueFixture.endpoint, overlap: .minutes(15), rereading: .none, rules: queue.rules, at: now)
    }

    @Test func `what a clock 100 days ahead took for too old becomes a delivery when the clock is right`() async throws
    {
        let (ahead, failure) = (start + .days(100), LogObservation.failure("t-1", at: start - .minutes(2)))
        try await queue.ingest(
            failure, progress: ScanProgress(started: ahead, newest: start - .minutes(2)), at: ahead)
        try await queue.store.recordPoll(of: QueueFixture.endpoint, error: nil, at: ahead)
        #expect(try await !queue.isKnown("t-1"))
        #expect(try await plan(at: start).wasReadAhead)

        let readsAgain = try await queue.store.putRight(
            QueueFixture.endpoint, historyFrom: history, rules: queue.rules, at: start)

        #expect(readsAgain)
        #expect(try await gaps() == ["-120 0 0"])
        #expect(try await queue.ingest(failure, at: start).new == 1)
        #expect(try await queue.number("SELECT too_old FROM endpoint WHERE id = 'ep-1'") == 0)
        #expect(try await !plan(at: start).wasReadAhead)
    }

    @Test func `a history that was to start in the future starts where the clock that is right has it`() async throws {
        let ahead = start + .days(5)
        try await queue.run("UPDATE endpoint SET history_from_ms = ?", [(history + .days(5)).milliseconds])
        let failure = LogObservation.failure("t-1", at: start - .hours(1))
        try await queue.ingest(
            failure, .success("t-2", at: start - .hours(2)),
            progress: ScanProgress(started: ahead, newest: start - .hours(1)), at: ahead)
        #expect(try await !queue.isKnown("t-1"))

        let readsAgain = try await queue.store.putRight(
            QueueFixture.endpoint, historyFrom: history, rules: queue.rules, at: start)

        #expect(readsAgain)
        #expect(try await gaps() == ["-259200 0 0"])
        #expect(
            try await queue.number("SELECT history_from_ms FROM endpoint WHERE id = 'ep-1'") == history.milliseconds)
        #expect(try await queue.texts("SELECT task_id FROM log_entry") == ["t-2"])
        #expect(try await queue.ingest(failure, at: start).new == 1)
    }

    @Test func `a clock that is behind what the log says puts nothing right`() async throws {
        try await queue.ingest(
            .failure("t-1", at: start), progress: ScanProgress(started: start, newest: start), at: start)
        try await queue.store.recordPoll(of: QueueFixture.endpoint, error: nil, at: start)

        #expect(try await !plan(at: start - .days(365)).wasReadAhead)
        #expect(try await !plan(at: start).wasReadAhead)
    }

    @Test func `a gap that such a clock began is read from the top, and an operator may free it after a day`()
        async throws
    {
        let unread = ScanRange(from: start - .hours(2), to: start - .hours(1))
        try await queue.ingest(
            progress: ScanProgress(
                started: start + .days(30), unread: unread, resumeURL: "https://provider.test/?page=2",
                newestFirst: true),
            at: start + .days(30))

        let readsAgain = try await queue.store.putRight(
            QueueFixture.endpoint, historyFrom: history, rules: queue.rules, at: start)

        #expect(!readsAgain)
        #expect(try await gaps() == ["-7200 -3600 0"])
        let gap = try #require(try await plan(at: start).gaps.first)
        #expect(gap.resumeURL == nil && gap.started == start && gap.isDue(at: start))
        let change = try await queue.store.resume(
            endpoint: QueueFixture.endpoint, freesGaps: true, by: "ann", reason: "test", rules: queue.rules,
            at: start + .days(1))
        guard case .made = change else { return #expect(Bool(false), "\(change)") }
    }

    @Test func `a hold that such a clock began does not stop the age of deliveries for ever`() async throws {
        try await queue.run("UPDATE endpoint SET stopped_ms = \((start + .days(3)).milliseconds) WHERE id = 'ep-1'")
        _ = try await queue.store.putRight(
            QueueFixture.endpoint, historyFrom: history, rules: queue.rules, at: start)

        #expect(try await queue.number("SELECT stopped_ms FROM endpoint WHERE id = 'ep-1'") == start.milliseconds)
    }

    @Test(arguments: [100, 0]) func `what such a clock has ended because of its age is scheduled again`(days: Int)
        async throws
    {
        try await queue.accepted("t-1", failed: start, called: start + .minutes(1))
        let ahead = start + .days(days) + .hours(80)
        try await queue.ingest(at: ahead)
        try await queue.settle(at: ahead)
        #expect(try await queue.texts("SELECT dead_reason FROM delivery") == ["age"])

        let right = days == 0 ? ahead : start + .hours(1)
        _ = try await queue.store.putRight(
            QueueFixture.endpoint, historyFrom: history, rules: queue.rules, at: right)

        let delivery = try await queue.delivery("t-1")
        #expect(delivery.state == (days == 0 ? .dead : .scheduled))
        #expect(delivery.nextAttempt == (days == 0 ? nil : right))
    }

    @Test func `a clock that was right leaves what is too old`() async throws {
        try await queue.ingest(
            .failure("t-1", at: history - .hours(1)), progress: ScanProgress(started: start, newest: start), at: start)

        #expect(try await queue.number("SELECT too_old FROM endpoint WHERE id = 'ep-1'") == 1)
        #expect(try await !plan(at: start + .hours(1)).wasReadAhead)
        #expect(
            try await !queue.store.putRight(
                QueueFixture.endpoint, historyFrom: history, rules: queue.rules, at: start + .hours(1)))
        #expect(try await queue.number("SELECT too_old FROM endpoint WHERE id = 'ep-1'") == 1)
    }

    @Test func `v_health says what was left out, and that a clock is to blame`() async throws {
        let now = Timestamp(milliseconds: try await queue.number("SELECT ms FROM clock"))
        try await queue.run("UPDATE endpoint SET last_poll_ms = ?, history_from_ms = ?", [now.milliseconds, 0])
        try await queue.run("UPDATE endpoint SET too_old = 3 WHERE id = 'ep-1'")
        let row = "SELECT ok || ' ' || value || ' ' || detail FROM v_health WHERE check_name = 'failures_left_out'"
        #expect(try await queue.text(row) == "1 3 first 3 logged before 1970-01-01T00:00:00Z, where its history starts")

        try await queue.run(
            "UPDATE endpoint SET last_poll_ms = ? WHERE id = 'ep-1'", [(now + .days(100)).milliseconds])

        #expect(
            try await queue.text(row)
                == "0 3 first 3 by a clock that is ahead; they are judged again when it is right")
    }
}
