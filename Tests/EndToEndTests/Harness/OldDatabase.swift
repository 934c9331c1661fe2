import Crypto
import Foundation
import GRDB

/// A database as an earlier release left it, made from the texts in `migrations/`, and the next release's step on it.
struct OldDatabase {
    let url: URL
    private let queue: DatabaseQueue
    private let steps: [(name: String, text: String)]

    /// - Parameter version: of the schema; the step after it is there to be applied.
    init(at url: URL, version: Int) throws {
        self.url = url
        let folder = URL(filePath: #filePath).appending(path: "../../../../migrations").standardizedFileURL
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".sql") }
        steps = try names.sorted().map { name in
            (String(name.dropLast(4)), try String(contentsOf: folder.appending(path: name), encoding: .utf8))
        }
        var configuration = Configuration()
        configuration.allowsUnsafeTransactions = true
        queue = try DatabaseQueue(path: url.path, configuration: configuration)
        try queue.inDatabase { db in
            try db.execute(sql: "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL")
            for number in 1...version { try apply(number, to: db) }
        }
    }

    /// Applies the next step in a transaction that stays open, as a daemon does that is still at it.
    func beginNextStep() throws {
        try queue.inDatabase { db in
            let version = try Int.fetchOne(db, sql: "PRAGMA user_version") ?? 0
            try db.execute(sql: "BEGIN IMMEDIATE")
            try apply(version + 1, to: db)
        }
    }

    func commit() throws {
        try queue.inDatabase { try $0.execute(sql: "COMMIT") }
    }

    func write(_ sql: String) throws {
        try queue.inDatabase { try $0.execute(sql: sql) }
    }

    func close() throws {
        try queue.close()
    }

    private func apply(_ number: Int, to db: Database) throws {
        let (name, text) = steps[number - 1]
        try db.execute(sql: text)
        try db.execute(
            sql: """
                CREATE TABLE IF NOT EXISTS schema_migration (
                    version INTEGER NOT NULL PRIMARY KEY, name TEXT NOT NULL, sha256 BLOB NOT NULL,
                    applied_ms INTEGER NOT NULL) STRICT
                """)
        try db.execute(
            sql: "INSERT INTO schema_migration VALUES (?, ?, ?, 0)",
            arguments: [number, name, Data(SHA256.hash(data: Data(text.utf8)))])
        try db.execute(sql: "PRAGMA application_id = 1919183990; PRAGMA user_version = \(number)")
    }
}
