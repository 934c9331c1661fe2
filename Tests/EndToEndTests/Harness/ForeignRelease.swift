import Crypto
import Foundation
import GRDB

/// A database as this release makes it, in the hands of another one: made from the texts in `migrations/`.
struct ForeignRelease {
    private let queue: DatabaseQueue

    init(at url: URL) throws {
        let folder = URL(filePath: #filePath).appending(path: "../../../../migrations").standardizedFileURL
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".sql") }
        var configuration = Configuration()
        configuration.allowsUnsafeTransactions = true
        queue = try DatabaseQueue(path: url.path, configuration: configuration)
        try queue.inDatabase { db in
            try db.execute(sql: "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL")
            for (number, name) in names.sorted().enumerated() {
                let text = try String(contentsOf: folder.appending(path: name), encoding: .utf8)
                try Self.apply(number + 1, String(name.dropLast(4)), text, to: db)
            }
        }
    }

    /// Applies a step of its own in a transaction that stays open, as a daemon does that is still at it.
    func beginNextStep() throws {
        try queue.inDatabase { db in
            let version = try Int.fetchOne(db, sql: "PRAGMA user_version") ?? 0
            try db.execute(sql: "BEGIN IMMEDIATE")
            try Self.apply(version + 1, "next", "ALTER TABLE delivery ADD COLUMN note TEXT", to: db)
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

    private static func apply(_ number: Int, _ name: String, _ text: String, to db: Database) throws {
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
