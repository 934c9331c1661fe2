import Testing

@testable import DeliveryQueue
@testable import QueueFixtures

/// `confirm.by: answer`, where the log contradicts an answer.
@Suite struct TakeBackTests {
    private let called = start + .minutes(1)
    private let queue: QueueFixture

    init() async throws {
        queue = try await QueueFixture(rules: .exact(confirm: .answer))
    }

    private func shows(_ shows: RetryShows) async throws {
        try await queue.store.change("set", rules: queue.rules, at: start) {
            try $0.session.run("UPDATE endpoint SET retry_shows = ?", [shows])
        }
    }

    private func failAgain(_ observation: LogObservation, after seconds: Int) async throws -> IngestSummary {
        let now = called + .seconds(seconds)
        return try await queue.ingest(observation, at: now)
    }

    @Test func `a failure of the call in the log takes the delivery back, and it is retried`() async throws {
        try await queue.accepted("a", failed: start, called: called)
        #expect(try await queue.delivery("a").state == .delivered)

        let summary = try await failAgain(.failure("a", at: called + .seconds(20)), after: 30)

        let delivery = try await queue.delivery("a")
        #expect(summary.failedAgain == 1 && summary.new == 0)
        #expect(delivery.state == .scheduled && delivery.attemptsUsed == 1)
        #expect(delivery.nextAttempt == called + .seconds(20) + .minutes(2))
        #expect(try await queue.texts("SELECT outcome FROM attempt") == ["failed"])
        #expect(try await queue.claim(at: called + .hours(1)).map(\.taskID) == ["a"])
    }

    @Test(arguments: [nil, "b"]) func `a failure under another task id takes it back as well`(named: String?)
        async throws
    {
        try await queue.accepted("a", failed: start, called: called, naming: named)

        let summary = try await failAgain(.failure("b", of: "a", at: called + .seconds(20)), after: 30)

        #expect(summary.new == 0)
        #expect(try await queue.delivery("a").state == .scheduled)
    }

    @Test func `a failure from before the call changes nothing`() async throws {
        try await queue.accepted("a", failed: start, called: called)

        _ = try await failAgain(.failure("a", at: called - .seconds(20)), after: 30)

        #expect(try await queue.delivery("a").state == .delivered)
    }

    @Test func `a success in the log proves the arrival for good`() async throws {
        try await queue.accepted("a", failed: start, called: called)
        try await queue.ingest(.success("a", at: called + .seconds(5)), at: called + .seconds(9))
        #expect(try await queue.texts("SELECT delivered_evidence FROM delivery") == ["log"])

        _ = try await failAgain(.failure("a", at: called + .seconds(20)), after: 30)

        #expect(try await queue.delivery("a").state == .delivered)
    }

    @Test func `an old row that still says failure when its time is over takes the delivery back`() async throws {
        try await shows(.inPlace)
        let failure = LogObservation.failure("a", at: start)
        try await queue.accepted("a", failed: start, called: called)
        _ = try await failAgain(failure, after: 590)
        #expect(try await queue.delivery("a").state == .delivered)
        let plan = try await queue.store.scanPlan(
            of: QueueFixture.endpoint, overlap: .zero,
            rereading: .none, rules: queue.rules, at: called + .seconds(620))
        #expect(plan.rereadFrom == start - RetryRules.clockTolerance)

        _ = try await failAgain(failure, after: 620)

        #expect(try await queue.delivery("a").state == .scheduled)
    }

    @Test(arguments: [RetryShows.newEntry, .unknown])
    func `an old row says nothing where rows do not change, or nobody knows`(way: RetryShows) async throws {
        try await shows(way)
        try await queue.accepted("a", failed: start, called: called)

        _ = try await failAgain(.failure("a", at: start), after: 620)

        #expect(try await queue.delivery("a").state == .delivered)
    }

    @Test func `a row with another outcome under its old id and time shows that the log changes its rows`() async throws
    {
        try await queue.ingest(.failure("a", at: start), at: start)
        try await queue.ingest(.success("a", at: start), at: start + .seconds(5))

        #expect(try await queue.texts("SELECT retry_shows FROM endpoint WHERE id = 'ep-1'") == ["in_place"])
    }
}
