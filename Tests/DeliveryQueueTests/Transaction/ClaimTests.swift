import GRDB
import Testing

@testable import DeliveryQueue
@testable import QueueFixtures

@Suite struct ClaimTests {
    private let due = start + .minutes(1)
    private let queue: QueueFixture

    init() async throws {
        queue = try await QueueFixture()
    }

    @Test func `the intent of a call is committed with the claim`() async throws {
        try await queue.ingest(.failure("a", at: start), at: start)

        let claimed = try await queue.claimOne(at: due)

        let delivery = try await queue.delivery("a")
        #expect(delivery.state == .attempting && delivery.called == due && delivery.leaseToken == claimed.leaseToken)
        #expect(
            try await queue.texts(
                """
                SELECT delivery_id || ' ' || number || ' ' || kind || ' ' || lease_token || ' ' || intent_ms
                FROM attempt WHERE answered_ms IS NULL AND outcome IS NULL
                """)
                == ["\(claimed.id) 1 scheduled 1 \(due.milliseconds)"])
        #expect(
            try await queue.number("SELECT lease_until_ms FROM delivery") == (due + .seconds(60)).milliseconds)
    }

    @Test func `nothing is claimed before it is due, nor twice`() async throws {
        try await queue.ingest(.failure("a", at: start), at: start)

        #expect(try await queue.claim(at: due - .milliseconds(1)).isEmpty)
        #expect(try await queue.claim(at: due).count == 1)
        #expect(try await queue.claim(at: due + .days(1)).isEmpty)
    }

    @Test func `claims from many tasks at once never share a delivery`() async throws {
        for index in 0..<60 { try await queue.ingest(.failure("t\(index)", at: start), at: start) }
        let queue = queue
        let due = due

        let claimed = try await withThrowingTaskGroup(of: [Int64].self) { group in
            for _ in 0..<12 { group.addTask { try await queue.claim(limit: 7, at: due).map(\.id) } }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        #expect(claimed.count == 60)
        #expect(Set(claimed).count == 60)
    }

    @Test(arguments: [(0, 0), (1, 1), (3, 3), (5, 5), (50, 5)])
    func `a claim takes no more than its limit`(limit: Int, count: Int) async throws {
        for index in 0..<5 { try await queue.ingest(.failure("t\(index)", at: start), at: start) }

        #expect(try await queue.claim(limit: limit, at: due).count == count)
        #expect(try await queue.number("SELECT COUNT(*) FROM attempt") == Int64(count))
    }

    @Test func `endpoints take turns, each in the order in which its deliveries failed`() async throws {
        for (task, second) in [("a3", 3), ("a1", 1), ("a4", 4), ("a2", 2)] {
            try await queue.ingest(.failure(task, at: start + .seconds(second)), at: start + .seconds(5))
        }
        for (task, second) in [("b2", 9), ("b1", 8)] {
            try await queue.ingest(
                .failure(task, at: start + .seconds(second)), endpoint: QueueFixture.other, at: start + .seconds(9))
        }
        let now = start + .minutes(9)
        try await queue.run("UPDATE endpoint SET retry_shows = 'new_entry'")

        #expect(try await queue.claim(limit: 3, at: now).map(\.taskID) == ["a1", "b1", "a2"])
        #expect(try await queue.claim(limit: 1, at: now).map(\.taskID) == ["b2"])
        #expect(try await queue.claim(at: now).map(\.taskID) == ["a3", "a4"])
    }

    @Test func `what failed first is called first, also when its policy let it wait for longer`() async throws {
        try await queue.ingest(.failure("first", at: start), at: start)
        try await queue.record(queue.claimOne(at: due), .notExecuted(pause: .minutes(30)), at: due)
        try await queue.run("UPDATE delivery SET turn_ms = first_failed_ms")
        try await queue.run("UPDATE endpoint SET retry_shows = 'new_entry'")
        try await queue.ingest(.failure("second", at: start + .minutes(20)), at: start + .minutes(20))

        #expect(try await queue.claim(at: start + .hours(1)).map(\.taskID) == ["first", "second"])
    }

    // MARK: - Endpoints that are not called

    @Test func `an endpoint that is no longer configured is not called, and is again when it comes back`() async throws
    {
        try await queue.ingest(.failure("a", at: start), at: start)
        try await queue.store.registerEndpoints(
            [(id: QueueFixture.other, name: "second")], historyFrom: start, at: start)
        #expect(try await queue.claim(at: due).isEmpty)
        #expect(try await queue.store.nextDue(at: due) == nil)

        try await queue.store.registerEndpoints(
            [(id: QueueFixture.endpoint, name: "first")], historyFrom: start, at: start)
        #expect(try await queue.claim(at: due).count == 1)
    }

    @Test(arguments: HoldReason.allCases)
    func `a held endpoint is not called, the others are`(reason: HoldReason) async throws {
        try await queue.ingest(.failure("a", at: start), at: start)
        try await queue.ingest(.failure("b", at: start), endpoint: QueueFixture.other, at: start)
        try await queue.change(at: start) { try $0.hold(QueueFixture.endpoint, reason, until: nil, since: start) }

        #expect(try await queue.claim(at: start + .days(30)).map(\.taskID) == ["b"])
    }

    @Test func `a hold that has passed lets one trial through and waits as long again`() async throws {
        for index in 0..<5 { try await queue.ingest(.failure("t\(index)", at: start), at: start) }
        try await queue.change(at: start) {
            try $0.hold(QueueFixture.endpoint, .redirected, until: start + .hours(1), since: start)
        }

        #expect(try await queue.claim(at: start + .hours(1) - .milliseconds(1)).isEmpty)
        #expect(try await queue.claim(at: start + .hours(1)).map(\.taskID) == ["t0"])
        #expect(try await queue.claim(at: start + .hours(2) - .milliseconds(1)).isEmpty)
        #expect(try await queue.claim(at: start + .hours(2)).map(\.taskID) == ["t1"])
    }

    @Test func `a trial that finds no room in the batch is not used up`() async throws {
        try await queue.ingest(.failure("first", at: start), at: start)
        try await queue.ingest(.failure("held", at: start), endpoint: QueueFixture.other, at: start)
        try await queue.change(at: start) {
            try $0.hold(QueueFixture.other, .rejected, until: start + .minutes(5), since: start)
        }
        let now = start + .minutes(6)

        #expect(try await queue.claim(limit: 1, at: now).map(\.taskID) == ["first"])
        #expect(try await queue.claim(limit: 1, at: now).map(\.taskID) == ["held"])
    }

    @Test func `a hold without anything due keeps its trial`() async throws {
        try await queue.change(at: start) {
            try $0.hold(QueueFixture.endpoint, .rejected, until: start + .minutes(5), since: start)
        }
        #expect(try await queue.claim(at: start + .minutes(6)).isEmpty)

        try await queue.ingest(.failure("a", at: start + .minutes(6)), at: start + .minutes(6))
        #expect(try await queue.claim(at: start + .minutes(7)).count == 1)
    }

    // MARK: - Next due

    @Test func `the next due delivery is the earliest of those that may be called`() async throws {
        #expect(try await queue.store.nextDue(at: start) == nil)
        try await queue.ingest(.failure("a", at: start + .minutes(5)), at: start + .minutes(5))
        try await queue.ingest(.failure("b", at: start), endpoint: QueueFixture.other, at: start + .minutes(5))
        #expect(try await queue.store.nextDue(at: start) == due)

        try await queue.change(at: start) {
            try $0.hold(QueueFixture.other, .rejected, until: start + .hours(3), since: start)
        }
        #expect(try await queue.store.nextDue(at: start) == start + .minutes(6))

        _ = try await queue.claim(at: start + .minutes(6))
        #expect(try await queue.store.nextDue(at: start) == start + .hours(3))
    }

    // MARK: - Bodies

    @Test(arguments: [
        "UPDATE delivery_body SET body = x'00'", "UPDATE delivery_body SET body = NULL", "DELETE FROM delivery_body",
        "UPDATE delivery_body SET sha256 = zeroblob(32)",
    ])
    func `a stored body that was altered or lost is not sent`(damage: String) async throws {
        try await queue.ingest(.failure("a", at: start), at: start)
        try await queue.run(damage)

        #expect(try await queue.claim(at: due).isEmpty)
        #expect(try await queue.texts("SELECT state || ' ' || dead_reason FROM delivery") == ["dead rejected"])
        #expect(try await queue.text("SELECT last_error FROM delivery")?.contains("SHA-256") == true)
        #expect(try await queue.number("SELECT COUNT(*) FROM attempt") == 0)
    }
}
