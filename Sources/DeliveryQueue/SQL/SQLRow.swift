import GRDBSQLite

/// The row at which a statement stands. Each read takes the next column of the `SELECT`: looking columns up by name
/// took longer than SQLite itself.
package struct SQLRow {
    private let statement: OpaquePointer
    private var column: Int32 = 0

    init(_ statement: OpaquePointer) {
        self.statement = statement
    }

    /// 0 for NULL.
    package mutating func integer() -> Int64 {
        defer { column += 1 }
        return sqlite3_column_int64(statement, column)
    }

    package mutating func integerIfAny() -> Int64? {
        isNull ? skip() : integer()
    }

    /// 0 for NULL.
    package mutating func int() -> Int { Int(integer()) }

    /// false for NULL.
    package mutating func flag() -> Bool { integer() != 0 }

    /// 1970 for NULL.
    package mutating func timestamp() -> Timestamp { Timestamp(milliseconds: integer()) }

    package mutating func timestampIfAny() -> Timestamp? {
        integerIfAny().map(Timestamp.init(milliseconds:))
    }

    /// A column that holds a length of time in milliseconds; zero for NULL.
    package mutating func milliseconds() -> Duration { .milliseconds(integer()) }

    /// Empty for NULL.
    package mutating func text() -> String {
        defer { column += 1 }
        guard let bytes = sqlite3_column_text(statement, column) else { return "" }
        let count = Int(sqlite3_column_bytes(statement, column))
        return String(decoding: UnsafeBufferPointer(start: bytes, count: count), as: UTF8.self)
    }

    package mutating func textIfAny() -> String? {
        isNull ? skip() : text()
    }

    /// Empty for NULL.
    package mutating func bytes() -> [UInt8] {
        defer { column += 1 }
        guard let bytes = sqlite3_column_blob(statement, column) else { return [] }
        let count = Int(sqlite3_column_bytes(statement, column))
        return Array(UnsafeRawBufferPointer(start: bytes, count: count))
    }

    package mutating func bytesIfAny() -> [UInt8]? {
        isNull ? skip() : bytes()
    }

    /// - Throws: `storage` for a word that this program does not know.
    package mutating func word<Word: SQLWord>(_: Word.Type = Word.self) throws -> Word {
        let text = text()
        guard let word = Word(rawValue: text) else {
            throw StoreError(.storage, operation: "", cause: "unknown \(Word.self) in the database: \(text)")
        }
        return word
    }

    /// nil for NULL, and for a word that this program does not know.
    package mutating func wordIfAny<Word: SQLWord>(_: Word.Type = Word.self) -> Word? {
        textIfAny().flatMap(Word.init(rawValue:))
    }

    /// A column's value as it is, to copy it.
    package mutating func value() -> SQLValue {
        switch sqlite3_column_type(statement, column) {
        case SQLITE_INTEGER: .integer(integer())
        case SQLITE_FLOAT: .real(real())
        case SQLITE_TEXT: .text(text())
        case SQLITE_BLOB: .blob(bytes())
        default: skip() ?? .null
        }
    }

    private mutating func real() -> Double {
        defer { column += 1 }
        return sqlite3_column_double(statement, column)
    }

    private var isNull: Bool { sqlite3_column_type(statement, column) == SQLITE_NULL }

    private mutating func skip<Value>() -> Value? {
        column += 1
        return nil
    }
}
