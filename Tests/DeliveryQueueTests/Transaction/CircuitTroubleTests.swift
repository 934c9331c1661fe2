import GRDB
import Testing

@testable import DeliveryQueue
@testable import QueueFixtures

/// What an endpoint's circuit must not do to its deliveries when the provider, the log or a clock misbehave.
@Suite struct CircuitTroubleTests {
    private let queue: QueueFixture

    init() async throws {
        queue = try await QueueFixture(rules: QueueFixture.circuitRules())
    }

    // MARK: - What must not be called yet

    /// The hour between is a deployment of the provider: a shorter wait would lose everything that is held.
    @Test func `a trial that the provider does not find is not repeated within the hour`() async throws {
        try await queue.fail(3, at: start)
        var now = start + .minutes(1)
        while now - start < .minutes(55) {
            for call in try await queue.claim(at: now) { try await queue.record(call, .notFound, at: now) }
            now = now + .seconds(40)
        }
        #expect(try await queue.texts("SELECT DISTINCT state FROM delivery") == ["scheduled"])
        #expect(try await queue.number("SELECT COUNT(*) FROM attempt") == 3)
        let due = try await queue.store.nextDue(at: now)
        #expect(due == start + .minutes(61))
        #expect(try await queue.claim(at: start + .minutes(62)).count == 1)
    }

    @Test func `nor is it by a recovery within the hour`() async throws {
        try await queue.fail(3, at: start)
        let call = try await queue.trial(at: start + .minutes(1))
        try await queue.record(call, .notFound, at: start + .minutes(1))
        try await queue.ingest(.success("fresh", at: start + .minutes(2)), at: start + .minutes(2))
        var called: [String] = []
        for minute in 2..<50 {
            for call in try await queue.claim(at: start + .minutes(minute)) {
                called.append(call.taskID)
                try await queue.record(call, .accepted, at: start + .minutes(minute))
                try await queue.ingest(
                    .success(call.taskID, at: start + .minutes(minute)), at: start + .minutes(minute))
            }
        }
        #expect(called == ["t1", "t2"])
        #expect(try await queue.claim(at: start + .minutes(62)).map(\.taskID) == ["t0"])
    }

    @Test(arguments: [false, true])
    func `what a restored backup does not know is not tried before the log could tell`(recovers: Bool) async throws {
        let restored = start + .minutes(1)
        try await queue.run("UPDATE endpoint SET restored_ms = ?", [restored.milliseconds])
        try await queue.fail(4, at: restored)
        if recovers {
            try await queue.ingest(.success("fresh", at: start + .minutes(2)), at: start + .minutes(2))
        }
        for minute in 2..<11 {
            #expect(try await queue.claim(at: start + .minutes(minute)).isEmpty)
            #expect(try await queue.store.nextDue(at: start + .minutes(minute)) == restored + .minutes(10))
        }
        #expect(try await queue.claim(at: start + .minutes(11)).count == (recovers ? 4 : 1))
    }

    // MARK: - Calls that nothing is heard of

    @Test func `a call from before the recovery does not keep the drain waiting`() async throws {
        try await queue.fail(3, at: start)
        let call = try await queue.trial(at: start + .minutes(1))
        try await queue.record(call, .accepted, at: start + .minutes(1))
        try await queue.ingest(.pending("t0", at: start + .minutes(1)), at: start + .minutes(1))
        try await queue.ingest(.success("fresh", at: start + .minutes(2)), at: start + .minutes(2))

        let next = try #require(await queue.store.nextDue(at: start + .minutes(2)))
        #expect(next <= start + .minutes(2))
        #expect(try await queue.claim(at: start + .minutes(2)).map(\.taskID) == ["t1"])
        #expect(try await queue.claim(at: start + .minutes(2)).isEmpty)
    }

    @Test func `a trial that the provider is still at does not hold up trials for good`()
        async throws
    {
        try await queue.fail(3, at: start)
        let call = try await queue.trial(at: start + .minutes(1))
        try await queue.record(call, .accepted, at: start + .minutes(1))
        var called: [String] = []
        for minute in 2..<30 where called.isEmpty {
            let now = start + .minutes(minute)
            try await queue.ingest(.pending("t0", at: start + .minutes(1)), at: now)
            try await queue.settle(at: now)
            called += try await queue.claim(at: now).map(\.taskID)
            #expect(minute > 10 || called.isEmpty)
        }
        #expect(called == ["t1"])
        #expect(try await queue.delivery("t0").state == .awaiting)
    }

    // MARK: - Clocks

    @Test func `a clock that is set back after a recovery starts no storm`() async throws {
        try await queue.fail(3, at: start)
        let back = start + .hours(3)
        try await queue.ingest(.success("fresh", at: back), at: back)
        try await queue.run("UPDATE endpoint SET circuit_limit = NULL")
        try await queue.run("DELETE FROM delivery")
        var now = start + .hours(1)
        try await queue.ingest(.failure("young", at: now), at: now)
        var calls = 0
        for _ in 0..<20 {
            now = now + .seconds(15)
            for call in try await queue.claim(at: now) {
                calls += 1
                try await queue.record(call, .accepted, at: now)
                try await queue.ingest(.failure("young", at: now + .seconds(1)), at: now + .seconds(2))
            }
        }
        #expect(calls <= 2)
    }

    @Test func `a clock that is set back does not put the next trial off`() async throws {
        try await queue.fail(3, at: start + .hours(5))
        _ = try await queue.failTrial(at: start + .hours(6))
        var calls = 0
        for minute in 0..<60 { calls += try await queue.claim(at: start + .minutes(minute)).count }
        #expect(calls == 1)
    }

    @Test func `an entry from the far future does not blind it for good`() async throws {
        try await queue.ingest(.success("odd", at: start + .days(20_000)), at: start)
        let now = start + .days(2)
        for index in 0..<3 { try await queue.ingest(.failure("t\(index)", at: now), at: now) }
        #expect(try await queue.phase() == .open(since: now, nextTrial: now + .seconds(30)))
    }

    // MARK: - Off and on again

    @Test func `failures from before circuits were switched off open none later`() async throws {
        try await queue.fail(2, at: start)
        try await queue.store.endCircuits(rules: queue.rules, at: start + .minutes(1))
        try await queue.ingest(.failure("later", at: start + .hours(9)), at: start + .hours(9))
        #expect(try await queue.phase() == .closed)
    }

    @Test func `a trial whose answer comes late and confirms it closes the circuit`() async throws {
        let queue = try await QueueFixture(
            rules: .exact(confirm: .answer, circuit: QueueFixture.circuitRules().circuit))
        try await queue.fail(3, at: start)
        let call = try await queue.trial(at: start + .minutes(1))
        try await queue.settle(at: start + .minutes(3))
        try await queue.record(call, .accepted, at: start + .minutes(3))
        #expect(try await queue.delivery("t0").state == .delivered)
        #expect(try await queue.phase() == .draining(limit: 1))
    }

    // MARK: - Turns, one call at a time

    @Test func `a bulk retry of one endpoint leaves every other its turn`() async throws {
        let queue = try await QueueFixture()
        try await queue.store.registerEndpoints(
            ["ep-1", "ep-2", "ep-3"].map { (id: $0, name: $0) }, historyFrom: start - .hours(72), at: start)
        for endpoint in ["ep-1", "ep-2", "ep-3"] {
            for index in 0..<10 {
                try await queue.ingest(.failure("\(endpoint)-\(index)", at: start), endpoint: endpoint, at: start)
            }
        }
        let ids = try await queue.store.pool.read {
            try Int64.fetchAll($0, sql: "SELECT id FROM delivery WHERE endpoint_id = 'ep-1'")
        }
        _ = try await queue.store.act(
            .retry, on: ids, spacing: .zero, by: "ann", reason: "x", at: start + .hours(1))
        var called: [String] = []
        for _ in 0..<8 { called += try await queue.claim(limit: 1, at: start + .hours(1)).map(\.endpointID) }
        #expect(called == ["ep-1", "ep-2", "ep-1", "ep-3", "ep-1", "ep-2", "ep-1", "ep-3"])
    }
}
