import Testing

@testable import DeliveryQueue
@testable import QueueFixtures

/// The four ways in which a log shows the outcome of a retry.
@Suite struct ConfirmationTests {
    /// How the provider's log shows a retry.
    enum Way: String, CaseIterable, CustomTestStringConvertible {
        case sameTask = "a new row under the same task id"
        case named = "a new task id that the answer named"
        case silent = "a new task id that nothing names"
        case inPlace = "the row changed in place, with the time of the change"

        var testDescription: String { rawValue }

        /// The entry for the retry of `a`, which failed at `start`.
        func entry(_ outcome: LogOutcome, at time: Timestamp) -> LogObservation {
            switch self {
            case .sameTask: .entry("a", outcome, at: time)
            case .named: .entry("named", outcome, of: "a", at: time)
            case .silent: .entry("silent", outcome, of: "a", at: time)
            case .inPlace: .entry("a", outcome, at: start, changed: time)
            }
        }

        var name: String? { self == .named ? "named" : nil }
        var taskID: String {
            switch self {
            case .sameTask, .inPlace: "a"
            case .named: "named"
            case .silent: "silent"
            }
        }
    }

    private let called = start + .minutes(1)
    private let queue: QueueFixture

    init() async throws {
        queue = try await QueueFixture()
    }

    // MARK: - Success

    @Test(arguments: Way.allCases)
    func `a success proves the delivery as the worker's`(way: Way) async throws {
        try await queue.accepted("a", failed: start, called: called, naming: way.name)

        let summary = try await queue.ingest(
            way.entry(.succeeded, at: called + .seconds(3)), at: called + .seconds(15))

        #expect(summary.delivered == 1)
        #expect(try await queue.delivery("a").state == .delivered)
        #expect(
            try await queue.texts(
                "SELECT delivered_by || ' ' || delivered_evidence || ' ' || delivered_task_id FROM delivery")
                == ["worker log \(way.taskID)"])
        #expect(try await queue.texts("SELECT outcome FROM attempt") == ["delivered"])
        #expect(try await queue.claim(at: start + .days(2)).isEmpty)
    }

    @Test(arguments: Way.allCases)
    func `a success that is read before the answer settles the delivery, and the answer changes nothing`(
        way: Way
    ) async throws {
        try await queue.ingest(.failure("a", at: start), at: start)
        let claimed = try await queue.claimOne(at: called)

        try await queue.ingest(way.entry(.succeeded, at: called + .seconds(1)), at: called + .seconds(2))
        try await queue.record(claimed, .accepted, naming: way.name, at: called + .seconds(3))

        #expect(try await queue.delivery("a").state == .delivered)
        #expect(try await queue.texts("SELECT outcome || ' ' || answer FROM attempt") == ["delivered accepted"])
        #expect(try await queue.counter(Counter.finalized, "profile_update", "delivered") == 1)
        #expect(try await queue.claim(at: start + .days(2)).isEmpty)
    }

    @Test func `a row changed in place that keeps its time proves the delivery as the worker's`() async throws {
        try await queue.accepted("a", failed: start, called: called)

        try await queue.ingest(.success("a", at: start), at: called + .seconds(15))

        #expect(try await queue.text("SELECT delivered_by FROM delivery") == "worker")
        #expect(try await queue.texts("SELECT outcome FROM attempt") == ["delivered"])
        #expect(try await queue.text("SELECT retry_shows FROM endpoint WHERE id = 'ep-1'") == "in_place")
    }

    @Test func `a success without any time proves the delivery as the worker's`() async throws {
        try await queue.accepted("a", failed: start, called: called)

        try await queue.ingest(.success("a", at: nil), at: called + .seconds(15))

        #expect(try await queue.text("SELECT delivered_by FROM delivery") == "worker")
    }

    @Test func `a success from before the call is the provider's own`() async throws {
        try await queue.accepted("a", failed: start, called: called)

        try await queue.ingest(.success("a", at: called - .seconds(11)), at: called + .seconds(15))

        #expect(try await queue.text("SELECT delivered_by FROM delivery") == "provider")
        #expect(try await queue.delivery("a").state == .delivered)
    }

    // MARK: - Failure

    @Test(arguments: Way.allCases)
    func `a failed retry is the same delivery and uses one attempt`(way: Way) async throws {
        try await queue.accepted("a", failed: start, called: called, naming: way.name)
        let failed = called + .seconds(3)

        let summary = try await queue.ingest(way.entry(.failed, at: failed), at: called + .seconds(15))

        let delivery = try await queue.delivery("a")
        #expect(summary.failedAgain == 1 && summary.new == 0)
        #expect(try await queue.number("SELECT COUNT(*) FROM delivery") == 1)
        #expect(delivery.state == .scheduled)
        #expect(delivery.attemptsUsed == 1)
        #expect(delivery.nextAttempt == failed + .minutes(2))
        #expect(delivery.lastFailed == failed && delivery.firstFailed == start)
        #expect(try await queue.texts("SELECT outcome FROM attempt") == ["failed"])
    }

    @Test(arguments: Way.allCases)
    func `a failure that is read before the answer is settled by the answer`(way: Way) async throws {
        try await queue.ingest(.failure("a", at: start), at: start)
        let claimed = try await queue.claimOne(at: called)
        let failed = called + .seconds(1)

        try await queue.ingest(way.entry(.failed, at: failed), at: called + .seconds(2))
        #expect(try await queue.delivery("a").state == .attempting)
        try await queue.record(claimed, .accepted, naming: way.name, at: called + .seconds(3))

        let delivery = try await queue.delivery("a")
        #expect(try await queue.number("SELECT COUNT(*) FROM delivery") == 1)
        #expect(delivery.state == .scheduled)
        #expect(delivery.attemptsUsed == 1)
        #expect(delivery.nextAttempt == failed + .minutes(2))
        #expect(try await queue.texts("SELECT outcome FROM attempt") == ["failed"])
    }

    @Test(arguments: Way.allCases)
    func `fourteen failed retries end dead as one delivery, whatever the log shows them as`(way: Way) async throws {
        try await queue.ingest(.failure("a", at: start), at: start)

        for number in 1...14 {
            let due = try #require(try await queue.delivery("a").nextAttempt)
            let claimed = try await queue.claimOne(at: due)
            let task = way == .sameTask || way == .inPlace ? "a" : "retry-\(number)"
            try await queue.record(claimed, .accepted, naming: way == .named ? task : nil, at: due + .seconds(1))
            let logged = due + .seconds(2)
            let entry =
                way == .inPlace
                ? LogObservation.failure("a", at: start, changed: logged) : .failure(task, of: "a", at: logged)
            try await queue.ingest(entry, at: due + .seconds(15))
            #expect(try await queue.delivery("a").attemptsUsed == number)
        }

        #expect(try await queue.texts("SELECT state || ' ' || dead_reason FROM delivery") == ["dead attempts"])
        #expect(try await queue.counter(Counter.finalized, "profile_update", "dead") == 1)
    }

    @Test func `the failure that brought the delivery here is never taken for a failed retry`() async throws {
        // Found and called at the same time, because its first delay is short or its failure long past.
        let rules = RetryRules.exact(.listed([.seconds(1), .hours(1)]))
        let queue = try await QueueFixture(rules: rules)
        let now = start + .seconds(2)
        try await queue.ingest(.failure("a", at: start), at: now)
        let claimed = try await queue.claimOne(at: now)

        try await queue.record(claimed, .accepted, at: now + .seconds(1))

        #expect(try await queue.delivery("a").state == .awaiting)
        #expect(try await queue.delivery("a").attemptsUsed == 0)
    }

    @Test func `a failure from before the call does not settle it`() async throws {
        try await queue.accepted("a", failed: start, called: called)

        let summary = try await queue.ingest(
            .failure("a", at: called - .seconds(11)), at: called + .seconds(15))

        #expect(summary.failedAgain == 0)
        #expect(try await queue.delivery("a").state == .awaiting)
    }

    @Test func `a log of whole seconds that lies a little behind our clock still belongs to the call`() async throws {
        try await queue.accepted("a", failed: start, called: called + .milliseconds(900))

        let summary = try await queue.ingest(.failure("a", at: called), at: called + .seconds(15))

        #expect(summary.failedAgain == 1)
        // The wait counts from the call, which is the later of the two.
        #expect(try await queue.delivery("a").nextAttempt == called + .milliseconds(900) + .minutes(2))
    }

    // MARK: - In progress, and what the endpoint's log is like

    @Test func `an entry in progress extends the wait for the log`() async throws {
        try await queue.accepted("a", failed: start, called: called)
        #expect(try await queue.delivery("a").confirmBy == called + .seconds(1) + .minutes(10))

        try await queue.ingest(.pending("a", at: called + .seconds(2)), at: called + .minutes(5))
        #expect(try await queue.delivery("a").confirmBy == called + .minutes(15))
        #expect(try await queue.delivery("a").state == .awaiting)
    }

    @Test func `an entry that is still in progress when it is read again is no silence, for a day`() async throws {
        try await queue.accepted("a", failed: start, called: called)
        let pending = LogObservation.pending("a", at: called + .seconds(2))

        for minutes in stride(from: 5, through: 60, by: 5) {
            try await queue.ingest(pending, at: called + .minutes(minutes))
            #expect(try await queue.settle(at: called + .minutes(minutes)).unconfirmed == 0)
        }
        #expect(try await queue.delivery("a").state == .awaiting)

        try await queue.ingest(pending, at: called + .hours(25))
        #expect(try await queue.settle(at: called + .hours(25)).unconfirmed == 1)
    }

    @Test func `an entry in progress under a silent new task id leads its outcome to the delivery`() async throws {
        try await queue.accepted("a", failed: start, called: called)

        try await queue.ingest(.pending("n", of: "a", at: called + .seconds(2)), at: called + .seconds(15))
        var outcome = LogObservation.success("n", at: called + .minutes(3))
        outcome.body = nil
        try await queue.ingest(outcome, at: called + .minutes(4))

        #expect(try await queue.delivery("a").state == .delivered)
    }

    @Test(arguments: Way.allCases)
    func `the way in which a log shows retries is learned`(way: Way) async throws {
        try await queue.accepted("a", failed: start, called: called, naming: way.name)
        try await queue.ingest(way.entry(.succeeded, at: called + .seconds(3)), at: called + .seconds(15))

        let learned = try await queue.text("SELECT retry_shows FROM endpoint WHERE id = 'ep-1'")
        #expect(learned == (way == .inPlace ? "in_place" : "new_entry"))
    }
}
