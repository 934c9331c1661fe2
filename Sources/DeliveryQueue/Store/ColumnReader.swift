import Foundation
import GRDB
import GRDBSQLite

/// The columns of the row at which a statement stands, taken one after the other. GRDB's `Row` looks each column up by its
/// name and makes a table of the names for every query: for a delivery's 25 columns that took longer than SQLite itself.
struct ColumnReader {
    private let statement: SQLiteStatement
    private var column: Int32 = 0

    fileprivate init(_ statement: SQLiteStatement) {
        self.statement = statement
    }

    /// 0 for NULL.
    mutating func integer() -> Int64 {
        defer { column += 1 }
        return sqlite3_column_int64(statement, column)
    }

    mutating func integerIfAny() -> Int64? {
        isNull ? skip() : integer()
    }

    mutating func flag() -> Bool { integer() != 0 }

    mutating func timestamp() -> Timestamp { Timestamp(milliseconds: integer()) }

    mutating func timestampIfAny() -> Timestamp? {
        integerIfAny().map(Timestamp.init(milliseconds:))
    }

    /// Empty for NULL.
    mutating func text() -> String {
        defer { column += 1 }
        guard let bytes = sqlite3_column_text(statement, column) else { return "" }
        let count = Int(sqlite3_column_bytes(statement, column))
        return String(decoding: UnsafeBufferPointer(start: bytes, count: count), as: UTF8.self)
    }

    mutating func textIfAny() -> String? {
        isNull ? skip() : text()
    }

    /// Empty for NULL.
    mutating func bytes() -> [UInt8] {
        defer { column += 1 }
        guard let bytes = sqlite3_column_blob(statement, column) else { return [] }
        let count = Int(sqlite3_column_bytes(statement, column))
        return Array(UnsafeRawBufferPointer(start: bytes, count: count))
    }

    mutating func bytesIfAny() -> [UInt8]? {
        isNull ? skip() : bytes()
    }

    private var isNull: Bool { sqlite3_column_type(statement, column) == SQLITE_NULL }

    private mutating func skip<Value>() -> Value? {
        column += 1
        return nil
    }
}

/// Steps a statement whose rows are read by their columns' order.
private final class ColumnCursor<Element>: DatabaseCursor {
    let _statement: Statement
    var _isDone = false
    private let read: (inout ColumnReader) throws -> Element

    init(
        _ statement: Statement, _ bindings: Bindings,
        _ read: @escaping (inout ColumnReader) throws -> Element
    )
        throws
    {
        _statement = statement
        self.read = read
        try bindings.bind(to: statement)
    }

    /// A statement that is left standing at a row would keep its snapshot open.
    deinit { sqlite3_reset(_statement.sqliteStatement) }

    func _element(sqliteStatement: SQLiteStatement) throws -> Element {
        var columns = ColumnReader(sqliteStatement)
        return try read(&columns)
    }
}

extension Database {
    /// The first row of a query; nil when there is none.
    func first<Value>(
        _ sql: String, _ bindings: Bindings = [],
        _ read: (inout ColumnReader) throws -> Value
    ) throws -> Value? {
        try withoutActuallyEscaping(read) { try ColumnCursor(cachedStatement(sql: sql), bindings, $0).next() }
    }

    /// All rows of a query.
    func all<Value>(
        _ sql: String, _ bindings: Bindings = [],
        _ read: (inout ColumnReader) throws -> Value
    ) throws -> [Value] {
        try withoutActuallyEscaping(read) { read in
            let cursor = try ColumnCursor(cachedStatement(sql: sql), bindings, read)
            var values: [Value] = []
            while let value = try cursor.next() { values.append(value) }
            return values
        }
    }

    /// Whether a query finds anything.
    func exists(_ sql: String, _ bindings: Bindings = []) throws -> Bool {
        try first(sql, bindings) { _ in } != nil
    }
}
