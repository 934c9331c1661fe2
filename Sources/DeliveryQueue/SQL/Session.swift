import GRDB
import GRDBSQLite

/// One connection to the database, within one transaction or snapshot. Everything above this folder speaks to a
/// database through these few primitives; another engine would enter here.
package struct Session {
    let db: Database

    init(_ db: Database) {
        self.db = db
    }

    /// Runs one statement. Its compiled form is kept and used again.
    package func run(_ sql: String, _ parameters: Parameters = []) throws {
        let statement = try db.cachedStatement(sql: sql)
        try parameters.bind(to: statement)
        try statement.execute()
    }

    /// Runs one statement.
    ///
    /// - Returns: how many rows it changed.
    package func change(_ sql: String, _ parameters: Parameters = []) throws -> Int {
        try run(sql, parameters)
        return db.changesCount
    }

    /// Runs several statements that have no parameters.
    package func script(_ sql: String) throws {
        try db.execute(sql: sql)
    }

    /// The number of the row that was inserted last.
    package var lastID: Int64 { db.lastInsertedRowID }

    /// The first row of a query; nil when there is none.
    package func first<Value>(
        _ sql: String, _ parameters: Parameters = [], _ read: (inout SQLRow) throws -> Value
    ) throws -> Value? {
        try withoutActuallyEscaping(read) { try RowCursor(db.cachedStatement(sql: sql), parameters, $0).next() }
    }

    /// All rows of a query.
    package func all<Value>(
        _ sql: String, _ parameters: Parameters = [], _ read: (inout SQLRow) throws -> Value
    ) throws -> [Value] {
        var values: [Value] = []
        try each(sql, parameters) { row in
            values.append(try read(&row))
            return true
        }
        return values
    }

    /// Gives `take` the rows of a query one by one, until it returns false.
    package func each(
        _ sql: String, _ parameters: Parameters = [], _ take: (inout SQLRow) throws -> Bool
    ) throws {
        try withoutActuallyEscaping(take) { take in
            let cursor = try RowCursor(db.cachedStatement(sql: sql), parameters, take)
            while let goesOn = try cursor.next(), goesOn {}
        }
    }

    /// The first column of a query's first row; nil when there is no row, or NULL in it.
    package func number(_ sql: String, _ parameters: Parameters = []) throws -> Int64? {
        try first(sql, parameters) { $0.integerIfAny() } ?? nil
    }

    /// Whether a query finds anything.
    package func exists(_ sql: String, _ parameters: Parameters = []) throws -> Bool {
        try first(sql, parameters) { _ in } != nil
    }

    /// Takes back what `work` changed when it returns false or throws; what was changed before stays.
    package func savepoint(_ work: () throws -> Bool) throws {
        try db.inSavepoint { try work() ? .commit : .rollback }
    }

    /// Runs `work` in a transaction of its own. The connection must not be in one.
    package func transaction(_ work: () throws -> Void) throws {
        try db.inTransaction(.immediate) {
            try work()
            return .commit
        }
    }
}

/// Steps a statement whose rows are read by their columns' order.
private final class RowCursor<Element>: DatabaseCursor {
    let _statement: Statement
    var _isDone = false
    private let read: (inout SQLRow) throws -> Element

    init(_ statement: Statement, _ parameters: Parameters, _ read: @escaping (inout SQLRow) throws -> Element) throws {
        _statement = statement
        self.read = read
        try parameters.bind(to: statement)
    }

    /// A statement left at a row would keep its snapshot open.
    deinit { sqlite3_reset(_statement.sqliteStatement) }

    func _element(sqliteStatement: SQLiteStatement) throws -> Element {
        var row = SQLRow(sqliteStatement)
        return try read(&row)
    }
}
