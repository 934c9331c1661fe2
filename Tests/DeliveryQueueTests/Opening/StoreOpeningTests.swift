import Crypto
import Foundation
import GRDB
import TestSupport
import Testing

@testable import DeliveryQueue
@testable import QueueFixtures

@Suite struct StoreOpeningTests {
    private let folder: TemporaryFolder
    private let path: String

    init() throws {
        folder = try TemporaryFolder()
        path = folder.file("queue.db")
    }

    /// Another program's connection to the same file.
    private func connection(readonly: Bool = false) throws -> DatabaseQueue {
        var configuration = Configuration()
        configuration.readonly = readonly
        return try DatabaseQueue(path: path, configuration: configuration)
    }

    // MARK: - Settings

    @Test func `the settings that the promises rest on hold on the writer`() async throws {
        let store = try QueueStore(path: path, now: start)

        let settings = try await store.pool.write { try Session($0).settings() }
        #expect(
            settings == [
                "auto_vacuum": "2", "journal_mode": "wal", "synchronous": "2", "foreign_keys": "1",
                "trusted_schema": "0",
                "application_id": "1919183990",
            ])
    }

    @Test(arguments: [(true, "2"), (false, "0")])
    func `only a simulation may do without syncing`(isDurable: Bool, synchronous: String) async throws {
        let store = try QueueStore.forSimulation(path: path, isDurable: isDurable, now: start)

        try await store.registerEventTypes(["a"], at: start)
        let settings = try await store.read("look") { try $0.settings() }
        let written = try await store.change("look", at: start) { try $0.session.settings() }
        #expect(written["synchronous"] == synchronous && written["journal_mode"] == "wal")
        #expect(settings["foreign_keys"] == "1")
        #expect(try await store.snapshot(at: start).eventTypes == ["a"])
    }

    @Test func `a simulation's cancelled work is not stored`() async throws {
        let store = try QueueStore.forSimulation(path: path, isDurable: true, now: start)

        let work = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            try await store.registerEventTypes(["a"], at: start)
        }
        await #expect(throws: StoreError.self) { try await work.value }
        #expect(try await store.snapshot(at: start).eventTypes.isEmpty)
    }

    @Test func `readers have the same settings where they matter`() async throws {
        let store = try QueueStore(path: path, now: start)

        let settings = try await store.pool.read { try Session($0).settings() }
        #expect(settings["trusted_schema"] == "0")
        #expect(settings["foreign_keys"] == "1")
        #expect(settings["journal_mode"] == "wal")
    }

    @Test func `the settings hold after reopening too`() async throws {
        try QueueStore(path: path, now: start).close()
        let store = try QueueStore(path: path, now: start)

        let settings = try await store.pool.write { try Session($0).settings() }
        #expect(settings["auto_vacuum"] == "2")
        #expect(settings["synchronous"] == "2")
        #expect(settings["journal_mode"] == "wal")
    }

    @Test func `the file carries our application id, the schema's version and the text of each step`() async throws {
        let store = try QueueStore(path: path, now: start)

        try await store.pool.read { db in
            #expect(try Int32.fetchOne(db, sql: "PRAGMA application_id") == 0x7264_6c76)
            #expect(try Int.fetchOne(db, sql: "PRAGMA user_version") == Migrations.steps.count)
            let known = try Data.fetchAll(db, sql: "SELECT sha256 FROM schema_migration ORDER BY version")
            #expect(known == Migrations.steps.map { Data($0.sha256) })
            #expect(try Int64.fetchOne(db, sql: "SELECT applied_ms FROM schema_migration") == start.milliseconds)
        }
    }

    @Test func `every table is strict`() async throws {
        let store = try QueueStore(path: path, now: start)

        let loose = try await store.pool.read { db in
            try String.fetchAll(
                db,
                sql: """
                    SELECT name FROM pragma_table_list
                    WHERE schema = 'main' AND type = 'table' AND strict = 0 AND name NOT LIKE 'sqlite_%'
                    """)
        }
        #expect(loose == [])
    }

    // MARK: - Beside the daemon

    @Test func `an operator's command works beside the daemon, and leaves it the lock and the log`() async throws {
        let daemon = try QueueStore(path: path, now: start)
        try await daemon.registerEndpoints([(id: "e", name: "n")], historyFrom: start, at: start)

        let command = try QueueStore.forOperator(path: path, now: start)
        #expect(try await command.pause(endpoint: "e", by: "ann", reason: "x", at: start) == .made)
        try command.close()

        #expect(QueueStore.fileSizes(ofDatabase: path).wal > 0)
        #expect(#expect(throws: StoreError.self) { try QueueStore(path: path, now: start) }?.kind == .locked)
        let actions = try await daemon.pool.read { try Int.fetchOne($0, sql: "SELECT COUNT(*) FROM operator_action") }
        #expect(actions == 1)
        try daemon.close()
    }

    @Test func `an operator's command does not create a database`() {
        let error = #expect(throws: StoreError.self) { try QueueStore.forOperator(path: path, now: start) }

        #expect(error?.kind == .inaccessible)
        #expect(FileManager.default.fileExists(atPath: path) == false)
    }

    // MARK: - Closing

    @Test func `the write-ahead log stays after a close, so that read-only users can open the file`() throws {
        try QueueStore(path: path, now: start).close()

        #expect(FileManager.default.fileExists(atPath: path + "-wal"))
        #expect(QueueStore.fileSizes(ofDatabase: path).wal == 0)
        let tables = try connection(readonly: true).read { try Int.fetchOne($0, sql: "SELECT COUNT(*) FROM endpoint") }
        #expect(tables == 0)
    }

    @Test func `a store that was closed answers with an error and does not crash`() async throws {
        let store = try QueueStore(path: path, now: start)
        try store.close()

        await #expect(throws: StoreError.self) { try await store.snapshot(at: start) }
    }

    @Test func `an empty file becomes a queue`() throws {
        #expect(FileManager.default.createFile(atPath: path, contents: Data()))

        #expect(throws: Never.self) { try QueueStore(path: path, now: start).close() }
    }

    @Test func `what a cancelled task was to write is not written`() async throws {
        let store = try QueueStore(path: path, now: start)

        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            try await store.registerEndpoints([(id: "e", name: "n")], historyFrom: start, at: start)
        }
        let error = await #expect(throws: StoreError.self) { try await task.value }
        #expect(error?.kind == .cancelled)
        #expect(try await store.snapshot(at: start).endpoints.isEmpty)
    }
}
