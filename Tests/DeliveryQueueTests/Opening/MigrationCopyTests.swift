import Foundation
import GRDB
import LocalFiles
import TestSupport
import Testing

@testable import DeliveryQueue
@testable import QueueFixtures

/// The copy that is kept before a schema changes: the way back to the program before.
@Suite struct MigrationCopyTests {
    private let folder: TemporaryFolder
    private let path: String
    private let newest = LaterRelease.steps.count

    init() throws {
        folder = try TemporaryFolder()
        path = folder.file("queue.db")
    }

    private func files() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder.path)
            .filter { $0.hasPrefix("queue.db.before-") }.sorted()
    }

    private func whole(_ path: String) throws -> [String] {
        var configuration = Configuration()
        configuration.readonly = true
        return try DatabaseQueue(path: path, configuration: configuration).read(DatabaseContent.whole)
    }

    private func keep(at now: Timestamp) throws -> String? {
        try LaterRelease.run { try MigrationCopy(of: FilePlace(path), before: newest).keep(at: now) }
    }

    private func version() throws -> Int? {
        try DatabaseQueue(path: path).read { try Int.fetchOne($0, sql: "PRAGMA user_version") }
    }

    @Test(arguments: 1..<LaterRelease.steps.count)
    func `an upgrade keeps the database as it was, whole and for the same users`(version: Int) throws {
        try LaterRelease.makeOlder(path, steps: version)
        let before = try whole(path)

        let store = try LaterRelease.open(path)

        let copy = try #require(store.keptCopy)
        #expect(copy == path + ".before-schema-\(newest)-20260101T000000Z")
        #expect(try files() == [URL(filePath: copy).lastPathComponent], "one file, without a log beside it")
        #expect(try whole(copy) == before)
        #expect(try FileManager.default.attributesOfItem(atPath: copy)[.posixPermissions] as? Int == 0o640)
    }

    /// The way back: the older program finds its database under its old name.
    @Test func `the copy in the database's place is upgraded again like the first time`() async throws {
        try LaterRelease.makeOlder(path, steps: 2)
        let store = try LaterRelease.open(path)
        let first = try await store.pool.read(DatabaseContent.whole)
        let copy = try #require(store.keptCopy)
        try store.close()
        for suffix in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + suffix) }
        try FileManager.default.moveItem(atPath: copy, toPath: path)

        #expect(try version() == 2)
        let again = try LaterRelease.open(path, at: start + .hours(1))
        #expect(try await again.pool.read(DatabaseContent.whole) == first)
        #expect(again.keptCopy?.hasSuffix("20260101T010000Z") == true)
    }

    /// The last rows of a program that was killed are in its write-ahead log.
    @Test func `what only the write-ahead log has is in the copy`() throws {
        try LaterRelease.makeOlder(path)
        let writer = try DatabaseQueue(path: path, configuration: SQLiteSettings.configuration())
        try writer.write { try $0.execute(sql: "UPDATE delivery SET last_error = 'in the log'") }
        #expect(QueueStore.fileSizes(ofDatabase: path).wal > 0)

        let copy = try #require(try keep(at: start))
        let texts = try DatabaseQueue(path: copy).read {
            try String.fetchAll($0, sql: "SELECT DISTINCT last_error FROM delivery")
        }
        #expect(texts == ["in the log"])
        try writer.close()
    }

    @Test func `a new database and one of this schema are not copied`() throws {
        try QueueStore(path: path, now: start).close()
        let again = try QueueStore(path: path, now: start + .hours(1))
        #expect(again.keptCopy == nil)
        #expect(try files().isEmpty)
    }

    @Test func `a start that ended after the copy does not make another one, one after work does`() throws {
        try LaterRelease.makeOlder(path)
        let first = try #require(try keep(at: start))
        #expect(try keep(at: start + .hours(1)) == first)
        // The first missing step is applied, then the program is killed.
        let queue = try DatabaseQueue(path: path)
        try queue.writeWithoutTransaction {
            try Migrations.apply(Array(LaterRelease.steps.prefix(2)), to: Session($0), at: start)
        }
        #expect(try keep(at: start + .hours(2)) == first)
        // The older program worked on for a while.
        try queue.write { try $0.execute(sql: "UPDATE endpoint SET last_poll_ms = last_poll_ms + 99000000") }
        let second = try #require(try keep(at: start + .hours(3)))
        #expect(second != first)
        #expect(try files().count == 2)
        try queue.close()
    }

    @Test func `what a killed start left of a copy is removed, and the copy is made again`() throws {
        try LaterRelease.makeOlder(path)
        let rest = path + ".before-schema-\(newest)-20251231T235959Z.partial-abcdef"
        // As older releases left it, and in a folder as this one does.
        for suffix in ["", "-journal"] { try Data("half".utf8).write(to: URL(filePath: rest + suffix)) }
        try FileManager.default.createDirectory(atPath: rest + "ghijkl", withIntermediateDirectories: false)
        try Data("half".utf8).write(to: URL(filePath: "\(rest)ghijkl/half"))

        let store = try LaterRelease.open(path)
        #expect(try files() == [URL(filePath: try #require(store.keptCopy)).lastPathComponent])
    }

    @Test func `without room for the copy nothing is changed, and the error says how much is missing`() throws {
        try LaterRelease.makeOlder(path)
        let before = try whole(path)

        let error = #expect(throws: StoreError.self) {
            try MigrationCopy(of: FilePlace(path), before: newest).keep(at: start) { _ in 4_096 }
        }
        #expect(error?.kind == .storage)
        #expect(error?.description.contains("\(QueueStore.fileSizes(ofDatabase: path).main) bytes") == true)
        #expect(
            error?.description.contains("4096 are free") == true && error?.hint?.contains("nothing is changed") == true)
        #expect(try files().isEmpty)
        #expect(try whole(path) == before)
    }

    /// The way back must be whole before an upgrade.
    @Test func `a damaged database is not upgraded`() throws {
        try LaterRelease.makeOlder(path)
        try Damage.overwritePages(of: path, from: 0.5)

        let error = #expect(throws: StoreError.self) { try LaterRelease.open(path) }
        #expect(error?.kind == .storage)
        #expect(try files().isEmpty)
        #expect(try version() == 1)
    }

    @Test func `copies are removed after seven days, whatever schema they are from`() throws {
        try LaterRelease.makeOlder(path)
        let store = try LaterRelease.open(path)
        let copy = try #require(store.keptCopy)
        let older = path + ".before-schema-2-20250601T000000Z"
        try Data("an older one".utf8).write(to: URL(filePath: older))

        #expect(store.removeOldMigrationCopies(at: start + .days(7)) == [older])
        #expect(store.removeOldMigrationCopies(at: start + .days(7) + .seconds(1)) == [copy])
        #expect(try files().isEmpty)
    }
}
