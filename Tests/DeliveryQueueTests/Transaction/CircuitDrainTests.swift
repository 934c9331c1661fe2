import GRDB
import Testing

@testable import DeliveryQueue
@testable import QueueFixtures

/// How a circuit releases what it held, and which holds go before it.
@Suite struct CircuitDrainTests {
    private let queue: QueueFixture

    init() async throws {
        queue = try await QueueFixture(rules: QueueFixture.circuitRules())
    }

    // MARK: - Letting go

    @Test(arguments: [false, true])
    func `an arrival makes all that was held due, in the order in which it failed`(isTrial: Bool) async throws {
        let queue = try await QueueFixture(rules: QueueFixture.circuitRules(ramp: nil))
        for index in [3, 1, 4, 0, 2] {
            try await queue.ingest(.failure("t\(index)", at: start + .seconds(index)), at: start + .seconds(5))
        }
        let now = start + .minutes(2)
        if isTrial {
            let claimed = try await queue.claimOne(at: now)
            try await queue.record(claimed, .accepted, at: now)
            try await queue.ingest(.success(claimed.taskID, at: now + .seconds(1)), at: now + .seconds(2))
            #expect(try await queue.counter(Counter.trials, QueueFixture.endpoint, "delivered") == 1)
        } else {
            try await queue.ingest(.success("fresh", at: now), at: now + .seconds(2))
        }

        let next = try #require(await queue.store.nextDue(at: now))
        #expect(next <= now + .seconds(2))
        let expected = ["t0", "t1", "t2", "t3", "t4"].dropFirst(isTrial ? 1 : 0)
        #expect(try await queue.claim(at: now + .seconds(2)).map(\.taskID) == Array(expected))
    }

    /// By its own time it would be due in hours.
    @Test func `what was retried before the outage is pulled forward too`() async throws {
        try await queue.ingest(.failure("old", at: start), at: start)
        try await queue.run(
            "UPDATE delivery SET attempts_used = 8, next_attempt_ms = ?", [(start + .hours(9)).milliseconds])
        try await queue.fail(3, at: start + .minutes(1))
        try await queue.ingest(.success("fresh", at: start + .hours(1)), at: start + .hours(1))

        #expect(try await queue.delivery("old").nextAttempt == start + .hours(1))
        #expect(try await queue.claimOne(at: start + .hours(1)).taskID == "old")
    }

    @Test func `a drain begins with one call and doubles with what arrives`() async throws {
        try await queue.fail(40, at: start)
        var now = start + .hours(1)
        try await queue.ingest(.success("fresh", at: now), at: now)
        var batches: [Int] = []
        while batches.count < 6 {
            let claimed = try await queue.claim(limit: 50, at: now)
            batches.append(claimed.count)
            #expect(try await queue.claim(limit: 50, at: now).isEmpty || batches.count > 4)
            for call in claimed {
                try await queue.record(call, .accepted, at: now)
                try await queue.ingest(.success(call.taskID, at: now), at: now)
            }
            now = now + .seconds(2)
        }
        #expect(batches == [1, 2, 4, 33, 0, 0])
        #expect(try await queue.phase() == .closed)
    }

    @Test func `a drain that is over closes the circuit, however small it was`() async throws {
        try await queue.fail(3, at: start)
        try await queue.ingest(.success("fresh", at: start + .hours(1)), at: start + .hours(1))
        for call in ["t0", "t1", "t2"] {
            let claimed = try await queue.claim(limit: 1, at: start + .hours(2))
            #expect(claimed.map(\.taskID) == [call])
            try await queue.record(claimed[0], .accepted, at: start + .hours(2))
            try await queue.ingest(.success(call, at: start + .hours(2)), at: start + .hours(2))
        }
        #expect(try await queue.phase() == .draining(limit: 4))
        _ = try await queue.claim(at: start + .hours(2))
        #expect(try await queue.phase() == .closed)
    }

    @Test func `a receiver that falls again keeps the order of the line and climbs on`() async throws {
        try await queue.fail(9, at: start)
        _ = try await queue.failTrial(at: start + .minutes(1))
        let back = start + .hours(1)
        try await queue.ingest(.success("fresh", at: back), at: back)
        for second in 1...3 {
            let call = try await queue.claimOne(at: back + .seconds(second * 10))
            try await queue.record(call, .accepted, at: back + .seconds(second * 10))
            try await queue.ingest(
                .failure(call.taskID, at: back + .seconds(second * 10 + 1)), at: back + .seconds(second * 10 + 2))
        }
        // t0 was a trial and kept its place; three calls, no herd; the ladder goes on at its second step.
        #expect(try await queue.phase() == .open(since: back + .seconds(32), nextTrial: back + .seconds(92)))
        let again = back + .hours(1)
        try await queue.ingest(.success("fresh2", at: again), at: again)
        #expect(try await queue.claim(limit: 1, at: again).map(\.taskID) == ["t3"])
    }

    /// Calls go one at a time. If a delivery that has just failed went first each time, no other would ever be called.
    @Test func `a receiver that falls again is held again though what fails is due again at once`() async throws {
        try await queue.fail(40, at: start)
        let back = start + .hours(1)
        try await queue.ingest(.success("fresh", at: back), at: back)
        var calls = 0
        while calls < 12, try await queue.phase().heldSince == nil {
            calls += 1
            let now = back + .seconds(calls * 10)
            let call = try await queue.claimOne(at: now)
            try await queue.record(call, .accepted, at: now)
            try await queue.ingest(.failure(call.taskID, at: now + .seconds(1)), at: now + .seconds(2))
            try await queue.run("UPDATE delivery SET next_attempt_ms = ?", [now.milliseconds])
        }
        #expect(calls < 12)
    }

    // MARK: - Beside a drain

    @Test func `what fails after the recovery is not kept waiting by the drain`() async throws {
        let queue = try await QueueFixture(rules: QueueFixture.circuitRules(ramp: nil))
        for index in 0..<300 {
            try await queue.ingest(.failure("t\(index)", at: start + .seconds(index)), at: start + .seconds(index))
        }
        let back = start + .hours(1)
        try await queue.ingest(.success("fresh", at: back), at: back)
        try await queue.ingest(.failure("young", at: back + .seconds(1)), at: back + .seconds(1))

        #expect(try await queue.claim(limit: 4, at: back + .seconds(2)).map(\.taskID) == ["t0", "t1", "t2", "t3"])
        #expect(
            try await queue.claim(limit: 4, at: back + .minutes(2)).map(\.taskID) == ["young", "t4", "t5", "t6"])
    }

    @Test func `endpoints beside a drain keep their turn`() async throws {
        let queue = try await QueueFixture(rules: QueueFixture.circuitRules(ramp: nil))
        for index in 0..<50 {
            try await queue.ingest(.failure("t\(index)", at: start + .seconds(index)), at: start + .seconds(index))
        }
        try await queue.ingest(.success("fresh", at: start + .hours(1)), at: start + .hours(1))
        for index in 0..<2 {
            try await queue.ingest(
                .failure("b\(index)", at: start + .hours(1)), endpoint: QueueFixture.other, at: start + .hours(1))
        }
        #expect(
            try await queue.claim(limit: 4, at: start + .hours(2)).map(\.taskID) == ["t0", "b0", "t1", "b1"])
    }

    // MARK: - Who stands above it

    @Test func `an operator's pause holds the trials too, and the circuit learns on beneath it`() async throws {
        try await queue.fail(3, at: start)
        _ = try await queue.store.pause(
            endpoint: QueueFixture.endpoint, by: "ann", reason: "x", at: start + .minutes(1))
        #expect(try await queue.claim(at: start + .hours(1)).isEmpty)
        try await queue.ingest(.success("fresh", at: start + .hours(2)), at: start + .hours(2))
        #expect(try await queue.claim(at: start + .hours(3)).isEmpty)
        #expect(try await queue.holdReason() == "operator")

        _ = try await queue.store.resume(
            endpoint: QueueFixture.endpoint, by: "ann", reason: "x", rules: queue.rules, at: start + .hours(4))
        #expect(try await queue.claim(at: start + .hours(4)).map(\.taskID) == ["t0"])
        #expect(try await queue.delivery("t1").held.total(at: start + .hours(9)) == .hours(4) - .seconds(2))
    }

    @Test func `an operator's resume closes it`() async throws {
        try await queue.fail(3, at: start)
        let change = try await queue.store.resume(
            endpoint: QueueFixture.endpoint, by: "ann", reason: "x", rules: queue.rules, at: start + .seconds(9))
        #expect(change == .made)
        #expect(try await queue.claim(at: start + .seconds(9)).map(\.taskID) == ["t0"])
    }

    @Test func `an operator's retry passes it, and its arrival closes it`() async throws {
        try await queue.fail(3, at: start)
        let id = try await queue.delivery("t2").id
        _ = try await queue.store.act(
            .retry, on: id, by: "ann", reason: "x", at: start + .seconds(5))
        let call = try await queue.claimOne(at: start + .seconds(5))
        try await queue.record(call, .accepted, at: start + .seconds(5))
        try await queue.ingest(.success("t2", at: start + .seconds(6)), at: start + .seconds(7))

        #expect(try await queue.phase() == .draining(limit: 1))
    }

    @Test func `a configuration without circuits lets everything go`() async throws {
        try await queue.fail(3, at: start)
        try await queue.store.endCircuits(rules: queue.rules, at: start + .seconds(9))

        #expect(try await queue.phase() == .closed)
        #expect(try await queue.claim(at: start + .seconds(9)).count == 3)
    }

    // MARK: - What people see

    @Test func `the views tell of the circuit, its trial and its drain`() async throws {
        try await queue.fail(4, at: start)
        let columns = "circuit, circuit_since_at, circuit_because, next_trial_at, trial_task_id, held_because, held"
        let sql = "SELECT \(columns) FROM v_by_endpoint WHERE endpoint_id = 'ep-1'"
        func shown() async throws -> [String] {
            try await queue.store.pool.read { db in
                try Row.fetchAll(db, sql: sql)[0].databaseValues.map { String.fromDatabaseValue($0) ?? "\($0)" }
            }
        }
        #expect(
            try await shown() == [
                "open", "2026-01-01T00:00:02Z",
                "its receiver failed for different deliveries in a row, last 2026-01-01T00:00:03Z",
                "2026-01-01T00:00:32Z", "NULL", "circuit", "4",
            ])
        #expect(try await queue.texts("SELECT DISTINCT waits_for FROM v_open") == ["its endpoint to recover"])
        #expect(
            try await queue.texts("SELECT DISTINCT held_because || ' ' || held_until_at FROM v_due")
                == ["circuit 2026-01-01T00:00:32Z"])
        #expect(
            try await queue.text("SELECT ok || ' ' || detail FROM v_health WHERE check_name = 'circuits_open'")
                == "0 first since 2026-01-01T00:00:02Z")

        let call = try await queue.trial(at: start + .minutes(1))
        #expect(try await shown()[4] == "t0")
        try await queue.record(call, .accepted, at: start + .minutes(1))
        try await queue.ingest(.success("t0", at: start + .minutes(1)), at: start + .minutes(1))
        #expect(
            try await shown() == [
                "draining", "2026-01-01T00:01:00Z", "it is back: at most 1 calls are open at once", "NULL", "NULL",
                "NULL",
                "0",
            ])
        #expect(try await queue.texts("SELECT DISTINCT waits_for FROM v_open") == ["its turn"])
        #expect(
            try await queue.texts("SELECT detail FROM v_timeline WHERE source = 'retry'")[0].hasPrefix("a trial of"))
    }
}
