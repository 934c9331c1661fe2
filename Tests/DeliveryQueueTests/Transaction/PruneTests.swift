import GRDB
import Testing

@testable import DeliveryQueue
@testable import QueueFixtures

@Suite struct PruneTests {
    private let queue: QueueFixture

    init() async throws {
        queue = try await QueueFixture()
    }

    /// `a` is delivered and `b` is dead at `start`, `c` is scheduled, `d` attempting and `e` awaiting.
    private func fill() async throws {
        for task in ["e", "d", "b"] {
            try await queue.ingest(.failure(task, at: start - .minutes(9)), at: start - .minutes(9))
            let claimed = try await queue.claimOne(at: start)
            if task == "b" { try await queue.record(claimed, .rejected, at: start) }
            if task == "e" { try await queue.record(claimed, .accepted, at: start) }
        }
        try await queue.ingest(.failure("a", at: start), .success("a", at: start), .failure("c", at: start), at: start)
    }

    private func tasks() async throws -> [String] {
        try await queue.texts("SELECT task_id FROM delivery ORDER BY task_id")
    }

    private func withBody() async throws -> [String] {
        try await queue.texts(
            """
            SELECT task_id FROM delivery JOIN delivery_body ON delivery_id = id WHERE body IS NOT NULL ORDER BY task_id
            """)
    }

    @Test func `a body is dropped seven days after its delivery arrived, its hash is kept`() async throws {
        try await fill()

        #expect(try await queue.store.prune(at: start + .days(7) - .milliseconds(1)).bodies == 0)
        #expect(try await queue.store.prune(at: start + .days(7)).bodies == 1)
        #expect(try await withBody() == ["b", "c", "d", "e"])
        #expect(try await queue.number("SELECT COUNT(*) FROM delivery_body WHERE length(sha256) = 32") == 5)
        #expect(try await queue.store.prune(at: start + .days(7)).total == 0)
    }

    @Test func `delivered rows go after 90 days, dead ones after 180, open ones never`() async throws {
        try await fill()

        _ = try await queue.store.prune(at: start + .days(90) - .milliseconds(1))
        #expect(try await tasks() == ["a", "b", "c", "d", "e"])
        #expect(try await queue.store.prune(at: start + .days(90)).deliveries == 1)
        #expect(try await tasks() == ["b", "c", "d", "e"])
        #expect(try await queue.store.prune(at: start + .days(180) - .milliseconds(1)).deliveries == 0)
        #expect(try await queue.store.prune(at: start + .days(180)).deliveries == 1)
        #expect(try await queue.store.prune(at: start + .days(9_999)).deliveries == 0)
        #expect(try await tasks() == ["c", "d", "e"])
    }

    @Test func `a clock that was wrong when a delivery was finalized makes it no older than the log says`() async throws
    {
        let aYearAgo = start - .days(365)
        try await queue.ingest(.failure("a", at: start), .failure("b", at: start), at: start)
        // The clock was set back for a while, and right again.
        try await queue.ingest(.success("a", at: start + .minutes(1)), at: aYearAgo)
        _ = try await queue.store.act(
            .discard, on: try await queue.delivery("b").id, by: "ops", reason: "test", at: aYearAgo)

        #expect(try await queue.store.prune(at: start + .minutes(5)).deliveries == 0)
        try await queue.ingest(.failure("a", at: start), .failure("b", at: start), at: start + .minutes(6))
        #expect(try await queue.texts("SELECT state FROM delivery ORDER BY task_id") == ["delivered", "dead"])
    }

    @Test func `a pruned delivery leaves nothing behind`() async throws {
        try await queue.accepted("a", failed: start, called: start + .minutes(1), naming: "n")
        try await queue.ingest(.success("n", of: "a", at: start + .minutes(2)), at: start + .minutes(2))
        _ = try await queue.store.prune(at: start + .days(91))

        for table in ["delivery", "delivery_body", "attempt", "task_alias", "log_entry", "latest_arrival"] {
            #expect(try await queue.number("SELECT COUNT(*) FROM \(table)") == 0, "\(table)")
        }
        #expect(try await queue.counter(Counter.finalized, "profile_update", "delivered") == 1)
    }

    @Test func `a turn removes no more than its limit of each kind`() async throws {
        for index in 0..<7 {
            try await queue.ingest(
                .failure("t\(index)", at: start), .success("t\(index)", at: start), .success("u\(index)", at: start),
                at: start)
        }
        let now = start + .days(91)

        var turns: [PruneSummary] = []
        while turns.last?.total != 0 { turns.append(try await queue.store.prune(limit: 3, at: now)) }
        #expect(turns.map(\.deliveries) == [3, 3, 1, 0])
        #expect(turns.map(\.logEntries) == [3, 3, 1, 0])
        #expect(turns.map(\.bodies).allSatisfy { $0 <= 3 })
    }

    /// One row for each customer: the most that successes cost.
    @Test func `an arrival is forgotten after 14 days, unless a delivery that it may overtake is undelivered`()
        async throws
    {
        let arrived = LogObservation.success("a", at: start)
        var open = LogObservation.failure("b", at: start - .minutes(1))
        var newer = LogObservation.success("c", at: start)
        (open.customerID, newer.customerID) = ("another", "another")
        try await queue.ingest(arrived, open, newer, at: start)
        func arrivals() async throws -> [String] {
            try await queue.texts("SELECT task_id FROM latest_arrival ORDER BY 1")
        }

        _ = try await queue.store.prune(at: start + .days(14) - .milliseconds(1))
        #expect(try await arrivals() == ["a", "c"])
        _ = try await queue.store.prune(at: start + .days(14))
        #expect(try await arrivals() == ["c"])
        _ = try await queue.store.prune(at: start + .days(90))
        #expect(try await arrivals() == [])
    }

    @Test func `an entry without a delivery is forgotten a day after it was last read`() async throws {
        try await queue.ingest(.success("a", at: start), .failure("b", at: start), at: start)
        try await queue.ingest(.success("a", at: start), at: start + .hours(10))

        #expect(try await queue.store.prune(at: start + .hours(34) - .milliseconds(1)).logEntries == 0)
        #expect(try await queue.store.prune(at: start + .hours(34)).logEntries == 1)
        #expect(try await queue.texts("SELECT task_id FROM log_entry") == ["b"])
    }

    @Test func `a success is remembered while a gap may still hold the failure that it mends`() async throws {
        let first = try await queue.ingest(
            .success("a", at: start),
            progress: ScanProgress(
                started: start, newest: start, unread: ScanRange(from: start - .hours(9), to: start - .hours(1)),
                resumeURL: "/2", newestFirst: true),
            at: start)
        let recovered = start + .days(3)
        _ = try await queue.store.prune(at: recovered)
        try await queue.ingest(
            .failure("a", at: start - .hours(2)), progress: ScanProgress(gapID: first.gapID, started: start),
            at: recovered)

        #expect(try await queue.isKnown("a") == false)
        #expect(try await queue.store.prune(at: recovered).logEntries == 1)
    }

    @Test func `unreadable entries go after 90 days`() async throws {
        let entry = UnreadableObservation(reason: "x", detail: "y", raw: [1], logged: nil)
        try await queue.ingest(unreadable: [entry], at: start)

        #expect(try await queue.store.prune(at: start + .days(90) - .milliseconds(1)).unreadable == 0)
        #expect(try await queue.store.prune(at: start + .days(90)).unreadable == 1)
    }

    @Test func `reclaiming space shrinks the file`() async throws {
        for index in 0..<40 {
            var observation = LogObservation.failure("t\(index)", at: start)
            observation.body = [UInt8](repeating: 0x61, count: 50_000)
            try await queue.ingest(observation, .success("t\(index)", at: start), at: start)
        }
        try await checkpoint()
        let full = QueueStore.fileSizes(ofDatabase: queue.path).main
        #expect(full > 2_000_000)
        #expect(try await queue.store.prune(at: start + .days(8)).bodies == 40)

        try await queue.store.reclaimSpace(pages: 10)
        let left = try await queue.number("PRAGMA freelist_count")
        #expect(left > 0)
        for _ in 0..<10 { try await queue.store.reclaimSpace() }
        try await checkpoint()

        #expect(try await queue.number("PRAGMA freelist_count") == 0)
        #expect(QueueStore.fileSizes(ofDatabase: queue.path).main < full / 5)
    }

    private func checkpoint() async throws {
        _ = try await queue.store.pool.writeWithoutTransaction { try $0.checkpoint(.truncate) }
    }
}
