import Testing

@testable import DeliveryQueue
@testable import QueueFixtures

/// What operators may do to deliveries and endpoints, and how it is noted.
@Suite struct OperatorActionTests {
    private let queue: QueueFixture
    private let now = start + .hours(1)

    init() async throws {
        queue = try await QueueFixture()
    }

    /// One delivery in each state, named after it.
    private func oneOfEach() async throws {
        try await queue.ingest(.failure("dead", at: start), at: start)
        try await queue.record(queue.claimOne(at: now), .rejected, at: now)
        try await queue.ingest(.failure("attempting", at: start), at: start)
        _ = try await queue.claimOne(at: now)
        try await queue.accepted("awaiting", failed: start, called: now)
        try await queue.ingest(.failure("delivered", at: start), at: start)
        try await queue.ingest(.success("delivered", at: now), at: now)
        try await queue.ingest(.failure("scheduled", at: now), at: now)
    }

    private static let refusals: [(OperatorAction, String, OperatorAction.Refusal?)] = [
        (.retry, "scheduled", nil), (.retry, "dead", nil), (.retry, "attempting", .underWay),
        (.retry, "awaiting", .underWay), (.retry, "delivered", .delivered),
        (.discard, "scheduled", nil), (.discard, "dead", .dead), (.discard, "attempting", .underWay),
        (.discard, "awaiting", .underWay), (.discard, "delivered", .delivered),
        (.requeue, "scheduled", .waiting), (.requeue, "dead", nil), (.requeue, "attempting", .underWay),
        (.requeue, "awaiting", .underWay), (.requeue, "delivered", .delivered),
    ]

    @Test(arguments: refusals)
    func `each action is done or refused by the delivery's state, and a refusal changes nothing`(
        action: OperatorAction, taskID: String, refusal: OperatorAction.Refusal?
    ) async throws {
        try await oneOfEach()
        let delivery = try await queue.delivery(taskID)
        guard let refusal else {
            #expect(
                try await queue.store.act(
                    action, on: delivery.id, by: "ann", reason: "why", at: now))
            let note = "\(action.rawValue) ann why \(delivery.id) \(now.milliseconds)"
            #expect(
                try await queue.texts(
                    "SELECT action || ' ' || who || ' ' || reason || ' ' || delivery_id || ' ' || at_ms FROM operator_action"
                )
                    == [note])
            return
        }
        let before = try await queue.dump()
        let error = await #expect(throws: StoreError.self) {
            try await queue.store.act(action, on: delivery.id, by: "ann", reason: "why", at: now)
        }
        #expect(error?.kind == .refusedMove && error?.cause == refusal.rawValue)
        #expect(try await queue.dump() == before)
    }

    @Test func `a retry is refused while it is asked for, without a body, paused or not configured`() async throws {
        try await queue.ingest(.failure("a", at: start), at: start)
        let id = try await queue.delivery("a").id
        func refusal() async -> String? {
            await #expect(throws: StoreError.self) {
                try await queue.store.act(.retry, on: id, by: "ann", reason: "x", at: now)
            }?.cause
        }
        try await queue.run("UPDATE endpoint SET active = 0")
        #expect(await refusal() == OperatorAction.Refusal.notConfigured.rawValue)
        try await queue.run("UPDATE endpoint SET active = 1")
        _ = try await queue.store.pause(
            endpoint: QueueFixture.endpoint, by: "ann", reason: "x", at: now)
        #expect(await refusal() == OperatorAction.Refusal.paused.rawValue)
        _ = try await queue.store.resume(
            endpoint: QueueFixture.endpoint, by: "ann", reason: "x", rules: queue.rules, at: now)
        #expect(try await queue.store.act(.retry, on: id, by: "ann", reason: "x", at: now))
        #expect(await refusal() == OperatorAction.Refusal.asked.rawValue)
        try await queue.run("UPDATE delivery SET manual_ms = NULL, kept_attempt_ms = NULL")
        try await queue.run("UPDATE delivery_body SET body = NULL")
        #expect(await refusal() == OperatorAction.Refusal.noBody.rawValue)
    }

    @Test func `a discarded delivery is dead, can be requeued, and a late success still settles it`() async throws {
        try await queue.ingest(.failure("a", at: start), at: start)
        let id = try await queue.delivery("a").id
        _ = try await queue.store.act(.discard, on: id, by: "ann", reason: "x", at: now)
        #expect(try await queue.text("SELECT dead_reason FROM delivery") == "discarded")
        #expect(try await queue.claim(at: now + .days(1)).isEmpty)
        _ = try await queue.store.act(.requeue, on: id, by: "ann", reason: "x", at: now)
        #expect(try await queue.delivery("a").cycle == 2)
        _ = try await queue.store.act(.discard, on: id, by: "ann", reason: "x", at: now)
        try await queue.ingest(.success("a", at: now), at: now)
        #expect(try await queue.delivery("a").state == .delivered)
    }

    // MARK: - Many

    @Test func `an action on many takes a fixed set, spreads it over time and counts what it skips`() async throws {
        for number in 0..<1_200 {
            try await queue.ingest(.failure("t\(number)", at: start), at: start)
        }
        let ids = try QueueReader(path: queue.path).deliveryIDs(matching: DeliveryFilter())
        #expect(ids.count == 1_200)
        try await queue.ingest(.success("t7", at: now), at: now)
        try await queue.run("UPDATE endpoint SET active = 1")
        try await queue.ingest(.failure("later", at: start), at: now)

        let summary = try await queue.store.act(
            .retry, on: ids + [99_999], spacing: .milliseconds(500), by: "ann", reason: "x", at: now
        )

        #expect(summary.done == 1_199 && summary.skipped == [.delivered: 1])
        #expect(
            try await queue.number("SELECT MAX(next_attempt_ms) FROM delivery WHERE manual_ms IS NOT NULL")
                == (now + .milliseconds(500 * 1_198)).milliseconds)
        #expect(try await queue.delivery("later").manual == nil)
        #expect(try await queue.number("SELECT COUNT(*) FROM operator_action") == 1_199)
        #expect(try await queue.store.newestOperatorAction() == 1_199)
    }

    // MARK: - Endpoints

    @Test func `a pause holds everything until an operator resumes, whatever the log or the clock say`() async throws {
        try await queue.ingest(.failure("a", at: start), at: start)
        #expect(try await queue.pause(at: start) == .made)
        #expect(
            try await queue.store.pause(endpoint: "unknown", by: "ann", reason: "x", at: start)
                == .noEndpoint)

        try await queue.ingest(.failure("b", at: start), at: start)
        try await queue.ingest(.success("b", at: start + .seconds(5)), at: start + .seconds(6))
        try await queue.ingest(.success("fresh", at: start + .seconds(7)), at: start + .seconds(8))
        for day in [1, 30, 365] {
            #expect(try await queue.claim(at: start + .days(day)).isEmpty)
            try await queue.settle(at: start + .days(day))
        }
        #expect(try await queue.holdReason() == "operator")
        #expect(try await queue.delivery("a").state == .scheduled)
    }

    @Test func `what is paused already, or not held, is left as it is, and nothing is noted`() async throws {
        #expect(try await queue.resume(at: start) == .needless)
        #expect(try await queue.pause(at: start) == .made)
        #expect(try await queue.pause(at: start + .hours(1)) == .needless)
        #expect(try await queue.number("SELECT hold_since_ms FROM endpoint") == start.milliseconds)
        #expect(try await queue.resume(at: start + .hours(2)) == .made)
        #expect(try await queue.resume(at: start + .hours(3)) == .needless)
        #expect(try await queue.number("SELECT COUNT(*) FROM operator_action") == 2)
    }

    @Test func `the age clock stands still while an endpoint is held`() async throws {
        try await queue.ingest(.failure("a", at: start), at: start)
        _ = try await queue.store.pause(
            endpoint: QueueFixture.endpoint, by: "ann", reason: "x", at: start + .hours(1))
        let resumed = start + .days(10)
        _ = try await queue.store.resume(
            endpoint: QueueFixture.endpoint, by: "ann", reason: "x", rules: queue.rules, at: resumed)

        try await queue.record(queue.claimOne(at: resumed), .accepted, at: resumed)
        try await queue.ingest(.failure("a", at: resumed + .seconds(1)), at: resumed + .seconds(2))

        // One hour of its 72 is used.
        #expect(try await queue.delivery("a").state == .scheduled)
        #expect(try await queue.delivery("a").held.total(at: resumed) == .days(10) - .hours(1))
    }
}

extension QueueFixture {
    fileprivate func pause(at now: Timestamp) async throws -> HoldChange {
        try await store.pause(endpoint: Self.endpoint, by: "ann", reason: "x", at: now)
    }

    fileprivate func resume(at now: Timestamp) async throws -> HoldChange {
        try await store.resume(endpoint: Self.endpoint, by: "ann", reason: "x", rules: rules, at: now)
    }
}
