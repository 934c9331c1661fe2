import Foundation
import GRDB
import TestSupport
import Testing

@testable import DeliveryQueue
@testable import QueueFixtures

@Suite struct StoreRefusalTests {
    private let folder: TemporaryFolder
    private let path: String

    init() throws {
        folder = try TemporaryFolder()
        path = folder.file("queue.db")
    }

    private func refusal(of path: String) -> StoreError? {
        #expect(throws: StoreError.self) { try QueueStore(path: path, now: start) }
    }

    /// The bytes of the database and of its write-ahead log; an empty log is as good as none.
    private func contents() -> [Data] {
        [path, path + "-wal"].map { FileManager.default.contents(atPath: $0) ?? Data() }
    }

    // MARK: - Another instance

    @Test func `a second instance is refused and names the first one's process`() async throws {
        let first = try QueueStore(path: path, now: start)

        let error = refusal(of: path)
        #expect(error?.kind == .locked)
        #expect(error?.description.contains("process \(ProcessInfo.processInfo.processIdentifier)") == true)
        #expect(throws: Never.self) { try first.pool.read { _ in } }
    }

    @Test func `the lock is free again when the first store is closed`() throws {
        let first = try QueueStore(path: path, now: start)
        try first.close()

        let second = try QueueStore(path: path, now: start)
        #expect(refusal(of: path)?.kind == .locked)
        // Both stay alive to here: only `close` can have freed the lock.
        withExtendedLifetime((first, second)) {}
    }

    @Test func `the lock is free again when the first store is forgotten`() throws {
        do {
            let first = try QueueStore(path: path, now: start)
            withExtendedLifetime(first) {}
        }

        #expect(throws: Never.self) { try QueueStore(path: path, now: start).close() }
    }

    @Test(arguments: [
        "4194303999\n", "12\nelsewhere\npid:[1]\n", "", "\u{1b}[31mgarbage\u{0}\n\n\n",
        String(repeating: "9", count: 100_000),
    ]) func `a lock file that a dead process left behind does not matter`(_ content: String) throws {
        #expect(
            FileManager.default.createFile(
                atPath: path + ".lock", contents: Data(content.utf8), attributes: [.posixPermissions: 0o444]))

        let store = try QueueStore(path: path, now: start)
        let holder = try String(contentsOfFile: path + ".lock", encoding: .utf8)
        #expect(holder.hasPrefix("\(ProcessInfo.processInfo.processIdentifier)\n"))
        #expect(LockHolder(text: holder) == .own)
        try store.close()
    }

    /// The holder as a container that shares the volume sees it.
    @Test func `a holder in another container is named with its host, and its process id counts for nothing here`()
        throws
    {
        let first = try QueueStore(path: path, now: start)
        for file in [".lock", ".running"] {
            try "7\nweb-1\npid:[1]\n".write(toFile: path + file, atomically: false, encoding: .utf8)
        }

        #expect(
            refusal(of: path)?.cause.contains("(process 7 of web-1, which is another container or machine)") == true)
        #expect(DaemonPresence.look(atDatabase: path) == .running(process: nil))
        withExtendedLifetime(first) {}
    }

    @Test func `a refused opening does not keep the lock`() throws {
        #expect(FileManager.default.createFile(atPath: path, contents: Data("not a database at all".utf8)))
        #expect(refusal(of: path)?.kind == .foreign)
        try FileManager.default.removeItem(atPath: path)

        #expect(throws: Never.self) { try QueueStore(path: path, now: start).close() }
    }

    // MARK: - Places that cannot hold a database

    @Test func `a missing folder is named`() {
        let error = refusal(of: folder.file("missing/queue.db"))

        #expect(error?.kind == .inaccessible)
        #expect(error?.description.contains("missing/queue.db") == true)
        #expect(error?.hint != nil)
    }

    @Test func `a path below a file is inaccessible`() {
        #expect(FileManager.default.createFile(atPath: folder.file("file"), contents: Data()))

        #expect(refusal(of: folder.file("file/queue.db"))?.kind == .inaccessible)
    }

    @Test func `a folder in the place of the database is inaccessible`() throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)

        #expect(refusal(of: path)?.kind == .inaccessible)
    }

    @Test(.enabled(if: getuid() != 0, "root may write everywhere: only another user can be refused"))
    func `a read-only folder is inaccessible`() throws {
        let manager = FileManager.default
        let closed = folder.file("closed")
        try manager.createDirectory(atPath: closed, withIntermediateDirectories: false)
        try manager.setAttributes([.posixPermissions: 0o555], ofItemAtPath: closed)
        defer { try? manager.setAttributes([.posixPermissions: 0o755], ofItemAtPath: closed) }

        #expect(refusal(of: closed + "/queue.db")?.kind == .inaccessible)
    }

    // MARK: - Files that are not ours

    @Test(arguments: ["hello\n", String(repeating: "text, not a database. ", count: 500), "SQLite format 3"])
    func `a text file is refused and stays as it is`(text: String) throws {
        #expect(FileManager.default.createFile(atPath: path, contents: Data(text.utf8)))

        let error = refusal(of: path)
        #expect(error?.kind == .foreign)
        #expect(contents() == [Data(text.utf8), Data()])
    }

    @Test(arguments: [
        ("DELETE", "CREATE TABLE notes (x)"),
        ("WAL", "CREATE TABLE notes (x); INSERT INTO notes VALUES (1)"),
        ("DELETE", "PRAGMA application_id = 252006673"),
        ("DELETE", "PRAGMA user_version = 1; CREATE TABLE delivery (x)"),
        ("DELETE", "CREATE VIEW v AS SELECT 1"),
    ])
    func `another program's database is refused and stays byte-identical`(mode: String, sql: String) throws {
        let theirs = try DatabaseQueue(path: path)
        try theirs.writeWithoutTransaction { try $0.execute(sql: "PRAGMA journal_mode = \(mode); \(sql)") }
        try theirs.close()
        let before = contents()

        let error = refusal(of: path)
        #expect(error?.kind == .foreign)
        #expect(contents() == before)
    }

    @Test func `another program's open database with a write-ahead log stays as it is`() throws {
        let theirs = try DatabasePool(path: path)
        try theirs.write { try $0.execute(sql: "CREATE TABLE notes (x); INSERT INTO notes VALUES (1)") }
        let before = contents()

        #expect(refusal(of: path)?.kind == .foreign)
        #expect(contents() == before)
        #expect(try theirs.read { try Int.fetchOne($0, sql: "SELECT x FROM notes") } == 1)
    }

    @Test func `a damaged file is refused as a storage error`() throws {
        try QueueStore(path: path, now: start).close()
        var bytes = try Data(contentsOf: URL(filePath: path))
        for index in 100..<4_096 { bytes[index] = 0xA5 }
        try bytes.write(to: URL(filePath: path))

        #expect(refusal(of: path)?.kind == .storage)
    }

    // MARK: - Words

    @Test func `a second instance under another name of the same file is refused`() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "redeliver-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.appending(path: "queue.db").path
        let link = folder.appending(path: "link.db").path
        let first = try QueueStore(path: path, now: start)
        try first.close()
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: path)
        let second = try QueueStore(path: path, now: start)
        defer { try? second.close() }

        #expect(throws: StoreError.self) { try QueueStore(path: link, now: start) }
    }

    @Test func `a description says operation, cause and what to do`() {
        let error = StoreError(.locked, operation: "open database x", cause: "someone has it", hint: "stop it")

        #expect(error.description == "open database x: someone has it; stop it")
        #expect(StoreError(.storage, operation: "read", cause: "no").description == "read: no")
    }

    @Test(arguments: [
        (ResultCode.SQLITE_CANTOPEN, StoreError.Kind.inaccessible), (.SQLITE_READONLY, .inaccessible),
        (.SQLITE_READONLY_DIRECTORY, .inaccessible), (.SQLITE_NOTADB, .foreign), (.SQLITE_BUSY, .storage),
        (.SQLITE_BUSY_SNAPSHOT, .storage), (.SQLITE_FULL, .storage), (.SQLITE_IOERR_WRITE, .storage),
        (.SQLITE_CORRUPT, .storage), (.SQLITE_INTERRUPT, .cancelled),
    ])
    func `SQLite's codes become what an operator can act on, without a statement's arguments`(
        code: ResultCode, kind: StoreError.Kind
    ) {
        let cause = DatabaseError(
            resultCode: code, message: "message", sql: "UPDATE x SET y = ?", arguments: ["personal data"])

        let error = StoreError(cause, operation: "work")
        #expect(error.kind == kind)
        #expect(error.description.contains("personal") == false)
        #expect(error.description.contains("\(code.rawValue)"))
    }
}
