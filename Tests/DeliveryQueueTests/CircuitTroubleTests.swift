import GRDB
import Testing

@testable import DeliveryQueue

/// What an endpoint's circuit must not do to its deliveries when the provider, the log or a clock misbehave.
@Suite struct CircuitTroubleTests {
    private let queue: QueueFixture

    init() async throws {
        queue = try await QueueFixture(rules: QueueFixture.circuitRules())
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

    @Test func `an entry from the far future does not blind it for good`() async throws {
        try await queue.ingest(.success("odd", at: start + .days(20_000)), at: start)
        let now = start + .days(2)
        for index in 0..<3 { try await queue.ingest(.failure("t\(index)", at: now), at: now) }
        #expect(try await queue.phase() == .open(since: now, nextTrial: now + .seconds(30)))
    }

    // MARK: - Off and on again

    @Test func `failures from before circuits were switched off open none later`() async throws {
        try await queue.fail(2, at: start)
        try await queue.store.endCircuits(at: start + .minutes(1))
        try await queue.ingest(.failure("later", at: start + .hours(9)), at: start + .hours(9))
        #expect(try await queue.phase() == .closed)
    }

    // MARK: - Turns, one call at a time

    @Test func `a bulk retry of one endpoint leaves every other its turn`() async throws {
        let queue = try await QueueFixture()
        try await queue.store.registerEndpoints(
            ["ep-1", "ep-2", "ep-3"].map { (id: $0, name: $0) }, historyFrom: start - .hours(72))
        for endpoint in ["ep-1", "ep-2", "ep-3"] {
            for index in 0..<10 {
                try await queue.ingest(.failure("\(endpoint)-\(index)", at: start), endpoint: endpoint, at: start)
            }
        }
        let ids = try await queue.store.pool.read {
            try Int64.fetchAll($0, sql: "SELECT id FROM delivery WHERE endpoint_id = 'ep-1'")
        }
        _ = try await queue.store.act(.retry, on: ids, spacing: .zero, by: "ann", reason: "x", at: start + .hours(1))
        var called: [String] = []
        for _ in 0..<8 { called += try await queue.claim(limit: 1, at: start + .hours(1)).map(\.endpointID) }
        #expect(called == ["ep-1", "ep-2", "ep-1", "ep-3", "ep-1", "ep-2", "ep-1", "ep-3"])
    }
}
