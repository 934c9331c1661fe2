import Foundation
import GRDB

@testable import DeliveryQueue

/// Databases of the released schemas at `start`, with rows as the programs of that time wrote them, from frozen dumps. A change
/// of an old migration or of the store does not change them.
enum OldSchema {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures")

    /// The versions of which there is a dump.
    static var versions: [Int] {
        get throws {
            try FileManager.default.contentsOfDirectory(atPath: folder.path)
                .filter { $0.hasPrefix("schema-") && $0.hasSuffix(".sql") }
                .compactMap { Int($0.dropFirst(7).dropLast(4)) }.sorted()
        }
    }

    /// Makes the file, with a write-ahead log, as a clean stop leaves it.
    static func make(_ version: Int, at path: String) throws {
        let dump = try String(contentsOf: folder.appending(path: "schema-\(version).sql"), encoding: .utf8)
        var configuration = Configuration()
        // A dump has its tables in the order of their names.
        configuration.foreignKeysEnabled = false
        let queue = try DatabaseQueue(path: path, configuration: configuration)
        try queue.writeWithoutTransaction { db in
            try db.execute(sql: "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL")
            try db.execute(sql: dump)
        }
        try queue.close()
        try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: path)
    }

    /// All rows of all tables but the record of the migrations, as texts by table.
    ///
    /// - Parameter columns: by table; nil: all of all tables.
    static func rows(_ db: Database, columns: [String: [String]]? = nil) throws -> [String: [String]] {
        let sql = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        let tables = try columns.map { Array($0.keys) } ?? String.fetchAll(db, sql: sql)
        return try tables.filter { $0 != "schema_migration" }.reduce(into: [:]) { rows, table in
            let wanted = columns?[table]?.joined(separator: ", ") ?? "*"
            rows[table] = try Row.fetchAll(db, sql: "SELECT \(wanted) FROM \(table)").map { "\($0)" }.sorted()
        }
    }

    static func columns(_ db: Database) throws -> [String: [String]] {
        let tables = try rows(db).keys
        return try tables.reduce(into: [:]) { columns, table in
            columns[table] = try db.columns(in: table).map(\.name)
        }
    }

    /// What is in a database file and how it is laid out: equal for equal databases, whenever they were made.
    static func whole(_ db: Database) throws -> [String] {
        let schema = try String.fetchAll(
            db, sql: "SELECT type || ' ' || name || ' ' || coalesce(sql, '') FROM sqlite_schema ORDER BY type, name")
        let steps = try String.fetchAll(
            db, sql: "SELECT version || ' ' || name || ' ' || hex(sha256) FROM schema_migration ORDER BY version")
        let version = try Int.fetchOne(db, sql: "PRAGMA user_version") ?? 0
        return try ["\(version)"] + schema + steps + rows(db).sorted { $0.key < $1.key }.flatMap { [$0.key] + $0.value }
    }

    /// What is wrong with a closed or open database, in all that `redeliver database check` examines.
    static func faults(of path: String) throws -> [String] {
        try QueueReader.ofAnySchema(path: path).check().flatMap(\.faults)
    }
}
