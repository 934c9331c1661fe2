import Testing

@testable import DeliveryQueue
@testable import QueueFixtures

/// A call that was never sent, because the reading of its log had become too old, shows nothing of its endpoint.
@Suite struct LateCallTests {
    @Test func `a trial that was never sent is made again at once`() async throws {
        let queue = try await QueueFixture(rules: QueueFixture.circuitRules())
        let now = start + .hours(1)
        try await queue.fail(5, at: now)

        try await queue.record(queue.trial(at: now + .minutes(1)), Reply(answer: .late), at: now + .minutes(1))

        let next = now + .minutes(1) + .seconds(1)
        #expect(try await queue.claim(at: next).count == 1)
    }

    @Test func `the one try of a held endpoint is made again at once when it was never sent`() async throws {
        let queue = try await QueueFixture()
        let now = start + .hours(1)
        for task in ["a", "b"] { try await queue.ingest(.failure(task, at: start), at: start) }
        try await queue.store.change("hold", rules: queue.rules, at: start) {
            try $0.hold(QueueFixture.endpoint, .rejected, until: now, since: start)
        }

        try await queue.record(queue.claimOne(at: now), Reply(answer: .late), at: now + .seconds(1))

        #expect(try await queue.claim(at: now + .seconds(2)).count == 1)
        #expect(try await queue.claim(at: now + .seconds(3)).isEmpty)
    }

    @Test func `an operator's retry that was never sent does not bring the try of a hold forward`() async throws {
        let queue = try await QueueFixture()
        let now = start + .hours(1)
        try await queue.ingest(.failure("a", at: start), .failure("b", at: start), at: start)
        try await queue.store.change("hold", rules: queue.rules, at: start) {
            try $0.hold(QueueFixture.endpoint, .rejected, until: now + .hours(1), since: start)
        }
        let id = try await queue.delivery("a").id
        _ = try await queue.store.act(.retry, on: id, by: "ann", reason: "x", at: now)

        try await queue.record(queue.claimOne(at: now), Reply(answer: .late), at: now)

        #expect(
            try await queue.number("SELECT hold_until_ms FROM endpoint WHERE id = 'ep-1'")
                == (now + .hours(1)).milliseconds)
    }
}
