import Foundation
import GRDB
import TestSupport
import Testing

@testable import DeliveryQueue
@testable import QueueFixtures

/// Views stay quick in a database of 100,000 deliveries, most of them delivered.
@Suite struct ViewPlanTests {
    private let folder: TemporaryFolder
    private let store: QueueStore

    init() async throws {
        folder = try TemporaryFolder()
        store = try QueueStore(path: folder.file("queue.db"), now: start)
        try await store.registerEndpoints(
            (1...20).map { (id: "ep-\($0)", name: "name-\($0)") }, historyFrom: start - .hours(72), at: start)
    }

    private func fill() async throws {
        try await store.pool.write { try $0.execute(sql: Self.deliveries) }
    }

    /// One in a hundred is open and one dead; times are spread over 90 days before now.
    private static let deliveries = """
        CREATE TEMP TABLE number AS
            WITH RECURSIVE number (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM number WHERE i < 100000)
            SELECT i, CAST(strftime('%s', 'now') AS INTEGER) * 1000 - i * 77760 AS t,
                CASE i % 100 WHEN 0 THEN 'dead' WHEN 1 THEN 'scheduled' ELSE 'delivered' END AS state
            FROM number;
        INSERT INTO delivery (
            id, endpoint_id, task_id, event_type, customer_id, webhook_id, state, cycle_started_ms, logged_ms,
            first_failed_ms, last_failed_ms, next_attempt_ms, finalized_ms, dead_reason, delivered_by,
            delivered_evidence, superseded_by_task_id, created_ms, updated_ms)
        SELECT i, 'ep-' || (1 + i % 20), 't-' || i, 'type-' || (i % 5), 'c-' || (i % 1000), 'w', state, t, t, t, t,
            CASE state WHEN 'scheduled' THEN t + 7000000000 END, CASE WHEN state <> 'scheduled' THEN t + 300000 END,
            CASE state WHEN 'dead' THEN 'attempts' END, CASE state WHEN 'delivered' THEN 'worker' END,
            CASE state WHEN 'delivered' THEN 'log' END, CASE WHEN i % 500 = 0 THEN 't-1' END, t, t
        FROM number;
        INSERT INTO delivery_body (delivery_id, body, sha256, task_id_json, customer_id_json, webhook_id_json)
        SELECT i, zeroblob(100), zeroblob(32), '""', '""', '""' FROM number;
        INSERT INTO attempt (delivery_id, cycle, number, kind, lease_token, intent_ms, outcome, settled_ms)
        SELECT i, 1, 1, 'scheduled', 1, t + 60000, CASE WHEN i % 300 = 0 THEN 'unconfirmed' ELSE 'failed' END, t + 90000
        FROM number;
        INSERT INTO log_entry (endpoint_id, task_id, logged_ms, outcome, delivery_id, found_ms, seen_ms)
        SELECT 'ep-' || (1 + i % 20), 't-' || i, t, 'failed', i, t, t FROM number;
        INSERT INTO task_alias (endpoint_id, task_id, delivery_id, source)
        SELECT 'ep-' || (1 + i % 20), 'alias-' || i, i, 'named' FROM number WHERE i % 50 = 0;
        """

    /// Every view as a whole, except the timeline, which is read for one delivery, and the calls, of which people want
    /// the newest.
    private func queries() async throws -> [String] {
        let views = try await store.pool.read { db in
            try String.fetchAll(db, sql: "SELECT name FROM sqlite_schema WHERE type = 'view' ORDER BY name")
        }
        #expect(views.count >= 12)
        return views.filter { !["v_timeline", "v_attempts", "delivery_standing"].contains($0) }.map {
            "SELECT * FROM \($0)"
        } + [
            "SELECT * FROM v_timeline WHERE task_id = 't-1' ORDER BY at_ms",
            "SELECT * FROM v_timeline WHERE delivery_id = 1 ORDER BY at_ms",
            "SELECT * FROM v_attempts ORDER BY attempt_id DESC LIMIT 5",
            "SELECT * FROM v_attempts WHERE task_id = 't-1'", "SELECT * FROM v_attempts WHERE delivery_id = 1",
            "SELECT * FROM v_open WHERE task_id = 't-1'", "SELECT * FROM v_dead WHERE id = 1",
            "SELECT * FROM v_open WHERE customer_id = 'c-1'", "SELECT * FROM v_due WHERE endpoint = 'name-1'",
            "SELECT * FROM delivery_standing WHERE id = 1", "SELECT * FROM delivery_standing WHERE task_id = 't-1'",
        ]
    }

    /// ANALYZE gives the planner other numbers, and anybody who may write can run it.
    @Test(arguments: [false, true])
    func `no view and no query for on-call reads what was delivered long ago`(analyzed: Bool) async throws {
        try await fill()
        if analyzed { try await store.pool.write { try $0.execute(sql: "ANALYZE") } }

        let queries = try await queries() + OnCallQueries.all()
        for sql in queries {
            let faults = try await store.pool.read { try ViewPlan.faults($0, sql) }
            #expect(faults == [], "\(sql)")
        }
    }

    @Test func `pruning walks only what has ended, by the time of its end`() async throws {
        let sql = """
            SELECT id FROM delivery
            WHERE (finalized_ms <= 1 AND state = 'delivered') OR (finalized_ms <= 2 AND state = 'dead') LIMIT 5
            """
        let plan = try await store.pool.read { try ViewPlan.lines($0, sql) }
        #expect(plan.contains("SEARCH delivery USING COVERING INDEX delivery_delivered (finalized_ms<?)"))
        #expect(plan.contains("SEARCH delivery USING COVERING INDEX delivery_died (finalized_ms<?)"))
        #expect(plan.allSatisfy { !$0.hasPrefix("SCAN") })
    }

    @Test(arguments: [
        "SELECT event_type, COUNT(*) FROM delivery GROUP BY event_type",
        "SELECT COUNT(*) FROM delivery WHERE state = 'delivered'",
        "SELECT endpoint_id, COUNT(*) FROM delivery GROUP BY endpoint_id",
        "SELECT COUNT(*) FROM delivery WHERE endpoint_id = 'ep-1' AND state = 'delivered'",
        "SELECT COUNT(*) FROM delivery WHERE finalized_ms < 5",
        "SELECT COUNT(*) FROM delivery ORDER BY finalized_ms",
        "SELECT * FROM delivery JOIN delivery_body ON delivery_body.delivery_id = delivery.id",
        "SELECT * FROM log_entry WHERE error = 'x'", "SELECT * FROM v_timeline",
    ]) func `the rule catches a query that reads everything`(_ sql: String) async throws {
        let faults = try await store.pool.read { try ViewPlan.faults($0, sql) }
        #expect(faults != [])
    }

    @Test func `the rule lets a query for one delivery pass`() async throws {
        for condition in ["id = 1", "task_id = 'x'", "endpoint_id = 'e' AND task_id = 'x'", "customer_id = 'c'"] {
            let sql = "SELECT * FROM delivery WHERE \(condition)"
            let faults = try await store.pool.read { try ViewPlan.faults($0, sql) }
            #expect(faults == [], "\(sql)")
        }
    }

    /// A plan names a table by its alias, which the rule would not know.
    @Test func `views call the table of deliveries by its name`() async throws {
        let texts = try await store.pool.read { db in
            try String.fetchAll(db, sql: "SELECT sql FROM sqlite_schema WHERE type = 'view'")
        }
        let next = texts.flatMap { text in
            text.matches(of: /(?:FROM|JOIN)\s+(?:delivery|log_entry|delivery_body)\s+(\w+)/).map { String($0.output.1) }
        }
        #expect(next.count >= 15)
        #expect(
            Set(next).subtracting(["ON", "WHERE", "JOIN", "LEFT", "CROSS", "GROUP", "ORDER", "UNION", "INDEXED"]) == [])
    }
}
