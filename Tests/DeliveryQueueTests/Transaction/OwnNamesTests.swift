import Testing

@testable import DeliveryQueue
@testable import QueueFixtures

/// Where a log shows retries under the deliveries' own task ids, an entry under another is an event of its own.
@Suite struct OwnNamesTests {
    private let queue: QueueFixture

    init() async throws {
        queue = try await QueueFixture()
    }

    /// Retries of this many deliveries that stood in the log under their own task ids.
    ///
    /// - Parameter fails: whether the first of them failed once more before it arrived.
    private func learn(_ count: Int, from time: Timestamp = start, fails: Bool = true) async throws {
        for number in 0..<count {
            let failed = time + .seconds(number * 90)
            try await queue.accepted("own-\(number)-\(time.milliseconds)", failed: failed, called: failed + .minutes(1))
            if fails, number == 0 {
                try await queue.ingest(
                    .failure("own-\(number)-\(time.milliseconds)", at: failed + .seconds(61)), at: failed + .seconds(63)
                )
            }
            try await queue.ingest(
                .success("own-\(number)-\(time.milliseconds)", at: failed + .seconds(62)), at: failed + .seconds(75))
        }
    }

    private let later = start + .minutes(20)

    /// A failure and then a success that equal `a`, whose call is open, under unknown task ids.
    private func twins() async throws -> [String] {
        try await queue.accepted("a", failed: later, called: later + .minutes(1))
        try await queue.ingest(
            .failure("n", of: "a", at: later + .seconds(62)), .success("m", of: "a", at: later + .seconds(63)),
            at: later + .seconds(75))
        return try await queue.texts("SELECT task_id || ' ' || state FROM delivery WHERE task_id NOT LIKE 'own%'")
    }

    @Test func `where retries stand under their own names an equal event is an event of its own`() async throws {
        try await learn(5)

        #expect(try await twins() == ["a awaiting", "n scheduled"])
    }

    @Test func `four retries under their own names do not tell how all are named`() async throws {
        try await learn(4)

        #expect(try await twins() == ["a scheduled"])
    }

    @Test func `names of arrivals do not tell how failures are named`() async throws {
        try await learn(5, fails: false)

        #expect(try await twins() == ["a scheduled"])
    }

    @Test func `names are not trusted before others have had the time to appear`() async throws {
        try await learn(5, from: later - .minutes(9))

        #expect(try await twins() == ["a scheduled"])
    }

    @Test func `a retry under another name shows that names tell nothing`() async throws {
        try await learn(3)
        try await queue.accepted("b", failed: start + .minutes(5), called: start + .minutes(6))
        try await queue.ingest(.success("b2", of: "b", at: start + .minutes(6)), at: start + .minutes(7))
        try await learn(4, from: start + .minutes(8))

        #expect(try await twins().contains("a scheduled"))
    }

    @Test(arguments: [true, false]) func `a call that never shows casts doubt on names if it was taken on`(
        isTaken: Bool
    ) async throws {
        try await learn(5)
        let called = start + .minutes(9)
        try await queue.ingest(.failure("b", at: called - .minutes(1)), at: called - .minutes(1))
        try await queue.record(queue.claimOne(at: called), isTaken ? .accepted : .uncertain, at: called)
        try await queue.ingest(at: called + .minutes(10))
        #expect(try await queue.settle(at: called + .minutes(10)).unconfirmed == 1)
        try await queue.ingest(.success("b", at: called + .minutes(10)), at: called + .minutes(10))

        #expect(try await twins().contains("n scheduled") == !isTaken)
    }
}
