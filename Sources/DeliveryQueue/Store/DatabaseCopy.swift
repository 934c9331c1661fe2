import Foundation
import GRDB

/// What is in a copy of the failure database.
package struct CopyFacts: Sendable, Equatable {
    package let bytes: Int64
    package let schemaVersion: Int
    package let deliveries: Int
    /// Of them, those that are neither delivered nor dead.
    package let open: Int
    /// The newest time that stands in it, which is when it was taken, give or take a poll; nil: nothing happened yet.
    package let newest: Timestamp?

    package init(bytes: Int64, schemaVersion: Int, deliveries: Int, open: Int, newest: Timestamp?) {
        self.bytes = bytes
        self.schemaVersion = schemaVersion
        self.deliveries = deliveries
        self.open = open
        self.newest = newest
    }
}

/// Makes and examines copies of a failure database: one file each, without a write-ahead log.
enum DatabaseCopy {
    /// How thoroughly a copy's structure is examined.
    enum Depth {
        /// Whether each page is well formed; for a copy that was made just now of a database that is in use.
        case quick
        /// Also whether each index agrees with its table; for a copy that comes from anywhere.
        case full
    }

    /// Pages between two looks at whether the copying is still wanted: 4 MB.
    private static let pagesPerStep: CInt = 1_000

    /// Copies a whole database as it is at one moment, through SQLite's backup interface: no writer waits for it.
    ///
    /// - Parameter path: an empty file. It is complete and in one piece when this returns, but not yet synced.
    static func make(from source: DatabaseQueue, to path: String) async throws {
        try await source.read { try copy($0, to: path) }
    }

    /// The same on the calling thread, of the snapshot that its connection reads.
    static func copy(_ from: Database, to path: String) throws {
        var configuration = Configuration()
        configuration.busyMode = .timeout(5)
        let copy = try DatabaseQueue(path: path, configuration: configuration)
        // The first read begins the snapshot; without one each step would begin its own.
        _ = try Int.fetchOne(from, sql: "PRAGMA schema_version")
        try copy.writeWithoutTransaction { to in
            // The caller syncs the file once, as a whole.
            try to.execute(sql: "PRAGMA synchronous = OFF")
            try from.backup(to: to, pagesPerStep: pagesPerStep) { _ in try Task.checkCancellation() }
            // The copied header says WAL: from here on everything is in the one file.
            try to.execute(sql: "PRAGMA journal_mode = DELETE")
        }
        try copy.close()
    }

    /// Examines a copy: whose it is, whether its schema is this program's or older, whether it is whole.
    ///
    /// - Throws: `foreign`, `incompatible`, or `storage` with the first faults found.
    static func verify(_ path: String, _ depth: Depth) async throws -> CopyFacts {
        let copy = try connection(to: path)
        let facts = try await copy.read { try examined($0, path, depth) }
        try copy.close()
        return facts
    }

    /// The same on the calling thread.
    @discardableResult
    static func examine(_ path: String, _ depth: Depth) throws -> CopyFacts {
        let copy = try connection(to: path)
        let facts = try copy.read { try examined($0, path, depth) }
        try copy.close()
        return facts
    }

    private static func connection(to path: String) throws -> DatabaseQueue {
        var configuration = QueueStore.configuration()
        configuration.readonly = true
        return try DatabaseQueue(path: path, configuration: configuration)
    }

    private static func examined(_ db: Database, _ path: String, _ depth: Depth) throws -> CopyFacts {
        try Migrations.check(db)
        guard try db.tableExists("schema_migration") else {
            throw StoreError(.foreign, operation: "", cause: "it is an empty database")
        }
        let structure = try db.structureFaults(depth == .quick ? .quick : .full)
        let faults = try structure.isEmpty ? db.foreignKeyFaults() : structure
        guard faults.isEmpty else {
            throw StoreError(
                .storage, operation: "", cause: "it is damaged: " + faults.prefix(3).joined(separator: "; "),
                hint: "check the disk and its free space, then the database with `redeliver database check`")
        }
        return try db.copyFacts(path)
    }
}

extension Database {
    fileprivate func copyFacts(_ path: String) throws -> CopyFacts {
        CopyFacts(
            bytes: QueueStore.fileSizes(ofDatabase: path).main,
            schemaVersion: try Int.fetchOne(self, sql: "PRAGMA user_version") ?? 0,
            deliveries: try Int.fetchOne(self, sql: "SELECT COUNT(*) FROM delivery") ?? 0,
            open: try Int.fetchOne(
                self, sql: "SELECT COUNT(*) FROM delivery WHERE finalized_ms IS NULL") ?? 0,
            newest: try newestTime())
    }

    /// The newest time at which this database was worked on; nil when it never was.
    func newestTime() throws -> Timestamp? {
        try Int64.fetchOne(
            self,
            sql: """
                SELECT max(at) FROM (
                    SELECT max(updated_ms) AS at FROM delivery
                    UNION ALL
                    SELECT max(max(coalesce(last_poll_ms, 0), coalesce(last_poll_error_ms, 0),
                               coalesce(last_scan_ms, 0), resumed_ms))
                    FROM endpoint
                ) WHERE at > 0
                """
        ).map(Timestamp.init(milliseconds:))
    }

    /// What SQLite says is wrong with the file, a line each and at most `limit` faults; none when it is sound.
    func structureFaults(_ depth: DatabaseCopy.Depth, limit: Int = 100) throws -> [String] {
        let pragma = depth == .full ? "integrity_check" : "quick_check"
        var faults: [String] = []
        do {
            let texts = try String.fetchCursor(self, sql: "PRAGMA \(pragma)(\(limit))")
            while let text = try texts.next() { faults += Self.structureFaults(in: text) }
        } catch let error as DatabaseError where error.resultCode == .SQLITE_CORRUPT {
            faults.append(error.message ?? "damaged")  // It lists what it can before it gives up.
        }
        return faults
    }

    /// One row of a check may tell several faults, below a heading that names the database.
    static func structureFaults(in text: String) -> [String] {
        text.split(separator: "\n").map(String.init).filter { $0 != "ok" && !$0.hasPrefix("*** in database ") }
    }

    /// Rows that refer to a row which is not there, at most `limit`.
    func foreignKeyFaults(limit: Int = 100) throws -> [String] {
        let cursor = try Row.fetchCursor(self, sql: "PRAGMA foreign_key_check")
        var faults: [String] = []
        while faults.count < limit, let row = try cursor.next() {
            let number = (row["rowid"] as Int64?).map { " \($0)" } ?? ""
            faults.append(
                "row\(number) of \(row["table"] as String) refers to a missing row of \(row["parent"] as String)")
        }
        return faults
    }
}
