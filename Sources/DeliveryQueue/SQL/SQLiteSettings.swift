import GRDB
import GRDBSQLite

/// The settings of this program's SQLite connections, and those that its promises need.
package enum SQLiteSettings {
    /// When SQLite waits for the disk; the raw value is the pragma's.
    package enum Synchronous: Int, Sendable {
        case off = 0
        case full = 2
    }

    /// 16 MiB of the write-ahead log: retries change the same pages again and again, and a checkpoint writes each page
    /// once. With SQLite's own 1,000 pages, cycles in batches of 20 were a fifth slower.
    private static let checkpointPages = 4_000

    /// "rdlv" in ASCII: tells our files from other programs' in `PRAGMA application_id`.
    package static let applicationID: Int32 = 0x7264_6c76

    /// The settings that a database in use must have, by the names of their pragmas.
    package static let wanted = [
        "application_id": String(applicationID), "auto_vacuum": "2", "foreign_keys": "1", "journal_mode": "wal",
        "synchronous": "2", "trusted_schema": "0",
    ]

    /// The settings that each connection gets when it opens.
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

    /// Sets what the writing connection gets only after the switch to the write-ahead log, and reads the settings back.
    ///
    /// - Parameters:
    ///   - checkpoints: whether this process moves the log into the file. Only the daemon does: doing so while another
    ///     process commits has corrupted databases of this SQLite's age (sqlite.org/wal.html, the WAL-reset bug).
    ///   - synchronous: anything but `full` gives up that a commit survives a loss of power.
    /// - Throws: `storage` when the file did not take a setting.
    static func prepareWriter(_ session: Session, checkpoints: Bool, synchronous: Synchronous) throws {
        // GRDB sets NORMAL when it switches to WAL, after `prepareDatabase`.
        try session.script("PRAGMA synchronous = \(synchronous.rawValue)")
        try session.script("PRAGMA wal_autocheckpoint = \(checkpoints ? checkpointPages : 0)")
        let settings = try session.settings()
        for (name, value) in wanted where name != "application_id" && name != "auto_vacuum" {
            let value = name == "synchronous" ? String(synchronous.rawValue) : value
            guard settings[name] != value else { continue }
            throw StoreError(
                .storage, operation: "", cause: "PRAGMA \(name) is \(settings[name] ?? "unset"), not \(value)",
                hint: "check the disk and its free space; where it cannot have a write-ahead log, use a local disk")
        }
    }
}

extension Session {
    /// The settings that the promises rest on, as the open database has them.
    package func settings() throws -> [String: String] {
        var settings: [String: String] = [:]
        for name in SQLiteSettings.wanted.keys {
            settings[name] = try first("PRAGMA \(name)") { $0.text() }
        }
        return settings
    }

    /// The version of the schema; 0 in a new file.
    package func schemaVersion() throws -> Int {
        Int(try number("PRAGMA user_version") ?? 0)
    }

    /// Marks the file as ours, with the version of its schema.
    package func mark(schemaVersion version: Int) throws {
        try script("PRAGMA application_id = \(SQLiteSettings.applicationID)")
        try script("PRAGMA user_version = \(version)")
    }

    /// Whether the file bears our mark, or has nothing in it yet.
    package func isOursOrNew() throws -> Bool {
        let mark = try number("PRAGMA application_id") ?? 0
        return try mark == SQLiteSettings.applicationID || (mark == 0 && !exists("SELECT 1 FROM sqlite_schema"))
    }

    /// Whether SQLite understands the file's list of tables, whoever made them.
    package func isReadable() -> Bool {
        (try? number("SELECT COUNT(*) FROM sqlite_schema")) != nil
    }

    package func hasTable(_ name: String) throws -> Bool {
        try exists("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?", [name])
    }

    /// How many bytes of the file are free.
    package func freeBytes() throws -> Int64 {
        try number("SELECT freelist_count * page_size FROM pragma_freelist_count, pragma_page_size") ?? 0
    }

    /// Gives freed pages back to the file system. Must not run in a transaction.
    ///
    /// - Returns: how many free pages are left.
    package func reclaimSpace(pages: Int) throws -> Int {
        // Each step of this pragma frees one page; it must be run to its end.
        try each("PRAGMA incremental_vacuum(\(pages))") { _ in true }
        return Int(try number("PRAGMA freelist_count") ?? 0)
    }
}
