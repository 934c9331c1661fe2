import DatabaseTools
import DeliveryQueue
import GRDB

/// What is in a database, to compare it with another.
enum DatabaseContent {
    /// All rows of all tables but the record of the migrations and the random epoch, as texts by table.
    ///
    /// - Parameter columns: by table; nil: all of all tables.
    static func rows(_ db: Database, columns: [String: [String]]? = nil) throws -> [String: [String]] {
        let sql = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        let tables = try columns.map { Array($0.keys) } ?? String.fetchAll(db, sql: sql)
        return try tables.filter { !["schema_migration", "daemon"].contains($0) }.reduce(into: [:]) { rows, table in
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

    static func schema(_ db: Database) throws -> [String] {
        try String.fetchAll(
            db, sql: "SELECT type || ' ' || name || ' ' || coalesce(sql, '') FROM sqlite_schema ORDER BY type, name")
    }

    /// The content of a database file and its layout: equal for equal databases, whenever they were made.
    static func whole(_ db: Database) throws -> [String] {
        let steps = try String.fetchAll(
            db, sql: "SELECT version || ' ' || name || ' ' || hex(sha256) FROM schema_migration ORDER BY version")
        let version = try Int.fetchOne(db, sql: "PRAGMA user_version") ?? 0
        let rows = try rows(db).sorted { $0.key < $1.key }.flatMap { [$0.key] + $0.value }
        return try ["\(version)"] + schema(db) + steps + rows
    }

    /// Everything that `redeliver database check` finds wrong with a closed or open database.
    static func faults(of path: String) throws -> [String] {
        try QueueReader.ofAnySchema(path: path).check().flatMap(\.faults)
    }
}
