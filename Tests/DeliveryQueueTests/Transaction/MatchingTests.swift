import GRDB
import Testing

@testable import DeliveryQueue
@testable import QueueFixtures

/// Which delivery an entry with an unknown task id belongs to.
@Suite struct MatchingTests {
    private let called = start + .minutes(1)
    private let queue: QueueFixture

    init() async throws {
        queue = try await QueueFixture()
    }

    private func retry(_ observation: LogObservation) async throws -> Delivery {
        try await queue.accepted("a", failed: start, called: called)
        try await queue.ingest(observation, at: called + .seconds(15))
        return try await queue.delivery("a")
    }

    @Test func `another body is another event`() async throws {
        #expect(try await retry(.success("n", of: "b", at: called + .seconds(2))).state == .awaiting)
    }

    @Test func `another customer is another event`() async throws {
        let entry = LogObservation.success("n", of: "a", at: called + .seconds(2), customer: "c-2")

        #expect(try await retry(entry).state == .awaiting)
    }

    @Test func `no customer is not any customer`() async throws {
        let entry = LogObservation.success("n", of: "a", at: called + .seconds(2), customer: nil)

        #expect(try await retry(entry).state == .awaiting)
    }

    @Test func `two entries without a customer match`() async throws {
        try await queue.ingest(.failure("a", at: start, customer: nil), at: start)
        let claimed = try await queue.claimOne(at: called)
        try await queue.record(claimed, .accepted, at: called)
        try await queue.ingest(
            .success("n", of: "a", at: called + .seconds(2), customer: nil), at: called + .seconds(15))

        #expect(try await queue.delivery("a").state == .delivered)
    }

    @Test func `another event type is another event`() async throws {
        let entry = LogObservation.success("n", of: "a", at: called + .seconds(2), type: "document_upload")

        #expect(try await retry(entry).state == .awaiting)
    }

    @Test func `another webhook is another event`() async throws {
        var entry = LogObservation.success("n", of: "a", at: called + .seconds(2))
        entry.webhookID = "w-2"

        #expect(try await retry(entry).state == .awaiting)
    }

    @Test func `another endpoint's log says nothing about a delivery`() async throws {
        try await queue.accepted("a", failed: start, called: called)
        try await queue.ingest(
            .success("n", of: "a", at: called + .seconds(2)), .success("a", at: called + .seconds(2)),
            endpoint: QueueFixture.other, at: called + .seconds(15))

        #expect(try await queue.delivery("a").state == .awaiting)
    }

    @Test func `an entry from before the call is another event`() async throws {
        let delivery = try await retry(.failure("n", of: "a", at: called - .seconds(11)))

        #expect(delivery.state == .awaiting)
        #expect(try await queue.isKnown("n"))
        #expect(try await queue.number("SELECT COUNT(*) FROM delivery") == 2)
    }

    @Test func `of two waiting calls the older one gets the first entry`() async throws {
        try await queue.ingest(
            .failure("a", of: "same", at: start), .failure("b", of: "same", at: start + .seconds(30)),
            at: start + .seconds(30))
        for now in [called, called + .seconds(30)] {
            try await queue.record(queue.claimOne(at: now), .accepted, at: now)
        }

        try await queue.ingest(
            .success("n1", of: "same", at: called + .seconds(40)), at: called + .seconds(45))
        #expect(try await queue.delivery("a").state == .delivered)
        #expect(try await queue.delivery("b").state == .awaiting)

        try await queue.ingest(
            .success("n2", of: "same", at: called + .seconds(41)), at: called + .seconds(60))
        #expect(try await queue.delivery("b").state == .delivered)
    }

    @Test func `a named task id wins over a match`() async throws {
        try await queue.ingest(
            .failure("a", of: "same", at: start), .failure("b", of: "same", at: start + .seconds(30)),
            at: start + .seconds(30))
        try await queue.record(queue.claimOne(at: called), .accepted, at: called)
        try await queue.record(
            queue.claimOne(at: called + .seconds(30)), .accepted, naming: "n", at: called + .seconds(31))

        try await queue.ingest(.success("n", of: "same", at: called + .seconds(32)), at: called + .seconds(45))
        #expect(try await queue.delivery("b").state == .delivered)
        #expect(try await queue.delivery("a").state == .awaiting)
    }

    @Test func `a task id that was matched once stays with its delivery`() async throws {
        _ = try await retry(.failure("n", of: "a", at: called + .seconds(2)))

        try await queue.ingest(.failure("n", of: "a", at: called + .seconds(30)), at: called + .seconds(45))
        try await queue.ingest(.success("n", of: "a", at: called + .seconds(60)), at: called + .seconds(75))

        #expect(try await queue.number("SELECT COUNT(*) FROM delivery") == 1)
        #expect(try await queue.delivery("a").state == .delivered)
    }

    @Test func `a retry that is logged after the provider's own failure is no second delivery`() async throws {
        try await queue.accepted("a", failed: start, called: called)
        try await queue.ingest(.failure("a", at: called + .seconds(2)), at: called + .seconds(15))
        try await queue.ingest(.failure("n", of: "a", at: called + .seconds(3)), at: called + .seconds(30))
        #expect(try await queue.number("SELECT COUNT(*) FROM delivery") == 1)

        // One call leaves one task id behind: a further one is an event of its own.
        try await queue.ingest(.failure("m", of: "a", at: called + .seconds(4)), at: called + .seconds(45))
        #expect(try await queue.number("SELECT COUNT(*) FROM delivery") == 2)
    }

    /// As on a newest-first page: our retry failed, then the provider's own attempt arrived.
    @Test func `a retry that failed before the provider's own attempt arrived is no second delivery`() async throws {
        try await queue.accepted("a", failed: start, called: called)
        try await queue.ingest(
            .success("a", at: called + .minutes(2)), .failure("n", of: "a", at: called + .seconds(3)),
            at: called + .minutes(3))
        #expect(try await queue.texts("SELECT task_id || ' ' || state FROM delivery") == ["a delivered"])

        // A failure after the arrival is an event of its own, and so is one that no call can have left behind.
        try await queue.ingest(
            .failure("m", of: "a", at: called + .minutes(4)), .failure("l", of: "a", at: called + .seconds(4)),
            at: called + .minutes(5))
        #expect(try await queue.texts("SELECT task_id FROM delivery ORDER BY task_id") == ["a", "l", "m"])
    }

    @Test(arguments: [(hours: 23, tasks: ["a"]), (hours: 25, tasks: ["a", "n"])])
    func `the entry that a call of a final delivery left behind is known for a day`(
        hours: Int, tasks: [String]
    ) async throws {
        try await queue.accepted("a", failed: start, called: called)
        try await queue.ingest(.success("a", at: called + .minutes(2)), at: called + .minutes(3))
        try await queue.ingest(.failure("n", of: "a", at: called + .seconds(3)), at: called + .hours(hours))
        #expect(try await queue.texts("SELECT task_id FROM delivery ORDER BY task_id") == tasks)
    }

    @Test func `a retry that failed before the provider's own attempt ended its delivery is no second delivery`()
        async throws
    {
        let queue = try await QueueFixture(rules: .exact(.listed([.minutes(1)])))
        try await queue.accepted("a", failed: start, called: called)
        try await queue.ingest(
            .failure("a", at: called + .minutes(2)), .failure("n", of: "a", at: called + .seconds(3)),
            at: called + .minutes(3))
        #expect(try await queue.texts("SELECT task_id || ' ' || dead_reason FROM delivery") == ["a attempts"])
    }

    @Test func `matching never reads all deliveries of an endpoint`() async throws {
        let plans = try await queue.store.pool.read { db in
            try [Matching.waiting, Matching.unconfirmed, Matching.failed, Matching.ended].map { sql in
                try ViewPlan.lines(db, sql).joined(separator: "; ")
            }
        }

        let indexes = ["delivery_waiting", "attempt_unconfirmed", "delivery_event", "delivery_customer"]
        for (plan, index) in zip(plans, indexes) {
            #expect(plan.contains("SCAN") == false && plan.contains("INDEX \(index) ("), "\(plan)")
        }
    }

    // MARK: - A log that lags behind the deadline

    /// A retry of `a` about which the log was silent for ten minutes.
    private func unconfirmed() async throws -> Timestamp {
        try await queue.accepted("a", failed: start, called: called)
        let late = called + .minutes(11)
        try await queue.ingest(at: late)
        #expect(try await queue.settle(at: late).unconfirmed == 1)
        return late
    }

    @Test func `a late failure under a silent new task id is no second delivery`() async throws {
        let late = try await unconfirmed()

        try await queue.ingest(.failure("n", of: "a", at: called + .seconds(2)), at: late + .seconds(15))

        #expect(try await queue.number("SELECT COUNT(*) FROM delivery") == 1)
        #expect(try await queue.delivery("a").attemptsUsed == 1)
    }

    @Test func `a late success under a silent new task id settles the delivery`() async throws {
        let late = try await unconfirmed()

        try await queue.ingest(.success("n", of: "a", at: called + .seconds(2)), at: late + .seconds(15))

        #expect(try await queue.delivery("a").state == .delivered)
        #expect(try await queue.texts("SELECT outcome FROM attempt") == ["delivered"])
    }

    @Test func `a late success under a named task id settles even a dead delivery`() async throws {
        let queue = try await QueueFixture(rules: .exact(.listed([.minutes(1)])))
        try await queue.accepted("a", failed: start, called: called, naming: "n")
        let late = called + .minutes(11)
        try await queue.ingest(at: late)
        try await queue.settle(at: late)
        #expect(try await queue.delivery("a").state == .dead)

        try await queue.ingest(.success("n", at: called + .seconds(2)), at: late + .seconds(15))

        #expect(try await queue.delivery("a").state == .delivered)
        #expect(try await queue.text("SELECT delivered_by FROM delivery") == "worker")
    }

    @Test func `a late failure under our own task id uses no further attempt`() async throws {
        let late = try await unconfirmed()

        try await queue.ingest(.failure("a", at: called + .seconds(2)), at: late + .seconds(15))

        let delivery = try await queue.delivery("a")
        #expect(delivery.attemptsUsed == 1)
        #expect(delivery.state == .scheduled)
    }
}
