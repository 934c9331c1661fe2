import GRDB
import Testing

@testable import DeliveryQueue
@testable import QueueFixtures

/// An event that an operator made the provider send as a test is stored and never retried.
@Suite struct TestEventTests {
    private let queue: QueueFixture

    init() async throws {
        queue = try await QueueFixture()
    }

    @discardableResult
    private func note(
        _ taskID: String, endpoint: String = QueueFixture.endpoint, at now: Timestamp = start
    ) async throws -> TestEventNote {
        try await queue.store.noteTestEvent(
            endpoint: endpoint, taskID: taskID, eventType: "profile_update", by: "ada", at: now)
    }

    private func actions() async throws -> [String] {
        try await queue.texts("SELECT who || ' ' || action || ' ' || reason || ' ' || delivery_id FROM operator_action")
    }

    @Test func `a failure of a test is remembered and counted, and makes no delivery`() async throws {
        #expect(try await note("t") == .noted)
        let summary = try await queue.ingest(.failure("t", at: start), .failure("real", at: start), at: start)

        #expect(summary.new == 1)
        #expect(try await queue.texts("SELECT task_id FROM delivery") == ["real"])
        #expect(try await queue.texts("SELECT task_id FROM log_entry ORDER BY task_id") == ["real", "t"])
        #expect(try await queue.counter(Counter.logEntries, "failure") == 2)
        #expect(try await queue.claim(at: start + .hours(1)).map(\.taskID) == ["real"])
        #expect(try await actions().isEmpty)
    }

    @Test func `a delivery that the daemon made before the note is discarded, with a word about who did it`()
        async throws
    {
        try await queue.ingest(.failure("t", at: start), at: start)
        let id = try await queue.delivery("t").id

        #expect(try await note("t", at: start + .seconds(1)) == .discarded(delivery: id))

        #expect(try await queue.delivery("t").state == .dead)
        #expect(try await queue.text("SELECT dead_reason FROM delivery") == "discarded")
        #expect(try await actions() == ["ada discard test event \(id)"])
        #expect(try await queue.claim(at: start + .hours(1)).isEmpty)
        #expect(try await queue.counter(Counter.finalized, "profile_update", "dead") == 1)
    }

    @Test func `the same note again changes nothing`() async throws {
        try await queue.ingest(.failure("t", at: start), at: start)
        try await note("t")
        let before = try await queue.dump()

        #expect(try await note("t", at: start + .hours(1)) == .noted)
        #expect(try await queue.dump() == before)
    }

    @Test func `a test whose retry was under way is discarded when it would be claimed again`() async throws {
        try await queue.ingest(.failure("t", at: start), at: start)
        let claimed = try await queue.claimOne(at: start + .minutes(1))
        #expect(try await note("t", at: start + .minutes(1)) == .noted)
        #expect(try await queue.delivery("t").state == .attempting)

        try await queue.record(claimed, .notExecuted(pause: .seconds(30)), at: start + .minutes(1))
        try await queue.ingest(.failure("real", at: start + .minutes(2)), at: start + .minutes(2))

        #expect(try await queue.claim(at: start + .hours(1)).map(\.taskID) == ["real"])
        #expect(try await queue.delivery("t").state == .dead)
        #expect(try await actions().count == 1)
    }

    @Test func `a test whose retry was under way still arrives when the log says so`() async throws {
        try await queue.accepted("t", failed: start, called: start + .minutes(1))
        try await note("t", at: start + .minutes(2))
        try await queue.ingest(.success("t", at: start + .minutes(3)), at: start + .minutes(3))

        #expect(try await queue.delivery("t").state == .delivered)
    }

    @Test func `an operator's requeue of a discarded test is carried out`() async throws {
        try await queue.ingest(.failure("t", at: start), at: start)
        try await note("t")
        let id = try await queue.delivery("t").id
        #expect(
            try await queue.store.act(
                .requeue, on: id, by: "ada", reason: "on purpose", at: start + .minutes(1)))

        #expect(try await queue.claimOne(at: start + .minutes(2)).taskID == "t")
    }

    @Test func `a test is not taken for another delivery with the same body, and supersedes nothing`() async throws {
        try await queue.accepted("real", failed: start, called: start + .minutes(1))
        try await note("t", at: start + .minutes(2))
        try await queue.ingest(
            .failure("t", of: "real", at: start + .minutes(2)),
            .success("t", of: "real", at: start + .minutes(3)), at: start + .minutes(3))

        #expect(try await queue.delivery("real").state == .awaiting)
        #expect(try await queue.number("SELECT COUNT(*) FROM task_alias") == 0)
        #expect(try await queue.number("SELECT COUNT(*) FROM latest_arrival") == 0)
    }

    @Test func `a note concerns its own endpoint only`() async throws {
        try await note("t", endpoint: QueueFixture.other)
        #expect(try await queue.ingest(.failure("t", at: start), at: start).new == 1)
        #expect(try await queue.claim(at: start + .hours(1)).count == 1)
    }

    @Test func `an endpoint that the database does not know is told, and nothing is noted`() async throws {
        let before = try await queue.dump()
        #expect(try await note("t", endpoint: "nowhere") == .unknownEndpoint)
        #expect(try await queue.dump() == before)
    }

    @Test func `notes are pruned when no failure so old is taken up anew`() async throws {
        try await note("t")
        _ = try await queue.store.prune(at: start + .days(90) - .milliseconds(1))
        #expect(try await queue.number("SELECT COUNT(*) FROM test_event") == 1)
        _ = try await queue.store.prune(at: start + .days(90))
        #expect(try await queue.number("SELECT COUNT(*) FROM test_event") == 0)
    }
}
