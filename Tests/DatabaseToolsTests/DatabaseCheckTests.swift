import Foundation
import GRDB
import Testing

@testable import DatabaseTools
@testable import DeliveryQueue
@testable import QueueFixtures

/// `redeliver database check` and the quick look of `redeliver doctor`, on planted damage of each kind.
@Suite struct DatabaseCheckTests {
    private let queue: QueueFixture

    init() async throws {
        queue = try await QueueFixture()
        try await queue.accepted("awaits", failed: start, called: start + .minutes(1))
        for index in 0..<40 {
            var observation = LogObservation.failure("t\(index)", at: start)
            observation.body = [UInt8](repeating: 0x61, count: 9_000)
            try await queue.ingest(observation, at: start)
        }
    }

    /// Changes the closed file as another program would, without our checks.
    private func plant(_ sql: String) throws {
        try queue.store.close()
        var configuration = Configuration()
        configuration.foreignKeysEnabled = false
        let database = try DatabaseQueue(path: queue.path, configuration: configuration)
        try database.writeWithoutTransaction { try $0.execute(sql: sql) }
        try database.close()
    }

    private func parts() throws -> [CheckPart.Name: CheckPart] {
        let reader = try QueueReader.ofAnySchema(path: queue.path)
        return Dictionary(uniqueKeysWithValues: reader.check().map { ($0.name, $0) })
    }

    private func expectOnly(_ name: CheckPart.Name, _ fault: String) throws {
        let parts = try parts()
        #expect(parts.values.filter { $0.count > 0 }.map(\.name) == [name])
        #expect(parts[name]?.faults.contains { $0.contains(fault) } == true, "\(parts[name]?.faults ?? [])")
    }

    @Test func `a healthy database has no fault, while it is in use too`() throws {
        let parts = try parts()
        #expect(parts.values.allSatisfy { $0.count == 0 }, "\(parts)")
        #expect(parts[.bodies]?.examined == 41 && parts[.states]?.examined == 41)
        #expect(parts.count == CheckPart.Name.allCases.count)
    }

    @Test func `a page that is overwritten is a fault of structure`() throws {
        try queue.store.close()
        try Damage.overwritePages(of: queue.path, from: 0.6)
        let faults = try #require(try parts()[.structure]).faults
        #expect(faults.count > 1)
        #expect(faults.allSatisfy { !$0.isEmpty && !$0.contains("\n") && !$0.contains("***") }, "\(faults)")
    }

    @Test func `an index that disagrees with its table is a fault of structure`() throws {
        try plant(
            """
            PRAGMA writable_schema = ON;
            CREATE TABLE hidden AS SELECT * FROM sqlite_schema WHERE name = 'delivery_customer';
            DELETE FROM sqlite_schema WHERE name = 'delivery_customer';
            PRAGMA writable_schema = RESET;
            UPDATE delivery SET customer_id = 'another' WHERE id = 1;
            PRAGMA writable_schema = ON;
            INSERT INTO sqlite_schema SELECT * FROM hidden;
            PRAGMA writable_schema = RESET
            """)
        #expect(try parts()[.structure]?.count ?? 0 > 0)
    }

    @Test func `a row without the row that it refers to is a fault of references`() throws {
        try plant(
            "INSERT INTO test_event (endpoint_id, task_id, event_type, who, asked_ms) VALUES ('gone', 'x', 'y', 'z', 1)"
        )
        try expectOnly(.references, "of test_event refers to a missing row of endpoint")
    }

    @Test func `another journal mode is a fault of settings`() throws {
        try plant("PRAGMA journal_mode = TRUNCATE; PRAGMA application_id = 1919183990")
        #expect(try parts()[.settings]?.count == 0, "a backup, which is one file, has none")
        try plant("PRAGMA auto_vacuum = NONE; VACUUM")
        try expectOnly(.settings, "PRAGMA auto_vacuum is 0, not 2")
    }

    @Test func `a step of the schema with another text is a fault of the schema`() throws {
        try plant("DELETE FROM schema_migration WHERE version = 1")
        try expectOnly(.schema, "0001_initial")
    }

    @Test func `a newer and an older schema are faults of the schema`() throws {
        try plant("PRAGMA user_version = 99")
        try expectOnly(.schema, "version 99")
        try plant("PRAGMA user_version = 1")
        try LaterRelease.run { try expectOnly(.schema, "its version is 1") }
    }

    @Test func `a body that does not match its hash is a fault of bodies`() throws {
        try plant("UPDATE delivery_body SET body = CAST('changed' AS BLOB) WHERE delivery_id = 7")
        try expectOnly(.bodies, "the body of delivery 7 does not match its SHA-256")
    }

    @Test(arguments: [
        ("UPDATE delivery_body SET body = NULL WHERE delivery_id = 7", "delivery 7 is open and has no body"),
        ("DELETE FROM delivery_body WHERE delivery_id = 8", "delivery 8 is open and has no body"),
        ("DELETE FROM attempt", "has no open attempt with its lease token"),
        (
            """
            INSERT INTO attempt (delivery_id, cycle, number, kind, lease_token, intent_ms) VALUES (41, 1, 1, 'manual', 0, 5)
            """, "delivery 41 has an open attempt with an old lease token"
        ),
        (
            """
            INSERT INTO attempt (delivery_id, cycle, number, kind, lease_token, intent_ms, outcome, settled_ms)
            VALUES (3, 1, 1, 'manual', 9, 5, 'failed', 6)
            """, "delivery 3 has an attempt with a lease token that was never given"
        ),
        (
            "INSERT INTO task_alias VALUES ('ep-2', 'n', 3, 'named')",
            "delivery 3 has a further task id at another endpoint"
        ),
        (
            "INSERT INTO dead_count VALUES ('x', 'age', 2)",
            "dead_count for reason age is 2, but 0 rows are dead"
        ),
    ]) func `what contradicts a delivery's state is a fault of states`(sql: String, fault: String) throws {
        try plant(sql)
        try expectOnly(.states, fault)
    }

    @Test func `many faults are counted and the first ones listed`() throws {
        try plant("UPDATE delivery_body SET body = CAST('changed' AS BLOB)")
        let part = try #require(try parts()[.bodies])
        #expect(part.count == 41 && part.faults.count == CheckPart.listLimit)
    }

    // MARK: - The quick look

    @Test func `the health of a small database is that of the whole file`() throws {
        let health = try QueueReader.ofAnySchema(path: queue.path).health()
        #expect(health.settings == DatabaseHealth.wantedSettings)
        #expect(health.schemaVersion == DatabaseHealth.newestSchema && health.schemaFault == nil)
        #expect(health.look == QuickLook(faults: []))
        #expect(health.bytes > 0 && health.walBytes > 0)
    }

    @Test func `the quick look finds a page that is overwritten`() throws {
        try queue.store.close()
        try Damage.overwritePages(of: queue.path, from: 0.6)
        #expect(try QueueReader.ofAnySchema(path: queue.path).health().look.faults.isEmpty == false)
    }

    @Test func `of a large database the quick look reads the newest rows`() throws {
        try plant(
            """
            INSERT INTO unreadable_entry (endpoint_id, sha256, reason, detail, raw, raw_length, seen_ms)
            VALUES ('ep-1', x'00', 'x', 'y', zeroblob(40000000), 40000000, 1)
            """)
        let look = try QueueReader.ofAnySchema(path: queue.path).health().look
        #expect(look == QuickLook(faults: [], newestRows: QuickLook.newest))
    }

    @Test func `free pages are told`() throws {
        try plant("DELETE FROM delivery_body WHERE delivery_id < 30")
        #expect(try QueueReader.ofAnySchema(path: queue.path).health().freeBytes > 100_000)
    }
}
