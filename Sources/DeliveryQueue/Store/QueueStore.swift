import Foundation
import GRDB
import GRDBSQLite

/// The failure database: opened once, one writer, every state change one transaction.
///
/// All methods are safe to call from any task; GRDB serialises writes. The store never reads the clock.
package struct QueueStore: Sendable {
    let pool: DatabasePool
    /// nil for an operator's command, which may work beside the daemon.
    private let lock: InstanceLock?
    /// Where the database is as it was before this start changed its schema; nil: it needed no change.
    package let keptCopy: String?
    /// Set: statements run on the calling thread, which waits for them: for a simulation, whose one thread must do everything
    /// in order. Called before and after each transaction.
    private let simulated: (@Sendable () async -> Void)?

    /// Opens or creates the database, takes the instance lock and brings the schema up to date. An older database is copied
    /// before, see `keptCopy`.
    ///
    /// - Throws: `StoreError`; nothing was changed when the kind is `locked`, `foreign` or `incompatible`, or when the
    ///   folder lies on a network file system (`inaccessible`).
    package init(path: String, now: Timestamp) throws(StoreError) {
        try NetworkDisk.refuse(database: path, operation: "open database \(path)")
        try self.init(path: path, lock: InstanceLock(database: path), now: now)
    }

    /// Opens a database for a single change by an operator, also while the daemon works on it.
    ///
    /// - Throws: `inaccessible` when there is no such database, or on a network file system; `incompatible` when its schema
    ///   is not this program's: only the daemon changes it.
    package static func forOperator(path: String, now: Timestamp) throws(StoreError) -> QueueStore {
        try NetworkDisk.refuse(database: path, operation: "open database \(path)")
        let reader = try QueueReader(path: path)
        try reader.read("open") { _ in }
        try reader.close()
        return try QueueStore(path: path, lock: nil, now: now)
    }

    /// Opens a database for long work by an operator. When no daemon runs, this process takes its place meanwhile: somebody
    /// has to work the write-ahead log into the file.
    ///
    /// - Throws: as `forOperator`.
    package static func forMaintenance(path: String, now: Timestamp) throws(StoreError) -> QueueStore {
        let beside = try forOperator(path: path, now: now)
        let lock: InstanceLock
        do throws(StoreError) {
            lock = try InstanceLock(database: path)
        } catch {
            guard error.kind == .locked else { throw error }
            return beside
        }
        try beside.close()
        return try QueueStore(path: path, lock: lock, now: now)
    }

    /// Opens or creates the database of a simulation, whose one thread must do everything in order: statements run on the
    /// calling thread.
    ///
    /// - Parameters:
    ///   - isDurable: false: nothing is synced, which a loss of power could damage; for a file that is thrown away.
    ///   - pause: called before and after each transaction: a simulation may let others run there, or end its worker.
    package static func forSimulation(
        path: String, isDurable: Bool, now: Timestamp, pause: @escaping @Sendable () async -> Void = {}
    ) throws(StoreError) -> QueueStore {
        try QueueStore(
            path: path, lock: InstanceLock(database: path), now: now, synchronous: isDurable ? .full : .off,
            simulated: pause)
    }

    /// When SQLite waits for the disk, by the number that its pragma has for it.
    enum Synchronous: Int {
        case off = 0
        case full = 2
    }

    /// 16 MiB of the write-ahead log: retries change the same pages again and again, and a checkpoint writes each page once.
    /// With SQLite's own 1,000 pages, cycles in batches of 20 were a fifth slower.
    private static let checkpointPages = 4_000

    /// - Parameters:
    ///   - lock: taken by the caller; nil for an operator's command.
    ///   - synchronous: everything but a simulation promises that what is committed survives a loss of power.
    init(
        path: String, lock: InstanceLock?, now: Timestamp, synchronous: Synchronous = .full,
        simulated: (@Sendable () async -> Void)? = nil
    ) throws(StoreError) {
        self.lock = lock
        self.simulated = simulated
        do {
            try Self.refuseForeignFile(path)
            // Without the lock nothing is changed: an operator's command refuses an older schema.
            keptCopy = try lock.flatMap { _ in
                try MigrationCopy(of: path, before: Migrations.steps.count).keep(at: now)
            }
            pool = try DatabasePool(path: path, configuration: Self.configuration())
            try pool.writeWithoutTransaction { db in
                try Migrations.apply(to: db, at: now)
                // GRDB sets NORMAL when it switches to WAL, after `prepareDatabase`.
                try db.execute(sql: "PRAGMA synchronous = \(synchronous.rawValue)")
                // Only the daemon checkpoints: a second process doing so while it commits has corrupted databases of
                // this SQLite's age (sqlite.org/wal.html, the WAL-reset bug).
                try db.execute(sql: "PRAGMA wal_autocheckpoint = \(lock == nil ? 0 : Self.checkpointPages)")
                try Self.verifySettings(db, synchronous)
            }
        } catch {
            throw StoreError(error, operation: "open database \(path)")
        }
    }

    /// Whether no daemon works on the database beside this process.
    package var isAlone: Bool { lock != nil }

    /// Moves everything from the write-ahead log into the main file, closes all connections and frees the lock. Again
    /// changes nothing.
    package func close() throws(StoreError) {
        do {
            if lock != nil {
                // As a statement, which a closed connection refuses: SQLite's function for it would crash there.
                _ = try? pool.writeWithoutTransaction { try Row.fetchAll($0, sql: "PRAGMA wal_checkpoint(TRUNCATE)") }
            }
            try pool.close()
        } catch {
            throw StoreError(error, operation: "close database")
        }
        lock?.release()
    }

    /// One `BEGIN IMMEDIATE` transaction; rolled back whole when `work` throws or the task is cancelled.
    ///
    /// - Parameter inTransaction: false for what SQLite does not allow in one.
    func write<Value: Sendable>(
        _ operation: String, inTransaction: Bool = true, _ work: @Sendable @escaping (Database) throws -> Value
    ) async throws(StoreError) -> Value {
        do {
            if let simulated {
                await simulated()
                let value = try writeHere(inTransaction: inTransaction, work)
                await simulated()
                return value
            }
            if inTransaction { return try await pool.write(work) }
            return try await pool.writeWithoutTransaction(work)
        } catch {
            throw StoreError(error, operation: operation)
        }
    }

    /// One consistent snapshot that never waits for a writer.
    func read<Value: Sendable>(
        _ operation: String, _ work: @Sendable @escaping (Database) throws -> Value
    ) async throws(StoreError) -> Value {
        do {
            if simulated != nil { return try readHere(work) }
            return try await pool.read(work)
        } catch {
            throw StoreError(error, operation: operation)
        }
    }

    private func writeHere<Value>(inTransaction: Bool, _ work: (Database) throws -> Value) throws -> Value {
        try Task.checkCancellation()
        return inTransaction ? try pool.write(work) : try pool.writeWithoutTransaction(work)
    }

    private func readHere<Value>(_ work: (Database) throws -> Value) throws -> Value {
        try Task.checkCancellation()
        return try pool.read(work)
    }

    /// Looks at an existing file before WAL is switched on, so that another program's database stays as it is.
    private static func refuseForeignFile(_ path: String) throws {
        var isFolder: ObjCBool = false
        if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue {
            // SQLite would call it a disk I/O error.
            throw StoreError(
                .inaccessible, operation: "open database \(path)", cause: "it is a folder",
                hint: "name a file in `database`")
        }
        var configuration = Configuration()
        configuration.readonly = true
        configuration.busyMode = .timeout(5)
        do {
            try check(DatabaseQueue(path: path, configuration: configuration))
        } catch let error as DatabaseError where error.resultCode == .SQLITE_CANTOPEN {
            return  // It does not exist yet, or the folder refuses us: creating it will tell which.
        } catch let error as DatabaseError where error.extendedResultCode == .SQLITE_READONLY_ROLLBACK {
            // Whoever made it was interrupted, perhaps we at the first start: before anybody can look at it, what was
            // half written has to be taken back, as its own program would.
            configuration.readonly = false
            try check(DatabaseQueue(path: path, configuration: configuration))
        }
    }

    private static func check(_ queue: DatabaseQueue) throws {
        defer { try? queue.close() }
        try queue.read { try Migrations.check($0) }
    }

    /// For every connection of this program to its database.
    static func configuration() -> Configuration {
        var configuration = Configuration()
        configuration.label = "redeliver"
        configuration.busyMode = .timeout(5)
        configuration.foreignKeysEnabled = true
        configuration.maximumReaderCount = 2
        configuration.prepareDatabase { db in
            if !db.configuration.readonly {
                // Must be the very first statement on a new file; later it is silently ignored.
                try db.execute(sql: "PRAGMA auto_vacuum = INCREMENTAL")
            }
            try db.execute(
                sql: """
                    PRAGMA synchronous = FULL;
                    PRAGMA trusted_schema = OFF;
                    PRAGMA cell_size_check = ON;
                    PRAGMA journal_size_limit = 67108864
                    """)
            keepWriteAheadLog(db)
        }
        return configuration
    }

    /// Without this, a clean stop deletes `-wal` and `-shm`, and a user who may only read can no longer open the file.
    private static func keepWriteAheadLog(_ db: Database) {
        var on: Int32 = 1
        _ = sqlite3_file_control(db.sqliteConnection, "main", SQLITE_FCNTL_PERSIST_WAL, &on)
    }

    /// The settings that the promises rest on, read back from the open database.
    static func settings(_ db: Database) throws -> [String: String] {
        var settings: [String: String] = [:]
        for name in ["auto_vacuum", "journal_mode", "synchronous", "foreign_keys", "trusted_schema", "application_id"] {
            settings[name] = try String.fetchOne(db, sql: "PRAGMA \(name)")
        }
        return settings
    }

    private static func verifySettings(_ db: Database, _ synchronous: Synchronous) throws {
        let settings = try settings(db)
        let wanted = [
            "journal_mode": "wal", "synchronous": "\(synchronous.rawValue)", "foreign_keys": "1", "trusted_schema": "0",
        ]
        for (name, value) in wanted where settings[name] != value {
            throw StoreError(
                .storage, operation: "",
                cause: "PRAGMA \(name) is \(settings[name] ?? "unset"), not \(value)",
                hint:
                    "check the disk and its free space; where it cannot have a write-ahead log, use a local disk"
            )
        }
    }
}
