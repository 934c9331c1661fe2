import Foundation
import GRDB
import Testing

@testable import DeliveryQueue

/// A database of an earlier release becomes one of this release and keeps what it holds.
@Suite struct MigrationTests {
    private let folder: TemporaryFolder
    private let path: String

    init() throws {
        folder = try TemporaryFolder()
        path = folder.file("queue.db")
    }

    /// A database as the first release left it, with rows in all its tables.
    private func makeFirstRelease() throws -> [String: [Row]] {
        let queue = try DatabaseQueue(path: path)
        defer { try? queue.close() }
        return try queue.writeWithoutTransaction { db in
            try db.execute(sql: "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL")
            try Migrations.apply(Array(Migrations.steps.prefix(1)), to: db, at: start)
            try db.execute(sql: Self.rows)
            return try content(db, columns: nil)
        }
    }

    private static let rows = """
        INSERT INTO endpoint (id, name, active, history_from_ms, hold_reason, hold_since_ms)
        VALUES ('e', 'n', 1, 5, 'log_silent', 7);
        INSERT INTO delivery (
            id, endpoint_id, task_id, event_type, webhook_id, state, cycle_started_ms, logged_ms, first_failed_ms,
            last_failed_ms, next_attempt_ms, finalized_ms, dead_reason, delivered_by, delivered_evidence, created_ms,
            updated_ms)
        VALUES
            (1, 'e', 't-1', 'x', 'w', 'scheduled', 1, 1, 1, 1, 9, NULL, NULL, NULL, NULL, 2, 2),
            (2, 'e', 't-2', 'x', 'w', 'dead', 1, 1, 1, 1, NULL, 9, 'age', NULL, NULL, 2, 2),
            (3, 'e', 't-3', 'y', 'w', 'delivered', 1, 1, 1, 1, NULL, 9, NULL, 'worker', 'log', 2, 2);
        INSERT INTO delivery_body VALUES (1, X'7B7D', zeroblob(32), '"t-1"', 'null', '"w"');
        INSERT INTO attempt (id, delivery_id, cycle, number, kind, lease_token, intent_ms) VALUES (1, 3, 1, 1, 'scheduled', 1, 3);
        INSERT INTO task_alias VALUES ('e', 't-3b', 3, 'named');
        INSERT INTO log_entry (endpoint_id, task_id, logged_ms, outcome, delivery_id, found_ms, seen_ms)
        VALUES ('e', 't-3', 1, 'failed', 3, 2, 2);
        INSERT INTO latest_arrival VALUES ('w', 'c', 'y', 't-3', 1);
        INSERT INTO unreadable_entry VALUES (1, 'e', X'00', 'no_task_id', 'd', X'7B', 1, NULL, 4);
        INSERT INTO scan_gap VALUES (1, 'e', 1, 2, NULL, 1, 3);
        INSERT INTO counter VALUES ('deliveries_finalized', 'y', 'delivered', 1);
        INSERT INTO metric_event_type VALUES ('x', 0), ('y', 1);
        INSERT INTO operator_action VALUES (1, 5, 'ann', 'requeue', 'e', 2, 'because');
        """

    /// All rows of all tables.
    ///
    /// - Parameter columns: by table; nil: all of all tables.
    private func content(_ db: Database, columns: [String: [String]]?) throws -> [String: [Row]] {
        let tables =
            try columns.map { Array($0.keys) }
            ?? String.fetchAll(
                db, sql: "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
        return try tables.reduce(into: [:]) { content, table in
            let wanted = columns?[table]?.joined(separator: ", ") ?? "*"
            content[table] = try Row.fetchAll(db, sql: "SELECT \(wanted) FROM \(table) ORDER BY 1")
        }
    }

    @Test func `a database of the first release is brought to this one's schema and keeps its rows`() async throws {
        var before = try makeFirstRelease()
        #expect(before.count >= 13 && before.values.allSatisfy { !$0.isEmpty })

        let store = try QueueStore(path: path, now: start + .days(1))

        let columns = before.mapValues { Array($0[0].columnNames) }
        var after = try store.pool.read { try content($0, columns: columns) }
        #expect(after.removeValue(forKey: "schema_migration")?.count == Migrations.steps.count)
        before["schema_migration"] = nil
        #expect(after == before)
        let expected = [
            "PRAGMA user_version": ["\(Migrations.steps.count)"], "PRAGMA integrity_check": ["ok"],
            "PRAGMA foreign_key_check": [], "SELECT task_id FROM v_open": ["t-1"],
            // It was held before: its age clock stands still since then, and what failed before that keeps its age.
            "SELECT stopped_ms FROM endpoint": ["7"], "SELECT held_before_ms FROM delivery": ["0", "0", "0"],
            "SELECT task_id FROM v_dead": ["t-2"], "SELECT delivered FROM v_by_event_type": ["0", "1"],
        ]
        for (sql, values) in expected {
            let found = try await store.pool.read { try String.fetchAll($0, sql: sql) }
            #expect(found == values, "\(sql)")
        }
    }

    @Test func `a reader of this release reads the first release's database as it is`() throws {
        _ = try makeFirstRelease()

        let snapshot = try QueueReader(path: path).snapshot(at: start)
        #expect(snapshot.endpoints.map(\.open) == [1])
        #expect(snapshot.endpoints.map(\.holdReason) == [.logSilent])
        #expect(snapshot.dead.map(\.reason) == [.age])
    }

    /// The same steps give the same schema, whether they come one release at a time or all at once.
    @Test func `a database that grew has the schema of a new one`() async throws {
        _ = try makeFirstRelease()
        let grown = try QueueStore(path: path, now: start)
        let new = try QueueStore(path: folder.file("new.db"), now: start)

        let sql = "SELECT type || ' ' || name || ' ' || coalesce(sql, '') FROM sqlite_schema ORDER BY type, name"
        let ofGrown = try await grown.pool.read { try String.fetchAll($0, sql: sql) }
        let ofNew = try await new.pool.read { try String.fetchAll($0, sql: sql) }
        #expect(ofGrown == ofNew)
    }
}
