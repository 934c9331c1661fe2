import Foundation
import GRDB
import TestSupport

@testable import DeliveryQueue

/// Everything that a folder's databases hold, as lines of text: what a process would find that opens them after the
/// present one was killed. Looks at a copy, so nothing is changed.
enum FolderState {
    /// Files that belong to a database, or to nobody once the process is gone.
    private static let companions = ["-wal", "-shm", "-journal", ".lock", ".running"]

    /// What a migration leaves beside the database on purpose; `MigrationCopyTests` look at it.
    private static let beforeMigration = ".before-schema-"

    /// - Throws: what SQLite says when a database cannot be read.
    static func of(_ folder: String) throws -> [String] {
        let copy = try TemporaryFolder()
        let names = try FileManager.default.contentsOfDirectory(atPath: folder)
        for name in names where !["-shm", ".lock", ".running"].contains(where: name.hasSuffix) {
            try FileManager.default.copyItem(atPath: "\(folder)/\(name)", toPath: copy.file(name))
        }
        let databases = names.filter { name in
            !companions.contains { name.hasSuffix($0) } && !name.contains(beforeMigration)
        }
        return try databases.sorted().flatMap { name in
            try lines(of: copy.file(name)).map { "\(name) \($0)" }
        }
    }

    private static func lines(of path: String) throws -> [String] {
        let queue = try DatabaseQueue(path: path)
        defer { try? queue.close() }
        return try queue.writeWithoutTransaction { db in
            let faults = try String.fetchAll(db, sql: "PRAGMA integrity_check").filter { $0 != "ok" }
            let strays = try Row.fetchAll(db, sql: "PRAGMA foreign_key_check").map { "foreign key: \($0)" }
            return try faults + strays + settings(db) + schema(db) + rows(db)
        }
    }

    /// In an empty database they do not exist yet.
    private static func settings(_ db: Database) throws -> [String] {
        guard try Int.fetchOne(db, sql: "PRAGMA user_version") ?? 0 > 0 else { return ["empty"] }
        return try ["user_version", "application_id", "auto_vacuum"].map {
            "\($0) \(try String.fetchOne(db, sql: "PRAGMA \($0)") ?? "")"
        }
    }

    private static func schema(_ db: Database) throws -> [String] {
        try String.fetchAll(
            db,
            sql:
                """
                SELECT type || ' ' || name || ' ' || coalesce(sql, '') FROM sqlite_schema
                WHERE name NOT LIKE 'sqlite_%' ORDER BY 1
                """
        )
    }

    private static func rows(_ db: Database) throws -> [String] {
        let tables = try String.fetchAll(
            db, sql: "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name")
        // Its one value is random.
        return try tables.filter { $0 != "daemon" }.flatMap { table in
            try Row.fetchAll(db, sql: "SELECT * FROM \(table)").map { row in
                "\(table): " + row.map { "\($0.0)=\($0.1)" }.joined(separator: " ")
            }.sorted()
        }
    }
}
