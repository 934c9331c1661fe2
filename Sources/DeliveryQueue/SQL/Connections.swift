import CSQLite
import GRDB
import GRDBSQLite
package import LocalFiles

/// The open connections to one database file. Safe to use from any task: one transaction writes at a time, and readers
/// have snapshots beside it.
package struct Connections: Sendable {
    let file: any DatabaseWriter
    /// Kept open: SQLite finds the files beside the database by it, and readers open the database later.
    private let place: FilePlace

    /// One writer and two readers, for the store. Switches the file to a write-ahead log.
    package static func pool(at place: FilePlace) throws -> Connections {
        let path = DescriptorPaths.path(to: place)
        return Connections(
            file: try DatabasePool(path: path, configuration: SQLiteSettings.configuration()), place: place)
    }

    /// One connection with this program's settings.
    package static func single(at place: FilePlace, isReadOnly: Bool) throws -> Connections {
        var configuration = SQLiteSettings.configuration()
        configuration.readonly = isReadOnly
        return try queue(at: place, configuration)
    }

    /// One connection without this program's settings, for a file that is perhaps not ours: nothing about it is
    /// changed.
    package static func bare(at place: FilePlace, isReadOnly: Bool) throws -> Connections {
        var configuration = Configuration()
        configuration.readonly = isReadOnly
        configuration.busyMode = .timeout(5)
        return try queue(at: place, configuration)
    }

    private static func queue(at place: FilePlace, _ configuration: Configuration) throws -> Connections {
        let path = DescriptorPaths.path(to: place)
        return Connections(file: try DatabaseQueue(path: path, configuration: configuration), place: place)
    }

    // MARK: - For tasks

    /// One `BEGIN IMMEDIATE` transaction; rolled back whole when `work` throws or the task is cancelled.
    package func write<Value: Sendable>(_ work: @Sendable @escaping (Session) throws -> Value) async throws -> Value {
        try await file.write { try work(Session($0)) }
    }

    /// The writing connection outside a transaction, for what SQLite does not allow in one.
    package func writeAlone<Value: Sendable>(
        _ work: @Sendable @escaping (Session) throws -> Value
    ) async throws -> Value {
        try await file.writeWithoutTransaction { try work(Session($0)) }
    }

    /// One consistent snapshot that never waits for a writer.
    package func read<Value: Sendable>(_ work: @Sendable @escaping (Session) throws -> Value) async throws -> Value {
        try await file.read { try work(Session($0)) }
    }

    // MARK: - On the calling thread

    /// As `write`; the calling thread waits for it.
    package func writeHere<Value>(_ work: (Session) throws -> Value) throws -> Value {
        try file.write { try work(Session($0)) }
    }

    /// As `writeAlone`; the calling thread waits for it.
    package func writeAloneHere<Value>(_ work: (Session) throws -> Value) throws -> Value {
        try file.writeWithoutTransaction { try work(Session($0)) }
    }

    /// As `read`; the calling thread waits for it.
    package func readHere<Value>(_ work: (Session) throws -> Value) throws -> Value {
        try file.read { try work(Session($0)) }
    }

    /// Reads without a transaction, because SQLite cannot end one well after it met damage.
    package func examine<Value>(_ work: (Session) throws -> Value) throws -> Value {
        try file.unsafeRead { try work(Session($0)) }
    }

    /// Closes all connections. A second call changes nothing.
    package func close() throws {
        try file.close()
    }

    /// Moves the write-ahead log into the file, as far as readers let it.
    package func checkpoint() throws {
        // A statement, because a closed connection refuses it; SQLite's own function would crash there.
        _ = try file.writeWithoutTransaction { try GRDB.Row.fetchAll($0, sql: "PRAGMA wal_checkpoint(TRUNCATE)") }
    }

    /// From now on `close` leaves the write-ahead log as it is; the last connection moves it into the file otherwise.
    package func leaveLog() {
        file.writeWithoutTransaction { db in
            if let connection = db.sqliteConnection { _ = csqlite_no_checkpoint_on_close(connection) }
        }
    }
}

extension Session {
    /// Pages between two looks at whether a copy is still wanted: 4 MB.
    private static let pagesPerStep: CInt = 1_000

    /// Copies the whole database, as the snapshot of this session has it, to an empty file: one file without a
    /// write-ahead log, not synced. No writer waits for it.
    ///
    /// - Throws: `CancellationError` when the task is cancelled meanwhile.
    package func copy(to place: FilePlace) throws {
        // The first read begins the snapshot; without one each step would begin its own.
        _ = try number("PRAGMA schema_version")
        var configuration = Configuration()
        configuration.busyMode = .timeout(5)
        let copy = try DatabaseQueue(path: DescriptorPaths.path(to: place), configuration: configuration)
        try copy.writeWithoutTransaction { to in
            // The caller syncs the file once, as a whole.
            try to.execute(sql: "PRAGMA synchronous = OFF")
            try db.backup(to: to, pagesPerStep: Self.pagesPerStep) { _ in try Task.checkCancellation() }
            // The copied header says WAL; without one, the copy is one file.
            try to.execute(sql: "PRAGMA journal_mode = DELETE")
            // Nobody works on a copy: a daemon notices when one is put in the place of its database.
            if try to.tableExists("daemon") { try to.execute(sql: "DELETE FROM daemon") }
        }
        try copy.close()
    }
}
