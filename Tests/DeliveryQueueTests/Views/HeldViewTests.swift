import GRDB
import TestSupport
import Testing

@testable import DeliveryQueue
@testable import QueueFixtures

/// What `v_by_endpoint` names as what holds.
@Suite struct HeldViewTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    @Test func `v_by_endpoint names a refused credential as what holds every configured endpoint`() async throws {
        let store = try QueueStore(path: folder.file("refused.db"), now: start)
        try await store.registerEndpoints(
            ["a", "b", "c"].map { (id: $0, name: $0) }, historyFrom: start, at: start)
        try await store.registerEndpoints(["a", "b"].map { (id: $0, name: $0) }, historyFrom: start, at: start)
        try await store.change("hold", rules: .exact(), at: start) {
            try $0.hold("b", .redirected, until: start + .hours(1), since: start)
        }
        func held() async throws -> [String] {
            try await store.pool.read { db in
                try String.fetchAll(
                    db,
                    sql:
                        "SELECT endpoint || coalesce(' ' || held_because || ' ' || held_since_at, '') FROM v_by_endpoint"
                )
            }
        }
        #expect(try await held() == ["a", "b redirected 2026-01-01T00:00:00Z", "c"])

        try await store.recordPause("credential", until: nil, at: start + .minutes(5))
        #expect(
            try await held() == ["a credential 2026-01-01T00:05:00Z", "b credential 2026-01-01T00:05:00Z", "c"])
        try await store.recordPause("throttled", until: start + .hours(1), at: start + .minutes(6))
        #expect(try await held().first == "a")
    }
}
