import Testing

@testable import DeliveryQueue
@testable import QueueFixtures

@Suite struct RecordTests {
    private let called = start + .minutes(1)
    private let answered = start + .minutes(1) + .seconds(1)
    private let queue: QueueFixture

    init() async throws {
        queue = try await QueueFixture()
    }

    private func call(_ task: String = "a") async throws -> ClaimedDelivery {
        try await queue.ingest(.failure(task, at: start), at: start)
        return try await queue.claimOne(at: called)
    }

    // MARK: - What an answer does to the delivery

    @Test(arguments: [
        (Reply.accepted, DeliveryState.awaiting, "-", 0),
        (.uncertain, .awaiting, "-", 0),
        (.serverError, .awaiting, "-", 0),
        (.notExecuted(pause: .seconds(30)), .scheduled, "not_executed", 0),
        (.notFound, .scheduled, "not_executed", 0),
        (.redirected, .scheduled, "not_executed", 0),
        (.deliveryForbidden, .scheduled, "not_executed", 0),
        (.rejected, .dead, "refused", 1),
    ])
    func `each answer moves the delivery and closes the attempt, or leaves it to the log`(
        reply: Reply, state: DeliveryState, outcome: String, used: Int
    ) async throws {
        let summary = try await queue.record(call(), reply, at: answered)

        let delivery = try await queue.delivery("a")
        #expect(delivery.state == state && delivery.attemptsUsed == used)
        #expect(try await queue.texts("SELECT coalesce(outcome, '-') FROM attempt") == [outcome])
        #expect(
            try await queue.texts("SELECT answer || ' ' || answered_ms FROM attempt")
                == ["\(reply.answer.rawValue) \(answered.milliseconds)"])
        #expect(summary.recorded == 1 && summary.late == 0)
        #expect(try await queue.counter(Counter.retryRequests, reply.answer.rawValue) == 1)
    }

    @Test func `an answer's status, detail and named task are kept on the attempt`() async throws {
        let claimed = try await call()
        let outcome = CallResult(
            deliveryID: claimed.id, leaseToken: claimed.leaseToken, answer: .rejected, status: 422,
            namedTaskID: "n", detail: "no such event", duration: .milliseconds(700), answered: answered)
        _ = try await queue.store.record([outcome], rules: queue.rules, at: answered)

        #expect(
            try await queue.texts("SELECT http_status || ' ' || named_task_id || ' ' || detail FROM attempt")
                == ["422 n no such event"])
        #expect(try await queue.counter(Counter.requestDuration, "1") == 1)
        #expect(try await queue.counter(Counter.requestDuration, "sum") == 700)
    }

    @Test func `a 2xx settles the delivery where answers confirm`() async throws {
        let queue = try await QueueFixture(rules: .exact(confirm: .answer))
        try await queue.ingest(.failure("a", at: start), at: start)
        let summary = try await queue.record(queue.claimOne(at: called), .accepted, at: answered)

        #expect(summary.accepted == 1)
        #expect(
            try await queue.texts(
                "SELECT state || ' ' || delivered_by || ' ' || delivered_evidence || coalesce(delivered_task_id, '') FROM delivery"
            )
                == ["delivered worker answer"])
        #expect(try await queue.texts("SELECT outcome FROM attempt") == ["delivered"])
    }

    @Test func `a refused connection a hundred times uses no attempt`() async throws {
        try await queue.ingest(.failure("a", at: start), at: start)
        for index in 0..<100 {
            let now = called + .minutes(index)
            try await queue.record(queue.claimOne(at: now), .notExecuted(pause: .minutes(1)), at: now)
        }

        let delivery = try await queue.delivery("a")
        #expect(delivery.state == .scheduled && delivery.attemptsUsed == 0)
        #expect(try await queue.texts("SELECT DISTINCT number || outcome FROM attempt") == ["1not_executed"])
    }

    @Test func `a 404 is asked once more after an hour and is final then`() async throws {
        try await queue.record(call(), .notFound, at: answered)
        #expect(try await queue.delivery("a").nextAttempt == answered + .hours(1))

        let again = try await queue.claimOne(at: answered + .hours(1))
        try await queue.record(again, .notFound, at: answered + .hours(1))
        #expect(try await queue.text("SELECT dead_reason FROM delivery") == "rejected")
    }

    @Test func `a 404 before an accepted call does not count against the next one`() async throws {
        try await queue.record(call(), .notFound, at: answered)
        let second = start + .hours(2)
        try await queue.record(queue.claimOne(at: second), .accepted, at: second)
        try await queue.ingest(.failure("a", at: second + .seconds(1)), at: second + .seconds(2))

        let third = start + .hours(3)
        try await queue.record(queue.claimOne(at: third), .notFound, at: third)
        #expect(try await queue.delivery("a").state == .scheduled)
    }

    // MARK: - Poison

    /// Calls `a` until it has answered 5xx `count` times; the log shows each as failed.
    private func serverErrors(_ count: Int, in queue: QueueFixture) async throws {
        for _ in 1...count {
            let due = try #require(try await queue.delivery("a").nextAttempt)
            let claimed = try #require(try await queue.claim(at: due).first { $0.taskID == "a" })
            try await queue.record(claimed, .serverError, at: due + .seconds(1))
            guard try await queue.delivery("a").state == .awaiting else { return }
            try await queue.ingest(.failure("a", at: due + .seconds(2)), at: due + .seconds(3))
        }
    }

    @Test func `five 5xx for one delivery while another passes are poison`() async throws {
        try await queue.ingest(.failure("a", at: start), at: start)
        try await serverErrors(2, in: queue)
        let other = start + .minutes(5)
        try await queue.ingest(.failure("b", at: start + .minutes(4)), at: start + .minutes(4))
        let claimed = try #require(try await queue.claim(at: other).first { $0.taskID == "b" })
        try await queue.record(claimed, .accepted, at: other)
        try await serverErrors(2, in: queue)
        #expect(try await queue.delivery("a").state == .scheduled)

        try await serverErrors(1, in: queue)
        #expect(try await queue.text("SELECT dead_reason FROM delivery WHERE task_id = 'a'") == "poison")
    }

    @Test func `5xx are not poison while nothing passes`() async throws {
        try await queue.ingest(.failure("a", at: start), at: start)
        try await serverErrors(8, in: queue)

        #expect(try await queue.delivery("a").state == .scheduled)
        #expect(try await queue.delivery("a").serverErrors == 8)
    }

    @Test func `what passed before the first 5xx proves nothing`() async throws {
        try await queue.accepted("b", failed: start - .minutes(5), called: start - .minutes(4))
        try await queue.ingest(.failure("a", at: start), at: start)
        try await serverErrors(6, in: queue)

        #expect(try await queue.delivery("a").state == .scheduled)
    }

    @Test func `an accepted call begins the count of 5xx anew`() async throws {
        try await queue.ingest(.failure("a", at: start), at: start)
        try await serverErrors(4, in: queue)
        let due = try #require(try await queue.delivery("a").nextAttempt)
        try await queue.record(queue.claimOne(at: due), .accepted, at: due)

        #expect(try await queue.delivery("a").serverErrors == 0)
        #expect(try await queue.delivery("a").serverErrorsSince == nil)
    }

    @Test func `an operator's resume is not a delivery that passed`() async throws {
        try await queue.ingest(.failure("a", at: start), at: start)
        try await serverErrors(4, in: queue)
        let due = try #require(try await queue.delivery("a").nextAttempt)
        _ = try await queue.store.pause(
            endpoint: QueueFixture.endpoint, by: "ann", reason: "x", at: due - .milliseconds(2))
        let resumed = try await queue.store.resume(
            endpoint: QueueFixture.endpoint, by: "ann", reason: "x", rules: queue.rules, at: due - .milliseconds(1))
        #expect(resumed == .made)
        try await serverErrors(3, in: queue)

        #expect(try await queue.delivery("a").state == .scheduled)
    }

    // MARK: - Late outcomes

    @Test(arguments: [
        Reply.accepted, .uncertain, .notExecuted(pause: .seconds(1)), .rejected, .notFound,
    ])
    func `an outcome after the rescue leaves the delivery to the log`(reply: Reply) async throws {
        let claimed = try await call()
        #expect(try await queue.settle(at: called + .seconds(60)).interrupted == 1)
        let before = try await queue.delivery("a")

        let summary = try await queue.record(claimed, reply, at: called + .seconds(90))

        #expect(summary.late == 1)
        #expect(try await queue.delivery("a") == before)
        #expect(try await queue.texts("SELECT answer FROM attempt") == [reply.answer.rawValue])
    }

    @Test func `where answers confirm, a late one still delivers`() async throws {
        let queue = try await QueueFixture(rules: .exact(confirm: .answer))
        try await queue.ingest(.failure("a", at: start), at: start)
        let claimed = try await queue.claimOne(at: called)
        #expect(try await queue.settle(at: called + .seconds(60)).interrupted == 1)

        try await queue.record(claimed, .accepted, at: called + .seconds(90))

        #expect(try await queue.delivery("a").state == .delivered)
        #expect(try await queue.texts("SELECT outcome FROM attempt") == ["delivered"])
    }

    @Test func `an outcome under an older lease token changes nothing but its own attempt`() async throws {
        let first = try await call()
        try await queue.record(first, .notExecuted(pause: .seconds(5)), at: answered)
        let second = try await queue.claimOne(at: answered + .seconds(5))
        let before = try await queue.delivery("a")

        let summary = try await queue.record(first, .rejected, at: answered + .seconds(6))

        #expect(summary.late == 1)
        #expect(try await queue.delivery("a") == before)
        #expect(before.leaseToken == second.leaseToken)
        #expect(try await queue.texts("SELECT answer FROM attempt ORDER BY id LIMIT 1") == ["throttled"])
    }

    @Test func `an outcome for a delivery that was pruned meanwhile is no error`() async throws {
        let claimed = try await call()
        try await queue.run("DELETE FROM delivery")

        #expect(try await queue.record(claimed, .accepted, at: answered).recorded == 1)
    }

    @Test func `a batch is recorded whole`() async throws {
        try await queue.ingest(.failure("a", at: start), .failure("b", at: start), .failure("c", at: start), at: start)
        let claimed = try await queue.claim(at: called)
        let meanings: [Reply] = [.accepted, .rejected, .notExecuted(pause: .seconds(9))]
        let outcomes = zip(claimed, meanings).map { queue.outcome(of: $0, $1, at: answered) }

        let summary = try await queue.store.record(outcomes, rules: queue.rules, at: answered)

        #expect(summary.recorded == 3 && summary.accepted == 1)
        #expect(
            try await queue.texts("SELECT state FROM delivery ORDER BY task_id") == ["awaiting", "dead", "scheduled"])
    }
}
