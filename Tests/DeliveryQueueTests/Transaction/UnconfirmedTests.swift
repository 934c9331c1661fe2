import Testing

@testable import DeliveryQueue
@testable import QueueFixtures

/// What happens when the log stays silent about a call.
@Suite struct UnconfirmedTests {
    private let called = start + .minutes(1)
    /// The call is answered a second after it began; the log has ten minutes from then.
    private var deadline: Timestamp { called + .seconds(1) + .minutes(10) }
    private let queue: QueueFixture

    init() async throws {
        queue = try await QueueFixture()
    }

    @Test func `silence until the deadline, proven by a complete scan after it, uses an attempt`() async throws {
        try await queue.accepted("a", failed: start, called: called)
        let now = deadline + .seconds(5)
        try await queue.ingest(at: now)

        let summary = try await queue.settle(at: now)

        let delivery = try await queue.delivery("a")
        #expect(summary.unconfirmed == 1)
        #expect(delivery.state == .scheduled && delivery.attemptsUsed == 1)
        #expect(delivery.nextAttempt == now + .minutes(2))
        #expect(try await queue.texts("SELECT outcome FROM attempt") == ["unconfirmed"])
        #expect(try await queue.counter(Counter.unconfirmed) == 1)
    }

    @Test func `nothing is unconfirmed before its deadline`() async throws {
        try await queue.accepted("a", failed: start, called: called)
        try await queue.ingest(at: deadline - .milliseconds(1))

        #expect(try await queue.settle(at: deadline - .milliseconds(1)).unconfirmed == 0)
    }

    @Test func `a scan that began before the deadline proves no silence`() async throws {
        try await queue.accepted("a", failed: start, called: called)
        try await queue.ingest(
            progress: ScanProgress(started: deadline - .milliseconds(1)), at: deadline + .seconds(5))

        #expect(try await queue.settle(at: deadline + .minutes(9)).unconfirmed == 0)
    }

    @Test func `a scan that is not complete proves no silence`() async throws {
        try await queue.accepted("a", failed: start, called: called)
        let progress = ScanProgress(
            started: deadline, newest: called, unread: ScanRange(from: start, to: called), resumeURL: "/2",
            newestFirst: true)
        let gap = try #require(try await queue.ingest(progress: progress, at: deadline).gapID)
        #expect(try await queue.settle(at: deadline + .hours(9)).unconfirmed == 0)

        try await queue.ingest(progress: ScanProgress(gapID: gap, started: deadline), at: deadline + .hours(9))
        #expect(try await queue.settle(at: deadline + .hours(9)).unconfirmed == 1)
    }

    @Test func `a complete scan proves no silence while a gap is left that reaches the call`() async throws {
        try await queue.accepted("a", failed: start, called: called)
        try await queue.ingest(
            progress: ScanProgress(
                started: called, newest: called, unread: ScanRange(from: start - .hours(2), to: called)),
            at: called + .minutes(1))
        try await queue.ingest(at: deadline + .seconds(5))

        #expect(try await queue.settle(at: deadline + .hours(1)).unconfirmed == 0)
    }

    @Test func `the scan of another endpoint proves no silence`() async throws {
        try await queue.accepted("a", failed: start, called: called)
        try await queue.ingest(endpoint: QueueFixture.other, at: deadline + .seconds(5))

        #expect(try await queue.settle(at: deadline + .hours(1)).unconfirmed == 0)
    }

    @Test func `the last attempt unconfirmed ends dead by attempts`() async throws {
        let queue = try await QueueFixture(rules: .exact(.listed([.minutes(1)])))
        try await queue.accepted("a", failed: start, called: called)
        try await queue.ingest(at: deadline)
        try await queue.settle(at: deadline)

        #expect(try await queue.text("SELECT dead_reason FROM delivery") == "attempts")
    }

    // MARK: - Three in a row

    /// Calls each of the tasks, and lets the log stay silent about them.
    private func silence(
        _ tasks: String..., after meaning: Reply = .accepted, from: Timestamp, in queue: QueueFixture
    ) async throws -> SettleSummary {
        for task in tasks { try await queue.ingest(.failure(task, at: from), at: from) }
        for claimed in try await queue.claim(at: from + .minutes(1)) {
            try await queue.record(claimed, meaning, at: from + .minutes(1))
        }
        let late = from + .minutes(11)
        try await queue.ingest(at: late)
        return try await queue.settle(at: late)
    }

    @Test func `three different unconfirmed deliveries in a row hold the endpoint`() async throws {
        #expect(try await silence("a", "b", from: start, in: queue).held == [])
        let summary = try await silence("c", from: start + .minutes(20), in: queue)

        #expect(summary.held == [QueueFixture.endpoint])
        #expect(try await queue.holdReason() == "log_silent")
        #expect(try await queue.holdReason(QueueFixture.other) == nil)
        #expect(try await queue.claim(at: start + .days(2)).isEmpty)
        #expect(try await queue.store.nextDue(at: start + .days(2)) == nil)
    }

    @Test(arguments: [Reply.serverError, .uncertain])
    func `an outage that answers nothing useful uses no attempt, however long it lasts`(
        _ meaning: Reply
    ) async throws {
        try await queue.ingest(.failure("a", at: start), at: start)
        var now = start
        for _ in 0..<20 {
            now = try #require(try await queue.delivery("a").nextAttempt)
            try await queue.record(try await queue.claimOne(at: now), meaning, at: now)
            try await queue.ingest(at: now + .minutes(11))
            #expect(try await queue.settle(at: now + .minutes(11)).unconfirmed == 1)
        }
        #expect(try await queue.delivery("a").attemptsUsed == 0)
        #expect(try await queue.counter(Counter.unconfirmed) == 20)
    }

    @Test func `calls that may never have arrived do not hold the endpoint when the log is silent about them`()
        async throws
    {
        let summary = try await silence("a", "b", "c", "d", after: .uncertain, from: start, in: queue)

        #expect(summary.unconfirmed == 4)
        #expect(summary.held == [])
        #expect(try await queue.holdReason() == nil)
    }

    @Test func `one delivery that is unconfirmed three times does not hold the endpoint`() async throws {
        try await queue.ingest(.failure("a", at: start), at: start)
        for _ in 1...3 {
            let due = try #require(try await queue.delivery("a").nextAttempt)
            try await queue.record(queue.claimOne(at: due), .accepted, at: due)
            try await queue.ingest(at: due + .minutes(10))
            #expect(try await queue.settle(at: due + .minutes(10)).unconfirmed == 1)
        }

        #expect(try await queue.holdReason() == nil)
        #expect(try await queue.counter(Counter.unconfirmed) == 3)
    }

    @Test func `an outcome in the log between them breaks the row`() async throws {
        let queue = try await QueueFixture(rules: .exact(.listed([.minutes(1), .days(9)]), maxAge: .days(99)))
        #expect(try await silence("a", "b", from: start, in: queue).unconfirmed == 2)
        let later = start + .minutes(20)
        try await queue.accepted("c", failed: later, called: later + .minutes(1))
        try await queue.ingest(.failure("c", at: later + .minutes(2)), at: later + .minutes(3))

        #expect(try await silence("d", "e", from: start + .minutes(30), in: queue).held == [])
        #expect(try await silence("f", from: start + .minutes(50), in: queue).held == [QueueFixture.endpoint])
    }

    @Test func `a success in the log ends the hold`() async throws {
        _ = try await silence("a", "b", "c", from: start, in: queue)
        let now = start + .minutes(12)

        try await queue.ingest(.success("a", at: start + .minutes(1)), at: now)

        #expect(try await queue.holdReason() == nil)
        #expect(try await queue.claim(at: start + .hours(1)).map(\.taskID).sorted() == ["b", "c"])
    }

    @Test func `resume ends the hold, and it takes three more to bring it back`() async throws {
        let queue = try await QueueFixture(rules: .exact(.listed([.minutes(1), .days(9)]), maxAge: .days(99)))
        #expect(try await silence("a", "b", "c", from: start, in: queue).held == [QueueFixture.endpoint])

        let resumed = try await queue.store.resume(
            endpoint: QueueFixture.endpoint, by: "ann", reason: "log caught up", rules: queue.rules,
            at: start + .minutes(12))
        #expect(resumed == .made)
        #expect(try await queue.holdReason() == nil)
        let action = "SELECT who || ' ' || action || ' ' || reason FROM operator_action"
        #expect(try await queue.texts(action) == ["ann resume log caught up"])

        #expect(try await silence("d", "e", from: start + .minutes(20), in: queue).held == [])
        #expect(try await silence("f", from: start + .minutes(40), in: queue).held == [QueueFixture.endpoint])
    }

    @Test func `a log that never shows retries does not hold an endpoint that is confirmed by answers`() async throws {
        let queue = try await QueueFixture(rules: .exact(confirm: .answer))

        let summary = try await silence("a", "b", "c", "d", after: .uncertain, from: start, in: queue)

        #expect(summary.unconfirmed == 4)
        #expect(summary.held == [])
        #expect(try await queue.holdReason() == nil)
    }

    @Test func `an operator's hold is not replaced by silence`() async throws {
        try await queue.ingest(.failure("a", at: start), .failure("b", at: start), .failure("c", at: start), at: start)
        for claimed in try await queue.claim(at: called) { try await queue.record(claimed, .accepted, at: called) }
        try await queue.change(at: called) { try $0.hold(QueueFixture.endpoint, .operator, until: nil, since: called) }
        try await queue.ingest(at: deadline)
        let summary = try await queue.settle(at: deadline)

        #expect(summary.unconfirmed == 3)
        #expect(summary.held == [])
        #expect(try await queue.holdReason() == "operator")
    }

    @Test func `more deliveries than one transaction settles are all settled`() async throws {
        for index in 0..<620 {
            try await queue.ingest(.failure("t\(index)", at: start), at: start)
        }
        let claimed = try await queue.claim(limit: 1_000, at: called)
        let outcomes = claimed.map { queue.outcome(of: $0, .accepted, at: called) }
        _ = try await queue.store.record(outcomes, rules: queue.rules, at: called)
        try await queue.ingest(at: deadline)

        let summary = try await queue.settle(at: deadline)
        #expect(summary.unconfirmed == 620)
        #expect(summary.held == [QueueFixture.endpoint])
    }
}
