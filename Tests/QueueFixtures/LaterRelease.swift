import Foundation
import GRDB

@testable import DeliveryQueue

/// A later release, whose schema goes further than this program's. It lets tests upgrade with the code that opens a
/// database, however many steps the schema has so far.
enum LaterRelease {
    /// This program's steps, and three of the kinds that a release may bring: a column with values for every row, a
    /// table that is made anew with its rows, and views.
    static let steps: [Migrations.Step] =
        Migrations.steps
        + [
            """
            ALTER TABLE delivery ADD COLUMN note TEXT;
            UPDATE delivery SET note = 'from ' || endpoint_id || ', ' || hex(zeroblob(200));
            CREATE INDEX delivery_note ON delivery (note) WHERE finalized_ms IS NULL;
            """,
            """
            CREATE TABLE test_event_new (
                endpoint_id TEXT NOT NULL REFERENCES endpoint (id), task_id TEXT NOT NULL, event_type TEXT NOT NULL,
                who TEXT NOT NULL, asked_ms INTEGER NOT NULL, PRIMARY KEY (task_id, endpoint_id)
            ) STRICT;
            INSERT INTO test_event_new SELECT endpoint_id, task_id, event_type, who, asked_ms FROM test_event;
            DROP TABLE test_event;
            ALTER TABLE test_event_new RENAME TO test_event;
            CREATE TABLE note_count (n INTEGER NOT NULL) STRICT;
            INSERT INTO note_count SELECT COUNT(*) FROM delivery;
            CREATE TRIGGER delivery_noted AFTER INSERT ON delivery BEGIN UPDATE note_count SET n = n + 1; END;
            """,
            """
            DROP VIEW v_superseded;
            CREATE VIEW v_superseded AS SELECT id, note FROM delivery WHERE superseded_by_task_id IS NOT NULL;
            DROP INDEX delivery_note;
            """,
        ].enumerated().map { number, sql in
            let version = Migrations.steps.count + number + 1
            return Migrations.Step(version: version, name: "000\(version)_later", sql: Array(sql.utf8))
        }

    /// Rows of the tables that `ViewSample` leaves empty.
    private static let rest = """
        INSERT OR IGNORE INTO latest_arrival (webhook_id, customer_id, event_type, task_id, event_ms)
        VALUES ('w-1', 'c-20', 'profile_update', 't-newer', 5);
        INSERT INTO circuit_failure (endpoint_id, delivery_id, failed_ms) VALUES ('ep-1', 1, 5);
        INSERT INTO test_event (endpoint_id, task_id, event_type, who, asked_ms) VALUES ('ep-1', 'test-1', 'x', 'ann', 5);
        INSERT INTO provider_pause (id, reason, since_ms) VALUES (1, 'outage', 5);
        INSERT INTO backup (id, at_ms) VALUES (1, 5);
        INSERT INTO foreign_entry (owner_id, task_id, endpoint_id, logged_ms, outcome, found_ms, seen_ms)
        VALUES ('ep-1', 't-1', 'ep-2', 5, 'failed', 5, 5);
        INSERT INTO shared_failure (
            endpoint_id, task_id, delivery_id, task_id_json, webhook_id, webhook_id_json, logged_ms, failed_ms)
        VALUES ('ep-2', 't-1', 1, '"t-1"', 'w-1', '"w-1"', 5, 5);
        INSERT INTO shared_log (endpoint_id, other_id, is_named, row_count, seen_ms) VALUES ('ep-2', 'ep-1', 0, 1, 5);
        """

    /// Runs what the later release would do with its own code.
    static func run<Value>(_ work: () throws -> Value) rethrows -> Value {
        try Migrations.$steps.withValue(steps, operation: work)
    }

    static func open(_ path: String, at now: Timestamp = start) throws -> QueueStore {
        try run { try QueueStore(path: path, now: now) }
    }

    /// Makes a database with a row of every kind, as a clean stop of the release with this many steps leaves it; nil:
    /// of this program.
    static func makeOlder(_ path: String, steps count: Int = Migrations.steps.count) throws {
        let queue = try DatabaseQueue(path: path)
        try queue.writeWithoutTransaction { db in
            try db.execute(sql: "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL")
            try Migrations.apply(Array(steps.prefix(Migrations.steps.count)), to: Session(db), at: start)
            try ViewSample().fill(db)
            try db.execute(sql: rest)
            try Migrations.apply(Array(steps.prefix(count)), to: Session(db), at: start)
        }
        try queue.close()
        try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: path)
    }
}
