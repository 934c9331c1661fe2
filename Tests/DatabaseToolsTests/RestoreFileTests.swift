import Foundation
import GRDB
import TestSupport
import Testing

@testable import DatabaseTools
@testable import DeliveryQueue
@testable import QueueFixtures

/// The files of a restore: what is refused, what is kept, what is left beside the database.
@Suite struct RestoreFileTests {
    private let queue: QueueFixture

    init() async throws {
        queue = try await QueueFixture()
        try await queue.ingest(.failure("a", at: start), at: start)
        _ = try await QueueReader(path: queue.path).backUp(to: queue.folder.file("backup.db"))
        try await queue.ingest(.failure("b", at: start), at: start)
    }

    private func restore(_ name: String = "backup.db") -> DatabaseRestore {
        DatabaseRestore(of: queue.folder.file(name), to: queue.path, rules: queue.rules)
    }

    /// Every file of the folder with its bytes, except the locks and the memory that readers share.
    private func files() throws -> [String: Data] {
        let names = try FileManager.default.contentsOfDirectory(atPath: queue.folder.path)
        return Dictionary(
            uniqueKeysWithValues: try names.filter { name in
                !["-shm", ".lock", ".running"].contains(where: name.hasSuffix)
            }.map {
                ($0, try Data(contentsOf: URL(filePath: queue.folder.file($0))))
            })
    }

    private func tasks(_ path: String) throws -> [String] {
        try DatabaseQueue(path: path).read { try String.fetchAll($0, sql: "SELECT task_id FROM delivery ORDER BY 1") }
    }

    @Test func `the replaced database is kept whole under a name with the time`() async throws {
        try queue.store.close()
        let mode = try FileManager.default.attributesOfItem(atPath: queue.path)[.posixPermissions] as? Int

        let report = try await restore().run(at: now)

        let kept = try #require(report.keptAs)
        #expect(kept.hasSuffix("/queue.db.before-restore-20260101T020000Z"))
        #expect(try tasks(kept) == ["a", "b"])
        #expect(try tasks(queue.path) == ["a"])
        #expect(try FileManager.default.attributesOfItem(atPath: queue.path)[.posixPermissions] as? Int == mode)
        #expect(try files().keys.filter { $0.contains("partial") || $0.contains("journal") } == [])
    }

    /// After `kill -9` the newest transactions are in the log only.
    @Test func `what is only in the write-ahead log is kept too and does not reach the new file`() async throws {
        let copy = queue.folder.file("crashed.db")
        for name in ["", "-wal"] {
            try FileManager.default.copyItem(atPath: queue.path + name, toPath: copy + name)
        }
        #expect(QueueStore.fileSizes(ofDatabase: copy).wal > 0)

        let report = try await DatabaseRestore(of: queue.folder.file("backup.db"), to: copy, rules: queue.rules)
            .run(at: now)

        #expect(try tasks(try #require(report.keptAs)) == ["a", "b"])
        #expect(try tasks(copy) == ["a"])
    }

    @Test func `a damaged database is moved aside with its log, byte for byte`() async throws {
        try queue.store.close()
        try Data("damaged".utf8).write(to: URL(filePath: queue.path))
        try Data("its log".utf8).write(to: URL(filePath: queue.path + "-wal"))

        let kept = try #require(try await restore().run(at: now).keptAs)

        #expect(try Data(contentsOf: URL(filePath: kept)) == Data("damaged".utf8))
        #expect(try Data(contentsOf: URL(filePath: kept + "-wal")) == Data("its log".utf8))
        #expect(try tasks(queue.path) == ["a"])
    }

    @Test func `a database that is reached by a symbolic link is replaced where it is`() async throws {
        try queue.store.close()
        let link = queue.folder.file("link.db")
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: queue.path)

        _ = try await DatabaseRestore(of: queue.folder.file("backup.db"), to: link, rules: queue.rules).run(at: now)

        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link) == queue.path)
        #expect(try tasks(queue.path) == ["a"])
    }

    @Test func `an older schema in the backup is brought up to date`() async throws {
        try queue.store.close()
        try LaterRelease.makeOlder(queue.folder.file("old.db"))

        let report = try await Migrations.$steps.withValue(LaterRelease.steps) {
            try await restore("old.db").run(at: now)
        }

        #expect(report.backup.schemaVersion == 1)
        let version = try await DatabaseQueue(path: queue.path).read {
            try Int.fetchOne($0, sql: "PRAGMA user_version")
        }
        #expect(version == LaterRelease.steps.count)
    }

    // MARK: - Refusals

    @Test func `while a daemon runs nothing is done, and the refusal names its process`() async throws {
        let before = try files()

        let error = await #expect(throws: StoreError.self) { try await restore().run(at: now) }

        #expect(error?.kind == .locked)
        #expect(error?.cause.contains("process \(ProcessInfo.processInfo.processIdentifier)") == true)
        #expect(try files() == before)
    }

    @Test(arguments: ["missing", "foreign", "newer", "changed", "damaged", "no database", "empty"])
    func `a backup that must not be used changes nothing`(what: String) async throws {
        let file = queue.folder.file("bad.db")
        switch what {
        case "foreign": try await DatabaseQueue(path: file).write { try $0.execute(sql: "CREATE TABLE x (y)") }
        case "newer": try alter(file, "PRAGMA user_version = 99")
        case "changed": try alter(file, "UPDATE schema_migration SET sha256 = zeroblob(32)")
        case "damaged":
            try FileManager.default.copyItem(atPath: queue.folder.file("backup.db"), toPath: file)
            try Damage.overwritePages(of: file, from: 0.5)
        case "no database": try Data(repeating: 7, count: 9_000).write(to: URL(filePath: file))
        case "empty": try Data().write(to: URL(filePath: file))
        default: break
        }
        try queue.store.close()
        let before = try files()

        for restoring in [restore("bad.db").run, restore("bad.db").rehearse] {
            let error = await #expect(throws: StoreError.self) { try await restoring(now) }
            #expect(error?.operation.contains(file) == true)
            #expect(["newer", "changed"].contains(what) == (error?.kind == .incompatible))
        }
        #expect(try files() == before)
    }

    private func alter(_ file: String, _ sql: String) throws {
        try FileManager.default.copyItem(atPath: queue.folder.file("backup.db"), toPath: file)
        try DatabaseQueue(path: file).write { try $0.execute(sql: sql) }
    }

    @Test func `a healthy database of another program is not replaced`() async throws {
        let other = queue.folder.file("other.db")
        try await DatabaseQueue(path: other).write { try $0.execute(sql: "CREATE TABLE x (y)") }
        let before = try Data(contentsOf: URL(filePath: other))

        let restore = DatabaseRestore(of: queue.folder.file("backup.db"), to: other, rules: queue.rules)
        let error = await #expect(throws: StoreError.self) { try await restore.run(at: now) }

        #expect(error?.kind == .foreign && error?.cause.contains("another program") == true)
        #expect(try Data(contentsOf: URL(filePath: other)) == before)
    }

    @Test func `a rehearsal works beside the daemon and changes nothing`() async throws {
        let before = try files()

        let report = try await restore().rehearse(at: now)

        #expect(report.backup.deliveries == 1 && report.keptAs == nil)
        #expect(try files() == before)
    }

    @Test func `a second restore within the same second does not overwrite what the first one kept`() async throws {
        try queue.store.close()
        _ = try await restore().run(at: now)

        let error = await #expect(throws: StoreError.self) { try await restore().run(at: now) }

        #expect(error?.hint?.contains("try again") == true)
        #expect(try tasks("\(queue.path).before-restore-20260101T020000Z") == ["a", "b"])
        #expect(try tasks(queue.path) == ["a"])
    }
}
