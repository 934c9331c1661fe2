import Testing

@testable import DeliveryQueue
@testable import QueueFixtures

/// Refusals and redirects, which show that our own format or configuration may be wrong.
@Suite struct HoldTests {
    private let called = start + .minutes(1)
    private let queue: QueueFixture

    init() async throws {
        queue = try await QueueFixture()
    }

    /// Calls each task and records its answer, one after the other.
    private func answer(_ answers: (String, Reply)..., from: Timestamp) async throws {
        for (task, _) in answers { try await queue.ingest(.failure(task, at: from), at: from) }
        let claimed = try await queue.claim(at: from + .minutes(1))
        for (index, (task, meaning)) in answers.enumerated() {
            let call = try #require(claimed.first { $0.taskID == task })
            try await queue.record(call, meaning, at: from + .minutes(1) + .seconds(index + 1))
        }
    }

    private func until() async throws -> Timestamp? {
        let text = try await queue.text("SELECT hold_until_ms FROM endpoint WHERE id = 'ep-1'")
        return text.flatMap(Int64.init).map(Timestamp.init(milliseconds:))
    }

    @Test func `three refused deliveries in a row hold the endpoint for an hour`() async throws {
        try await answer(("a", .rejected), ("b", .rejected), from: start)
        #expect(try await queue.holdReason() == nil)

        try await answer(("c", .rejected), from: start + .minutes(5))
        #expect(try await queue.holdReason() == "rejected")
        #expect(try await until() == start + .minutes(6) + .seconds(1) + .hours(1))
        #expect(try await queue.holdReason(QueueFixture.other) == nil)
    }

    @Test func `an accepted call between refusals breaks the row`() async throws {
        try await answer(("a", .rejected), ("b", .rejected), ("c", .accepted), ("d", .rejected), from: start)
        #expect(try await queue.holdReason() == nil)

        try await answer(("e", .rejected), ("f", .rejected), from: start + .minutes(5))
        #expect(try await queue.holdReason() == "rejected")
    }

    @Test func `deliveries given up for other reasons do not count as refused`() async throws {
        try await answer(("a", .rejected), ("b", .rejected), ("c", .uncertain), ("d", .serverError), from: start)
        try await queue.run("UPDATE delivery_body SET body = x'00'")
        try await queue.ingest(.failure("e", at: start), at: start + .minutes(5))
        try await queue.run("UPDATE delivery_body SET sha256 = zeroblob(32) WHERE delivery_id = 5")
        #expect(try await queue.claim(at: start + .minutes(6)).isEmpty)

        #expect(try await queue.holdReason() == nil)
    }

    @Test func `one delivery that is refused three times does not hold the endpoint`() async throws {
        try await answer(("a", .rejected), from: start)
        let id = try await queue.delivery("a").id
        for hour in 1...2 {
            let now = start + .hours(hour)
            _ = try await queue.store.act(.requeue, on: id, by: "ann", reason: "again", at: now)
            try await queue.record(queue.claimOne(at: now), .rejected, at: now)
        }

        #expect(try await queue.holdReason() == nil)
    }

    @Test func `a trial that is accepted ends the hold, one that is refused prolongs it`() async throws {
        try await answer(("a", .rejected), ("b", .rejected), ("c", .rejected), from: start)
        try await queue.ingest(
            .failure("d", at: start), .failure("e", at: start), .failure("f", at: start), at: start + .minutes(5))
        let first = start + .hours(2)
        try await queue.record(queue.claimOne(at: first), .rejected, at: first + .seconds(1))
        #expect(try await until() == first + .seconds(1) + .hours(1))

        let second = start + .hours(4)
        try await queue.record(queue.claimOne(at: second), .accepted, at: second + .seconds(1))
        #expect(try await queue.holdReason() == nil)
        #expect(try await queue.claim(at: second + .seconds(2)).count == 1)
    }

    @Test func `three different deliveries forbidden in a row hold the endpoint, and a call that is taken on frees it`()
        async throws
    {
        try await answer(("a", .deliveryForbidden), ("b", .deliveryForbidden), from: start)
        #expect(try await queue.holdReason() == nil)
        try await answer(("c", .deliveryForbidden), from: start + .seconds(20))
        #expect(try await queue.holdReason() == "forbidden")
        #expect(try await queue.texts("SELECT DISTINCT state || attempts_used FROM delivery") == ["scheduled0"])

        try await queue.ingest(.failure("d", at: start), at: start + .seconds(40))
        let later = start + .minutes(7)
        #expect(
            try await queue.texts("SELECT held_because FROM v_by_endpoint WHERE held_because IS NOT NULL") == [
                "forbidden"
            ])
        try await queue.record(queue.claimOne(at: later), .accepted, at: later)
        #expect(try await queue.holdReason() == nil)
    }

    @Test func `one delivery that is forbidden again and again holds nothing`() async throws {
        try await answer(("a", .deliveryForbidden), from: start)
        for hour in 1...4 {
            let now = start + .hours(hour) + .minutes(10 * hour)
            try await queue.record(queue.claimOne(at: now), .deliveryForbidden, at: now)
        }

        #expect(try await queue.holdReason() == nil)
        #expect(try await queue.delivery("a").attemptsUsed == 0)
    }

    /// The second such answer, an hour after the first. In between another call was taken on, or not.
    @Test(arguments: [nil, -1, 30] as [Int?])
    func `a delivery that is forbidden twice dies only when another call was taken on since the first time`(
        minutes: Int?
    ) async throws {
        try await answer(("a", .deliveryForbidden), from: start)
        let now = start + .hours(2)
        let reply = Reply(answer: .deliveryForbidden, lastTakenOn: minutes.map { start + .minutes($0) })
        try await queue.record(queue.claimOne(at: now), reply, at: now)

        #expect(try await queue.delivery("a").state == (minutes == 30 ? .dead : .scheduled))
        #expect(try await queue.delivery("a").attemptsUsed == (minutes == 30 ? 1 : 0))
    }

    @Test func `a call that is taken on ends the row of a delivery's forbidden calls`() async throws {
        try await answer(("a", .deliveryForbidden), from: start)
        let now = start + .hours(2)
        try await queue.record(queue.claimOne(at: now), .accepted, at: now)

        #expect(try await queue.delivery("a").forbiddenSince == nil)
    }

    @Test func `a redirect holds the endpoint and uses no attempt`() async throws {
        try await answer(("a", .redirected), from: start)

        #expect(try await queue.holdReason() == "redirected")
        #expect(try await queue.delivery("a").attemptsUsed == 0)
        #expect(try await queue.delivery("a").nextAttempt == called + .seconds(1) + .hours(1))
        try await queue.ingest(.failure("b", at: start), at: called)
        #expect(try await queue.claim(at: called + .minutes(59)).isEmpty)
        #expect(try await queue.claim(at: called + .minutes(61)).count == 1)
    }

    @Test func `a success in the log does not end a hold for refusals`() async throws {
        try await answer(("a", .redirected), from: start)
        try await queue.ingest(.success("a", at: called + .seconds(5)), at: called + .seconds(9))

        #expect(try await queue.holdReason() == "redirected")
    }

    @Test func `the beginning of a hold stays when it is prolonged`() async throws {
        try await answer(("a", .redirected), ("b", .redirected), from: start)

        let since = try await queue.number("SELECT hold_since_ms FROM endpoint WHERE id = 'ep-1'")
        #expect(since == (called + .seconds(1)).milliseconds)
        #expect(try await until() == called + .seconds(2) + .hours(1))
    }

    @Test func `resume begins the row of refusals anew`() async throws {
        try await answer(("a", .rejected), ("b", .rejected), ("c", .rejected), from: start)
        _ = try await queue.store.resume(
            endpoint: QueueFixture.endpoint, by: "ann", reason: "x", rules: queue.rules, at: start + .minutes(5))
        try await answer(("d", .rejected), ("e", .rejected), from: start + .minutes(6))
        #expect(try await queue.holdReason() == nil)

        try await answer(("f", .rejected), from: start + .minutes(10))
        #expect(try await queue.holdReason() == "rejected")
    }

    @Test func `resuming an unknown endpoint says so`() async throws {
        #expect(
            try await queue.store.resume(endpoint: "unknown", by: "ann", reason: "x", rules: queue.rules, at: start)
                == .noEndpoint)
        #expect(try await queue.number("SELECT COUNT(*) FROM operator_action") == 0)
    }
}
