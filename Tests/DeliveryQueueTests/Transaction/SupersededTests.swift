import Testing

@testable import DeliveryQueue
@testable import QueueFixtures

/// A newer event of the same webhook, customer and event type has arrived before an older one.
@Suite struct SupersededTests {
    private let later = start + .minutes(30)

    private func queue(_ superseded: RetryPolicy.Superseded) async throws -> QueueFixture {
        let queue = try await QueueFixture(rules: .exact(onSuperseded: superseded))
        try await queue.ingest(.failure("old", at: start), at: start)
        return queue
    }

    private func claim(_ queue: QueueFixture, at now: Timestamp) async throws -> ClaimedBatch {
        try await queue.store.claimDue(limit: 9, lease: .seconds(60), rules: queue.rules, at: now)
    }

    @Test func `skip ends it dead with the evidence`() async throws {
        let queue = try await queue(.skip)
        try await queue.ingest(.success("new", at: start + .minutes(5)), at: later)

        let batch = try await claim(queue, at: later)

        #expect(batch.superseded == 1 && batch.deliveries.isEmpty)
        #expect(
            try await queue.texts("SELECT state || ' ' || dead_reason || ' ' || superseded_by_task_id FROM delivery")
                == ["dead superseded new"])
        #expect(try await queue.delivery("old").attemptsUsed == 0)
    }

    @Test func `retry calls it all the same and flags it`() async throws {
        let queue = try await queue(.retry)
        try await queue.ingest(.success("new", at: start + .minutes(5)), at: later)

        #expect(try await claim(queue, at: later).deliveries.map(\.taskID) == ["old"])
        #expect(try await queue.text("SELECT superseded_by_task_id FROM delivery") == "new")
    }

    @Test func `a newer event that failed first and arrived by retry supersedes too`() async throws {
        let queue = try await queue(.skip)
        try await queue.ingest(
            .failure("new", at: start + .minutes(5)), .success("new", at: start + .minutes(6)), at: later)

        #expect(try await claim(queue, at: later).superseded == 1)
    }

    @Test func `an older event that arrives late does not supersede a younger one`() async throws {
        let queue = try await queue(.skip)
        try await queue.ingest(
            .failure("older", at: start - .minutes(5)), .success("older", at: start + .minutes(6)), at: later)

        #expect(try await claim(queue, at: later).deliveries.map(\.taskID) == ["old"])
    }

    @Test func `an older event whose success is read before its failure does not supersede a younger one`() async throws
    {
        let queue = try await queue(.skip)
        try await queue.ingest(
            .success("older", at: start + .minutes(6)), .failure("older", at: start - .minutes(5)), at: later)

        #expect(try await claim(queue, at: later).deliveries.map(\.taskID) == ["old"])
    }

    @Test(arguments: [
        LogObservation.success("new", at: start + .minutes(5), customer: "c-2"),
        .success("new", at: start + .minutes(5), customer: nil),
        .success("new", at: start + .minutes(5), type: "document_upload"),
        .success("new", at: start - .minutes(5)), .success("new", at: start), .success("new", at: nil),
        .pending("new", at: start + .minutes(5)), .failure("new", at: start + .minutes(29)),
    ])
    func `any other entry does not supersede it`(entry: LogObservation) async throws {
        let queue = try await queue(.skip)
        try await queue.ingest(entry, at: later)

        #expect(try await claim(queue, at: later).deliveries.contains { $0.taskID == "old" })
    }

    @Test func `deliveries without a customer are never superseded`() async throws {
        let queue = try await QueueFixture(rules: .exact(onSuperseded: .skip))
        try await queue.ingest(
            .failure("old", at: start, customer: nil), .success("new", at: start + .minutes(5), customer: nil),
            at: later)

        #expect(try await claim(queue, at: later).deliveries.map(\.taskID) == ["old"])
    }

    @Test func `a delivery is not superseded by its own earlier arrival`() async throws {
        let queue = try await queue(.skip)
        try await queue.ingest(.success("old", at: start + .minutes(5)), at: later)

        #expect(try await claim(queue, at: later).superseded == 0)
        #expect(try await queue.delivery("old").state == .delivered)
    }

    @Test func `an operator's requeue is a way back, until a still newer event arrives`() async throws {
        let queue = try await queue(.skip)
        try await queue.ingest(.success("new", at: start + .minutes(5)), at: later)
        _ = try await claim(queue, at: later)
        let id = try await queue.delivery("old").id

        #expect(try await queue.store.act(.requeue, on: id, by: "ann", reason: "needed", at: later))
        let claimed = try #require(try await claim(queue, at: later).deliveries.first)
        #expect(claimed.taskID == "old")

        try await queue.record(claimed, .notExecuted(pause: .minutes(5)), at: later)
        try await queue.ingest(.success("newest", at: later + .minutes(1)), at: later + .minutes(2))
        #expect(try await claim(queue, at: later + .minutes(5)).superseded == 1)
    }

    @Test func `an arrival that an answer proves supersedes too`() async throws {
        let queue = try await QueueFixture(rules: .exact(confirm: .answer, onSuperseded: .skip))
        try await queue.ingest(.failure("new", at: start + .seconds(10)), at: start + .seconds(10))
        try await queue.record(queue.claimOne(at: start + .seconds(70)), .accepted, at: start + .seconds(71))
        try await queue.ingest(.failure("old", at: start), at: later)

        #expect(try await claim(queue, at: later).superseded == 1)
    }
}
