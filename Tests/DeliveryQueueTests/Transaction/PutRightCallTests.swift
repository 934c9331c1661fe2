import TestSupport
import Testing

@testable import DeliveryQueue
@testable import QueueFixtures

/// Calls that were made by a clock that was ahead are settled by what the log says, once the clock is right.
@Suite struct PutRightCallTests {
    /// How the log shows a retry.
    enum Trace: CaseIterable {
        case newTaskID, newRow, inPlace
    }

    /// When the outcome is read: only by the clock that is right, or before by the one that is ahead, too.
    struct Case: CustomTestStringConvertible {
        let trace: Trace
        let ahead: Duration
        let isReadAhead: Bool
        var testDescription: String { "\(trace), \(ahead) ahead, \(isReadAhead ? "read twice" : "read once")" }

        static let all = Trace.allCases.flatMap { trace in
            [Duration.days(100), .days(2)].flatMap { ahead in
                [false, true].map { Case(trace: trace, ahead: ahead, isReadAhead: $0) }
            }
        }
    }

    private let queue: QueueFixture
    private let failed = start - .minutes(5)
    private let logged = start + .seconds(3)
    private let right = start + .seconds(30)

    init() async throws {
        queue = try await QueueFixture()
    }

    private func outcome(_ outcome: LogOutcome, _ trace: Trace) -> LogObservation {
        switch trace {
        case .newTaskID: .entry("t-1b", outcome, of: "t-1", at: logged)
        case .newRow: .entry("t-1", outcome, at: logged)
        case .inPlace: .entry("t-1", outcome, at: failed, changed: logged)
        }
    }

    /// Makes a call at `start` while the clock is ahead, lets the clock be put right, and the log be read again.
    private func play(_ end: LogOutcome, _ it: Case) async throws {
        let entry = outcome(end, it.trace)
        try await queue.ingest(
            .failure("t-1", at: failed), progress: ScanProgress(started: failed, newest: failed), at: failed)
        let claimed = try await queue.claimOne(at: start + it.ahead)
        try await queue.record(claimed, .accepted, at: start + it.ahead + .seconds(1))
        if it.isReadAhead {
            let seen = logged + .seconds(2) + it.ahead
            try await queue.ingest(
                entry, .failure("t-1", at: failed), progress: ScanProgress(started: seen, newest: logged), at: seen)
        }
        #expect(try await plan().wasReadAhead)

        let readsAgain = try await queue.store.putRight(
            QueueFixture.endpoint, historyFrom: start - .hours(72), rules: queue.rules, at: right)

        #expect(try await !plan().wasReadAhead)
        let isOver = try await queue.delivery("t-1").state == .delivered
        #expect(readsAgain || !it.isReadAhead || isOver)
        try await queue.ingest(
            entry, .failure("t-1", at: failed), progress: ScanProgress(started: right, newest: logged), at: right)
    }

    private func plan() async throws -> ScanPlan {
        try await queue.store.scanPlan(
            of: QueueFixture.endpoint, overlap: .minutes(15), rereading: .none, rules: queue.rules, at: right)
    }

    private func attempts() async throws -> [String] {
        try await queue.texts("SELECT coalesce(outcome, 'open') FROM attempt ORDER BY id")
    }

    @Test(arguments: Case.all)
    func `a success of a call that was made ahead delivers it once the clock is right`(_ it: Case) async throws {
        try await play(.succeeded, it)

        #expect(try await queue.delivery("t-1").state == .delivered)
        // Read ahead under its own task id, the success delivers at once, and is not taken for the call's.
        let isByProvider = it.isReadAhead && it.trace != .newTaskID
        #expect(try await attempts() == [isByProvider ? "unconfirmed" : "delivered"])
        #expect(try await queue.claim(at: right + .days(1)).isEmpty)
        #expect(try await queue.number("SELECT COUNT(*) FROM delivery") == 1)
    }

    @Test(arguments: Case.all)
    func `a failure of a call that was made ahead ends it at once and once`(_ it: Case) async throws {
        try await play(.failed, it)

        let delivery = try await queue.delivery("t-1")
        #expect(delivery.state == .scheduled && delivery.attemptsUsed == 1)
        #expect(try await attempts() == ["failed"])
        #expect(try await queue.number("SELECT COUNT(*) FROM delivery") == 1)
        // Once more changes nothing.
        let before = try await queue.dump()
        try await queue.ingest(outcome(.failed, it.trace), .failure("t-1", at: failed), at: right)
        #expect(try await queue.delivery("t-1") == delivery)
        #expect(try await attempts() == ["failed"])
        #expect(try await queue.dump().count == before.count)
    }

    @Test func `a success is taken for a call that ended unconfirmed while the clock was ahead`() async throws {
        let ahead = start + .days(1)
        try await queue.accepted("t-1", failed: failed, called: ahead)
        try await queue.ingest(progress: ScanProgress(started: ahead + .minutes(11)), at: ahead + .minutes(11))
        #expect(try await queue.settle(at: ahead + .minutes(11)).unconfirmed == 1)
        let now = start + .minutes(12)

        _ = try await queue.store.putRight(
            QueueFixture.endpoint, historyFrom: start - .hours(72), rules: queue.rules, at: now)
        // Its next attempt waits as long as it was to wait, and not until that clock's time has come.
        #expect(try await queue.delivery("t-1").nextAttempt ?? .distantFuture < now + .hours(12))
        try await queue.ingest(outcome(.succeeded, .newTaskID), at: now)

        #expect(try await queue.delivery("t-1").state == .delivered)
        #expect(try await attempts() == ["delivered"])
    }

    @Test func `a call that was in flight is called by no time in the future`() async throws {
        let ahead = start + .days(100)
        try await queue.ingest(.failure("t-1", at: failed), at: failed)
        let claimed = try await queue.claimOne(at: ahead)

        _ = try await queue.store.putRight(
            QueueFixture.endpoint, historyFrom: start - .hours(72), rules: queue.rules, at: right)

        let called = try #require(try await queue.delivery("t-1").called)
        #expect(called >= failed && called <= right)
        #expect(
            try await queue.number("SELECT lease_until_ms FROM delivery") == (right + .seconds(60)).milliseconds)
        try await queue.record(claimed, .accepted, at: right + .seconds(1))
        try await queue.ingest(outcome(.succeeded, .newTaskID), at: right + .seconds(2))
        #expect(try await attempts() == ["delivered"])
    }

    @Test func `a failure that was read before the call does not end it`() async throws {
        let ahead = start + .days(2)
        try await queue.ingest(
            .failure("t-1", at: failed), progress: ScanProgress(started: ahead, newest: failed), at: ahead)
        try await queue.record(try await queue.claimOne(at: ahead + .hours(1)), .accepted, at: ahead + .hours(1))

        _ = try await queue.store.putRight(
            QueueFixture.endpoint, historyFrom: start - .hours(72), rules: queue.rules, at: right)
        try await queue.ingest(.failure("t-1", at: failed), at: right)

        #expect(try await queue.delivery("t-1").state == .awaiting)
        #expect(
            try await queue.number("SELECT confirm_by_ms FROM delivery") == (right + .minutes(10)).milliseconds)
    }
}
