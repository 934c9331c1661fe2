import Testing

@testable import DeliveryQueue
@testable import QueueFixtures

/// An operator's retry: beside the schedule, without using it up.
@Suite struct ManualRetryTests {
    private let queue: QueueFixture
    private let asked = start + .seconds(10)

    init() async throws {
        queue = try await QueueFixture()
    }

    private func ask(_ taskID: String, at now: Timestamp) async throws {
        let id = try await queue.delivery(taskID).id
        #expect(
            try await queue.store.act(
                .retry, on: id, by: "ann", reason: "receiver is fixed", at: now))
    }

    private func die(_ taskID: String, at now: Timestamp) async throws {
        try await queue.ingest(.failure(taskID, at: start), at: start)
        try await queue.record(queue.claimOne(at: now), .rejected, at: now)
    }

    // MARK: - What it does to the schedule

    @Test func `it is due at once and its success cancels the schedule`() async throws {
        try await queue.ingest(.failure("a", at: start), at: start)
        try await ask("a", at: asked)

        let claimed = try await queue.claimOne(at: asked)
        try await queue.record(claimed, .accepted, at: asked + .seconds(1))
        try await queue.ingest(.success("a", at: asked + .seconds(2)), at: asked + .seconds(3))

        let delivery = try await queue.delivery("a")
        #expect(delivery.state == .delivered && delivery.manual == nil && delivery.attemptsUsed == 0)
        #expect(try await queue.text("SELECT delivered_by FROM delivery") == "operator")
        #expect(
            try await queue.texts("SELECT kind || ' ' || number || ' ' || outcome FROM attempt") == [
                "manual 1 delivered"
            ])
        #expect(try await queue.claim(at: start + .days(3)).isEmpty)
    }

    @Test func `when it fails, the schedule goes on as it was and no attempt is used`() async throws {
        try await queue.ingest(.failure("a", at: start), at: start)
        let planned = try await queue.delivery("a").nextAttempt
        try await ask("a", at: asked)

        let claimed = try await queue.claimOne(at: asked)
        try await queue.record(claimed, .accepted, at: asked)
        try await queue.ingest(.failure("a", at: asked + .seconds(1)), at: asked + .seconds(2))

        let delivery = try await queue.delivery("a")
        #expect(delivery.state == .scheduled && delivery.nextAttempt == planned && delivery.attemptsUsed == 0)
        #expect(delivery.manual == nil)
    }

    @Test func `when the log stays silent, the schedule goes on and the call counts as unconfirmed`() async throws {
        try await queue.ingest(.failure("a", at: start), at: start)
        let planned = try await queue.delivery("a").nextAttempt
        try await ask("a", at: asked)
        try await queue.record(queue.claimOne(at: asked), .accepted, at: asked)
        let late = asked + .minutes(11)
        try await queue.ingest(at: late)

        #expect(try await queue.settle(at: late).unconfirmed == 1)

        let delivery = try await queue.delivery("a")
        #expect(delivery.state == .scheduled && delivery.nextAttempt == planned && delivery.attemptsUsed == 0)
        #expect(try await queue.counter(Counter.unconfirmed) == 1)
    }

    @Test func `a dead delivery is tried once, and is dead again for the same reason when that fails`() async throws {
        try await die("a", at: start + .minutes(1))
        let later = start + .hours(1)
        try await ask("a", at: later)
        #expect(try await queue.delivery("a").state == .scheduled)

        try await queue.record(queue.claimOne(at: later), .accepted, at: later)
        try await queue.ingest(.failure("a", at: later + .seconds(1)), at: later + .seconds(2))

        #expect(try await queue.texts("SELECT state || ' ' || dead_reason FROM delivery") == ["dead rejected"])
        #expect(try await queue.delivery("a").attemptsUsed == 1)
    }

    @Test func `a success of a dead delivery's retry delivers it`() async throws {
        try await die("a", at: start + .minutes(1))
        let later = start + .hours(1)
        try await ask("a", at: later)
        try await queue.record(queue.claimOne(at: later), .accepted, at: later)
        try await queue.ingest(.success("a", at: later + .seconds(1)), at: later + .seconds(2))

        #expect(try await queue.delivery("a").state == .delivered)
    }

    @Test func `a call that was surely not executed keeps the retry asked for, and the schedule beside it`()
        async throws
    {
        try await queue.ingest(.failure("a", at: start), at: start)
        let planned = try #require(try await queue.delivery("a").nextAttempt)
        try await ask("a", at: asked)

        try await queue.record(queue.claimOne(at: asked), .notExecuted(pause: .seconds(7)), at: asked)

        let delivery = try await queue.delivery("a")
        #expect(delivery.nextAttempt == asked + .seconds(7))
        #expect(delivery.manual == ManualRetry(asked: asked, kept: .attempt(at: planned)))
        #expect(try await queue.claimOne(at: asked + .seconds(7)).id == delivery.id)
    }

    @Test func `a refusal for good is final, and uses no attempt`() async throws {
        try await queue.ingest(.failure("a", at: start), at: start)
        try await ask("a", at: asked)
        try await queue.record(queue.claimOne(at: asked), .rejected, at: asked)

        #expect(try await queue.texts("SELECT state || ' ' || dead_reason FROM delivery") == ["dead rejected"])
        #expect(try await queue.delivery("a").attemptsUsed == 0)
    }

    @Test func `where answers confirm, a 2xx delivers it by the operator`() async throws {
        let queue = try await QueueFixture(rules: .exact(confirm: .answer))
        try await queue.ingest(.failure("a", at: start), at: start)
        let id = try await queue.delivery("a").id
        _ = try await queue.store.act(.retry, on: id, by: "ann", reason: "x", at: asked)
        try await queue.record(queue.claimOne(at: asked), .accepted, at: asked)

        #expect(
            try await queue.texts("SELECT delivered_by || ' ' || delivered_evidence FROM delivery") == [
                "operator answer"
            ])
    }

    @Test func `a crash in its call makes it awaiting, never a second call, and the schedule is kept`() async throws {
        try await queue.ingest(.failure("a", at: start), at: start)
        let planned = try await queue.delivery("a").nextAttempt
        try await ask("a", at: asked)
        _ = try await queue.claimOne(at: asked)

        #expect(try await queue.store.reclaimOpenIntents(rules: queue.rules, at: asked + .seconds(5)) == 1)
        #expect(try await queue.delivery("a").state == .awaiting)
        #expect(try await queue.claim(at: asked + .seconds(6)).isEmpty)
        try await queue.ingest(.failure("a", at: asked + .seconds(1)), at: asked + .seconds(8))
        #expect(try await queue.delivery("a").nextAttempt == planned)
    }

    @Test func `the provider's own failure while it waits leaves the retry asked for`() async throws {
        try await queue.ingest(.failure("a", at: start), at: start)
        try await ask("a", at: asked)
        try await queue.ingest(.failure("a", at: asked + .seconds(1)), at: asked + .seconds(2))

        #expect(try await queue.delivery("a").manual?.asked == asked)
        #expect(try await queue.claim(at: asked + .seconds(3)).count == 1)
    }

    @Test func `a superseded delivery is sent when an operator asks for it`() async throws {
        let queue = try await QueueFixture(rules: .exact(onSuperseded: .skip))
        try await queue.ingest(.failure("old", at: start), at: start)
        try await queue.ingest(.success("new", at: start + .seconds(5)), at: start + .seconds(6))
        let id = try await queue.delivery("old").id
        _ = try await queue.store.act(.retry, on: id, by: "ann", reason: "x", at: asked)

        #expect(try await queue.claimOne(at: asked).id == id)
    }

    // MARK: - Holds

    @Test func `it passes a hold of ours, and waits for an operator's pause to end`() async throws {
        try await queue.ingest(.failure("a", at: start), at: start)
        try await queue.run("UPDATE endpoint SET hold_reason = 'log_silent', hold_since_ms = 0 WHERE id = 'ep-1'")
        try await ask("a", at: asked)
        #expect(try await queue.store.nextDue(at: asked) == asked)
        #expect(try await queue.nextManualDue(at: asked) == asked)

        _ = try await queue.store.pause(
            endpoint: QueueFixture.endpoint, by: "ann", reason: "x", at: asked)
        #expect(try await queue.claim(at: asked + .seconds(1)).isEmpty)
        #expect(try await queue.store.nextDue(at: asked) == nil)

        _ = try await queue.store.resume(
            endpoint: QueueFixture.endpoint, by: "ann", reason: "x", rules: queue.rules, at: asked)
        #expect(try await queue.claim(at: asked + .seconds(1)).count == 1)
    }

    @Test func `only what operators asked for is claimed where that is wanted, and only of endpoints that were read`()
        async throws
    {
        try await queue.ingest(.failure("a", at: start), .failure("b", at: start), at: start)
        try await ask("b", at: asked)
        let due = start + .hours(1)
        func claim(of endpoint: String) async throws -> Int {
            try await queue.store.claimDue(
                of: [endpoint: .whole], onlyManual: true, limit: 10, lease: .seconds(60), rules: queue.rules, at: due
            ).deliveries.count
        }

        #expect(try await queue.store.endpointsWithManualRetries() == [QueueFixture.endpoint])
        #expect(try await claim(of: QueueFixture.other) == 0)
        #expect(try await claim(of: QueueFixture.endpoint) == 1)
        #expect(try await queue.delivery("a").state == .scheduled)
    }

    @Test func `the schema refuses a manual retry without a kept schedule, or on a final delivery`() async throws {
        try await queue.ingest(.failure("a", at: start), at: start)
        for change in ["manual_ms = 5", "kept_attempt_ms = 5", "kept_dead_reason = 'age'"] {
            await #expect(throws: (any Error).self) { try await queue.run("UPDATE delivery SET \(change)") }
        }
        try await ask("a", at: asked)
        await #expect(throws: (any Error).self) {
            try await queue.run(
                """
                UPDATE delivery SET state = 'dead', dead_reason = 'age', finalized_ms = 1, next_attempt_ms = NULL
                """)
        }
    }
}
