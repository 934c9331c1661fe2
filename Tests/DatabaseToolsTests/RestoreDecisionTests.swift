import GRDB
import Testing

@testable import DatabaseTools
@testable import DeliveryQueue
@testable import QueueFixtures

/// What people decided after a backup was taken stands after it is restored.
@Suite struct RestoreDecisionTests {
    private let queue: QueueFixture

    init() async throws {
        queue = try await .forRestore()
    }

    private func pause(at time: Timestamp) async throws {
        let change = try await queue.store.pause(
            endpoint: QueueFixture.endpoint, by: "ada", reason: "moving", at: time)
        #expect(change == .made)
    }

    private func discard(_ taskID: String, at time: Timestamp) async throws {
        let id = try await queue.delivery(taskID).id
        #expect(
            try await queue.store.act(.discard, on: id, by: "ada", reason: "obsolete", at: time))
    }

    @Test func `a pause since holds the endpoint still, with who and why`() async throws {
        try await queue.ingest(.failure("a", at: start), at: start)
        try await queue.backUp()
        try await pause(at: start + .minutes(5))

        let (_, restored) = try await queue.restore()

        #expect(try await restored.holdReason() == "operator")
        #expect(
            try await restored.texts("SELECT who || ' ' || action || ' ' || reason FROM operator_action")
                == ["ada pause moving"])
        #expect(try await restored.claim(at: now + .hours(1)).isEmpty)
    }

    @Test func `a pause that was ended since is over`() async throws {
        try await queue.ingest(.failure("a", at: start), at: start)
        try await pause(at: start)
        try await queue.backUp()
        let resumed = try await queue.store.resume(
            endpoint: QueueFixture.endpoint, by: "ada", reason: "done", rules: queue.rules, at: start + .minutes(5))
        #expect(resumed == .made)

        let (_, restored) = try await queue.restore()

        #expect(try await restored.holdReason() == nil)
        #expect(
            try await restored.texts("SELECT action FROM operator_action ORDER BY id") == ["pause", "resume"])
    }

    @Test func `a delivery that was given up since stays given up`() async throws {
        try await queue.ingest(.failure("a", at: start), at: start)
        try await queue.backUp()
        try await discard("a", at: start + .minutes(5))

        let (summary, restored) = try await queue.restore()

        #expect(try await restored.delivery("a").state == .dead)
        #expect(try await restored.texts("SELECT dead_reason FROM delivery") == ["discarded"])
        #expect(try await restored.number("SELECT delivery_id FROM operator_action") == 1)
        #expect(summary.awaiting == 0)
    }

    @Test func `a delivery that was called and then given up since stays given up, until the log shows it arrived`()
        async throws
    {
        try await queue.ingest(.failure("a", at: start), at: start)
        try await queue.backUp()
        let called = start + .minutes(5)
        try await queue.record(try await queue.claimOne(at: called), .accepted, at: called)
        try await queue.ingest(.failure("a", at: called + .seconds(20)), at: called + .minutes(1))
        try await discard("a", at: called + .minutes(2))

        let (summary, restored) = try await queue.restore()

        #expect(try await restored.delivery("a").state == .dead)
        #expect(summary.awaiting == 0 && summary.calls == 1)
        try await restored.ingest(.success("a", at: called + .minutes(3)), at: now + .seconds(5))
        #expect(try await restored.delivery("a").state == .delivered)
    }

    @Test func `a test event that was sent since is not retried`() async throws {
        try await queue.ingest(.failure("a", at: start), at: start)
        try await queue.backUp()
        _ = try await queue.store.noteTestEvent(
            endpoint: QueueFixture.endpoint, taskID: "t", eventType: "x", by: "ada",
            at: start + .minutes(5))

        let (_, restored) = try await queue.restore()

        #expect(try await restored.ingest(.failure("t", at: now), at: now + .seconds(5)).new == 0)
    }

    @Test func `a requeue since is not repeated and its note is kept`() async throws {
        try await queue.ingest(.failure("a", at: start), at: start)
        try await discard("a", at: start + .minutes(1))
        try await queue.backUp()
        let id = try await queue.delivery("a").id
        _ = try await queue.store.act(
            .requeue, on: id, by: "ada", reason: "again", at: start + .minutes(5))

        let (_, restored) = try await queue.restore()

        #expect(try await restored.delivery("a").state == .dead)
        #expect(
            try await restored.texts("SELECT action FROM operator_action ORDER BY id") == ["discard", "requeue"])
    }
}
