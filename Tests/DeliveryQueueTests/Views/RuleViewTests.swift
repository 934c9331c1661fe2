import Foundation
import GRDB
import TestSupport
import Testing

@testable import DeliveryQueue
@testable import QueueFixtures

/// The views that decide when a delivery is due and what holds it, in every case there is.
@Suite struct RuleViewTests {
    private let folder: TemporaryFolder
    private let store: QueueStore

    /// Whether it is configured, its hold and its circuit; the times are milliseconds.
    struct Endpoint: Sendable, CustomTestStringConvertible {
        let id: String
        let sql: String
        let heldBecause: String?
        let since: Int64?
        let until: Int64?
        var recovered: Int64?

        var testDescription: String { id }
        /// Whether it also holds operators' retries.
        var stopsOperators: Bool { heldBecause == "operator" || heldBecause == "not configured" }
    }

    private struct Scheduled {
        let next: Int64
        let turn: Int64
        let isManual: Bool
    }

    static let endpoints: [Endpoint] = [
        Endpoint(id: "free", sql: "active = 1", heldBecause: nil, since: nil, until: nil),
        Endpoint(
            id: "back", sql: "active = 1, recovered_ms = 500", heldBecause: nil, since: nil, until: nil, recovered: 500),
        Endpoint(
            id: "draining", sql: "active = 1, recovered_ms = 500, circuit_limit = 2", heldBecause: nil, since: nil,
            until: nil, recovered: 500),
        Endpoint(
            id: "open", sql: "active = 1, recovered_ms = 300, circuit_open_ms = 400, circuit_next_trial_ms = 900",
            heldBecause: "circuit", since: 400, until: 900, recovered: 300),
        Endpoint(
            id: "silent", sql: "active = 1, hold_reason = 'log_silent', hold_since_ms = 50", heldBecause: "log_silent",
            since: 50, until: nil),
        Endpoint(
            id: "both",
            sql: """
                active = 1, hold_reason = 'redirected', hold_since_ms = 60, hold_until_ms = 700, circuit_open_ms = 400,
                circuit_next_trial_ms = 900
                """, heldBecause: "redirected", since: 60, until: 700),
        Endpoint(
            id: "paused", sql: "active = 1, hold_reason = 'operator', hold_since_ms = 70, recovered_ms = 500",
            heldBecause: "operator", since: 70, until: nil, recovered: 500),
        Endpoint(
            id: "gone", sql: "active = 0, hold_reason = 'operator', hold_since_ms = 70, hold_until_ms = 80",
            heldBecause: "not configured", since: nil, until: nil),
    ]

    private static let scheduled: [Scheduled] = [100, 500, 800, 9_000_000_000_000].flatMap { next in
        [200, 500, 600].flatMap { turn in
            [false, true].map { Scheduled(next: next, turn: turn, isManual: $0) }
        }
    }

    init() async throws {
        folder = try TemporaryFolder()
        store = try QueueStore(path: folder.file("queue.db"), now: start)
        try await store.registerEndpoints(
            Self.endpoints.map { (id: $0.id, name: "name-\($0.id)") }, historyFrom: start, at: start)
        try await store.pool.write { db in
            for endpoint in Self.endpoints {
                try db.execute(sql: "UPDATE endpoint SET \(endpoint.sql) WHERE id = '\(endpoint.id)'")
            }
        }
    }

    private func add(_ scheduled: Scheduled, to endpoint: Endpoint, as task: Int, _ db: Database) throws {
        try db.execute(
            sql: """
                INSERT INTO delivery (endpoint_id, task_id, event_type, webhook_id, state, cycle_started_ms, logged_ms,
                    first_failed_ms, last_failed_ms, next_attempt_ms, turn_ms, manual_ms, kept_attempt_ms, created_ms, updated_ms)
                VALUES (:endpoint, :task, 'x', 'w', 'scheduled', 1, 1, 1, 1, :next, :turn, :manual, :manual, 1, 1)
                """,
            arguments: [
                "endpoint": endpoint.id, "task": "\(task)", "next": scheduled.next, "turn": scheduled.turn,
                "manual": scheduled.isManual ? 90 : nil,
            ])
    }

    private func isReleased(_ scheduled: Scheduled, _ endpoint: Endpoint) -> Bool {
        !scheduled.isManual && endpoint.recovered.map { scheduled.turn <= $0 } ?? false
    }

    private func due(_ scheduled: Scheduled, _ endpoint: Endpoint) -> Int64 {
        isReleased(scheduled, endpoint) ? min(scheduled.next, endpoint.recovered ?? .max) : scheduled.next
    }

    private func waitsFor(_ held: String?, due: Int64) -> String {
        switch held {
        case nil: due > 1_000 ? "its time" : "its turn"
        case "not configured": "its endpoint in the configuration"
        case "circuit": "its endpoint to recover"
        case .some(let hold): "the hold \(hold)"
        }
    }

    @Test func `when each delivery is due, and what holds it`() async throws {
        try await store.pool.write { db in
            for endpoint in Self.endpoints {
                for (task, scheduled) in Self.scheduled.enumerated() {
                    try add(scheduled, to: endpoint, as: task, db)
                }
            }
        }
        for endpoint in Self.endpoints {
            for (task, scheduled) in Self.scheduled.enumerated() {
                let row = try store.pool.read { db in
                    try Row.fetchOne(
                        db,
                        sql: """
                            SELECT coalesce(is_released, 0) AS is_released, due_ms, endpoint, endpoint_held_because, held_because,
                                held_until_ms, waits_for
                            FROM delivery_standing WHERE endpoint_id = ? AND task_id = ?
                            """, arguments: [endpoint.id, "\(task)"])
                }
                let found = try #require(row)
                let held = scheduled.isManual && !endpoint.stopsOperators ? nil : endpoint.heldBecause
                let comment: Comment = "\(endpoint.id) \(scheduled)"
                #expect(found["is_released"] == isReleased(scheduled, endpoint), comment)
                #expect(found["due_ms"] == due(scheduled, endpoint), comment)
                #expect(found["endpoint"] == "name-\(endpoint.id)")
                #expect(found["endpoint_held_because"] == endpoint.heldBecause, comment)
                #expect(found["held_because"] == held, comment)
                #expect(found["held_until_ms"] == (held == nil ? nil : endpoint.until), comment)
                #expect(found["waits_for"] == waitsFor(held, due: due(scheduled, endpoint)), comment)
            }
        }
    }

    /// Two indexes find it; it must be what a walk over all deliveries would find.
    @Test func `the next due time of an endpoint is the least of its deliveries' times`() async throws {
        for one in Self.scheduled {
            for other in Self.scheduled {
                try await store.pool.write { db in
                    try db.execute(sql: "DELETE FROM delivery")
                    for endpoint in Self.endpoints {
                        try add(one, to: endpoint, as: 1, db)
                        try add(other, to: endpoint, as: 2, db)
                    }
                }
                let differing = try await store.pool.read { db in
                    try String.fetchAll(
                        db,
                        sql: """
                            SELECT id FROM endpoint_standing WHERE next_due_ms IS DISTINCT FROM (
                                SELECT MIN(due_ms) FROM delivery_standing WHERE endpoint_id = endpoint_standing.id)
                            """)
                }
                #expect(differing == [], "\(one), \(other)")
            }
        }
    }

    @Test func `why each endpoint is held, since when and until when`() throws {
        let rows = try store.pool.read { db in
            try Row.fetchAll(
                db, sql: "SELECT id, held_because, held_since_ms, held_until_ms, next_due_ms FROM endpoint_standing")
        }
        #expect(rows.count == Self.endpoints.count)
        for endpoint in Self.endpoints {
            let row = try #require(rows.first { $0["id"] == endpoint.id })
            #expect(row["held_because"] == endpoint.heldBecause && row["held_since_ms"] == endpoint.since)
            #expect(row["held_until_ms"] == endpoint.until)
            #expect(row["next_due_ms"] == nil as Int64?, "nothing is scheduled")
        }
    }

    /// Claims ask by the table's indexes, so this holds them to the views. An open circuit lets one trial more through,
    /// a hold whose pause is over one try.
    @Test(arguments: Self.endpoints) func `a claim takes what the views call due and not held`(
        _ endpoint: Endpoint
    ) async throws {
        let now: Int64 = 1_000
        try await store.pool.write { db in
            try db.execute(sql: "UPDATE endpoint SET circuit_limit = 100 WHERE circuit_limit IS NOT NULL")
            for (task, scheduled) in Self.scheduled.enumerated() { try add(scheduled, to: endpoint, as: task, db) }
            try db.execute(
                sql: """
                    INSERT INTO delivery_body (delivery_id, body, sha256, task_id_json, customer_id_json, webhook_id_json)
                    SELECT id, X'7B7D', ?, task_id, 'null', '1' FROM delivery
                    """, arguments: [Data(BodyDigest.sha256(Array("{}".utf8)))])
        }
        let due = try await store.pool.read { db in
            try Set(
                Int64.fetchAll(
                    db,
                    sql: """
                        SELECT id FROM delivery_standing
                        WHERE state = 'scheduled' AND due_ms <= ? AND held_because IS NULL
                        """, arguments: [now]))
        }
        let batch = try await store.claimDue(
            limit: 100, lease: .seconds(60), rules: RetryRules(), at: Timestamp(milliseconds: now))
        let claimed = Set(batch.deliveries.map(\.id))
        let isTried = endpoint.until.map { $0 <= now } ?? false && !endpoint.stopsOperators
        #expect(claimed.isSuperset(of: due) && claimed.count == due.count + (isTried ? 1 : 0))
        #expect(endpoint.stopsOperators == due.isEmpty, "each case is told apart")
    }

    /// Claims ask these, so the view must cost no more than the table.
    @Test(arguments: [
        ("SELECT * FROM delivery_standing WHERE id = 1", "SEARCH delivery USING INTEGER PRIMARY KEY (rowid=?)"),
        (
            """
            SELECT * FROM delivery_standing WHERE endpoint_id = 'a' AND state = 'scheduled' AND next_attempt_ms <= 5
            ORDER BY next_attempt_ms, id LIMIT 9
            """, "SEARCH delivery USING INDEX delivery_due (endpoint_id=? AND next_attempt_ms<?)"
        ),
        (
            "SELECT id FROM delivery_standing WHERE endpoint_id = 'a' AND is_released ORDER BY turn_ms, id LIMIT 9",
            "SEARCH delivery USING INDEX delivery_line (endpoint_id=? AND turn_ms<?)"
        ),
        (
            "SELECT * FROM delivery_standing WHERE task_id = 't'",
            "SEARCH delivery USING INDEX sqlite_autoindex_delivery_1 (task_id=?)"
        ),
        (
            "SELECT * FROM delivery_standing WHERE customer_id = 'c'",
            "SEARCH delivery USING INDEX delivery_customer (customer_id=?)"
        ),
    ]) func `a condition on the view uses the table's index`(sql: String, plan: String) async throws {
        let lines = try await store.pool.read { try ViewPlan.lines($0, sql) }
        #expect(
            lines.contains(plan) && !lines.contains { $0.contains("TEMP B-TREE") || $0.contains("delivery_standing") })
    }
}
