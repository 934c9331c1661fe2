import Testing

@testable import DeliveryQueue
@testable import QueueFixtures

/// A task that arrived and fails again.
@Suite struct FailAnewTests {
    private let queue: QueueFixture

    init() async throws {
        queue = try await QueueFixture()
    }

    private func deliver() async throws -> Timestamp {
        try await queue.accepted("a", failed: start, called: start + .minutes(2))
        try await queue.ingest(.success("a", at: start + .minutes(3)), at: start + .minutes(4))
        #expect(try await queue.delivery("a").state == .delivered)
        return start + .minutes(10)
    }

    @Test func `a delivered task that fails later with another body begins a new cycle with that body`() async throws {
        let again = try await deliver()
        var failure = LogObservation.failure("a", of: "new", at: again, type: "document_upload")
        failure.taskIDJSON = "7"
        try await queue.ingest(failure, at: again + .seconds(5))

        let delivery = try await queue.delivery("a")
        #expect(delivery.state == .scheduled && delivery.cycle == 2 && delivery.attemptsUsed == 0)
        #expect(delivery.firstFailed == again && delivery.cycleStarted == again)
        let claimed = try await queue.claimOne(at: again + .minutes(2))
        #expect(claimed.body == failure.body && claimed.taskIDJSON == "7" && claimed.eventType == "document_upload")

        try await queue.record(claimed, .accepted, at: again + .minutes(2))
        try await queue.ingest(.success("a", of: "new", at: again + .minutes(3)), at: again + .minutes(4))
        #expect(try await queue.delivery("a").state == .delivered)
    }

    @Test func `the page of a new failure read again changes nothing`() async throws {
        let again = try await deliver()
        for _ in 0..<2 { try await queue.ingest(.failure("a", of: "new", at: again), at: again + .seconds(5)) }

        #expect(try await queue.delivery("a").cycle == 2)
    }

    @Test(arguments: ["the same body", "earlier", "without a time"])
    func `what has arrived stays delivered when a failure is not surely a new one`(case kind: String) async throws {
        let again = try await deliver()
        let failure: LogObservation =
            switch kind {
            case "the same body": .failure("a", at: again)
            case "earlier": .failure("a", of: "new", at: start + .minutes(1))
            default: .failure("a", of: "new", at: nil)
            }
        try await queue.ingest(failure, at: again)

        #expect(try await queue.delivery("a").state == .delivered)
    }

    @Test func `a success of the event before that is read late does not end the new failure`() async throws {
        let again = try await deliver()
        try await queue.ingest(.failure("a", of: "new", at: again), at: again + .seconds(5))
        try await queue.ingest(.success("a", at: again - .minutes(1)), at: again + .seconds(30))

        #expect(try await queue.delivery("a").state == .scheduled)
    }

    @Test func `a call that was unconfirmed long ago keeps no failure from being new`() async throws {
        let again = try await deliver() + .hours(25)
        try await queue.run("UPDATE attempt SET outcome = 'unconfirmed'")
        try await queue.ingest(.failure("a", of: "new", at: again), at: again + .seconds(5))

        #expect(try await queue.delivery("a").cycle == 2)
    }

    @Test func `a failure while a call is unconfirmed is no new one`() async throws {
        let again = try await deliver()
        try await queue.run("UPDATE attempt SET outcome = 'unconfirmed'")
        try await queue.ingest(.failure("a", of: "new", at: again), at: again)

        #expect(try await queue.delivery("a").state == .delivered)
    }

    @Test func `a task that arrived at once and fails later with another body is a new failure`() async throws {
        try await queue.ingest(.success("a", at: start), at: start)
        try await queue.ingest(.failure("a", at: start + .minutes(1)), at: start + .minutes(1))
        #expect(try await queue.isKnown("a") == false)

        try await queue.ingest(.failure("a", of: "new", at: start + .minutes(2)), at: start + .minutes(2))
        #expect(try await queue.delivery("a").state == .scheduled)
    }

    @Test func `a success that is older than a new failure and had another body does not mend it`() async throws {
        try await queue.ingest(
            .failure("a", of: "new", at: start + .minutes(2)), .success("a", at: start), at: start + .minutes(2))
        #expect(try await queue.delivery("a").state == .scheduled)

        try await queue.ingest(.success("a", of: "new", at: start + .minutes(3)), at: start + .minutes(3))
        #expect(try await queue.delivery("a").state == .delivered)
    }
}
