import GRDB
import GRDBSQLite

/// The values of a statement's parameters, in the order of their numbers. GRDB's own arguments are turned into values of its
/// kind, checked against the parameters' names and kept with the statement; for the many short statements of a retry that
/// took as long as SQLite itself.
struct Bindings: ExpressibleByArrayLiteral {
    private var values: [any Bindable]

    init(arrayLiteral values: any Bindable...) {
        self.values = values
    }

    init(_ values: [any Bindable]) {
        self.values = values
    }

    /// What a row of another database has, column by column.
    init(_ row: Row) {
        values = row.databaseValues.map { $0 }
    }

    static func + (first: Bindings, second: Bindings) -> Bindings {
        Bindings(first.values + second.values)
    }

    static func += (all: inout Bindings, more: Bindings) {
        all.values += more.values
    }

    /// - Throws: `SQLITE_MISUSE` when the statement has another number of parameters, or a value is larger than SQLite takes.
    func bind(to statement: Statement) throws {
        // GRDB takes the statement for bound from here on, and leaves what is bound alone.
        statement.setUncheckedArguments(StatementArguments())
        let sqlite = statement.sqliteStatement
        guard sqlite3_bind_parameter_count(sqlite) == values.count else {
            throw DatabaseError(
                resultCode: .SQLITE_MISUSE, message: "\(values.count) values are not what it takes", sql: statement.sql)
        }
        for (place, value) in zip(Int32(1)..., values) {
            let code = value.bind(to: sqlite, at: place)
            guard code == SQLITE_OK else {
                throw DatabaseError(resultCode: ResultCode(rawValue: code), sql: statement.sql)
            }
        }
    }
}

/// A value that a statement's parameter can have.
protocol Bindable {
    /// - Parameter place: counted from 1.
    /// - Returns: SQLite's result code.
    func bind(to statement: SQLiteStatement, at place: Int32) -> Int32
}

extension Int64: Bindable {
    func bind(to statement: SQLiteStatement, at place: Int32) -> Int32 {
        sqlite3_bind_int64(statement, place, self)
    }
}

extension Int: Bindable {
    func bind(to statement: SQLiteStatement, at place: Int32) -> Int32 {
        sqlite3_bind_int64(statement, place, Int64(self))
    }
}

extension Bool: Bindable {
    func bind(to statement: SQLiteStatement, at place: Int32) -> Int32 {
        sqlite3_bind_int64(statement, place, self ? 1 : 0)
    }
}

extension String: Bindable {
    /// Up to U+0000, as GRDB binds and reads it: the same text must not be two.
    func bind(to statement: SQLiteStatement, at place: Int32) -> Int32 {
        var text = self
        return text.withUTF8 { bytes in
            // SQLite takes a null pointer for NULL, whatever the length.
            guard let start = bytes.baseAddress else { return sqlite3_bind_text(statement, place, "", 0, copied) }
            let count = Int32(clamping: bytes.firstIndex(of: 0) ?? bytes.count)
            return start.withMemoryRebound(to: CChar.self, capacity: bytes.count) {
                sqlite3_bind_text(statement, place, $0, count, copied)
            }
        }
    }
}

extension [UInt8]: Bindable {
    func bind(to statement: SQLiteStatement, at place: Int32) -> Int32 {
        withUnsafeBytes { bytes in
            guard let start = bytes.baseAddress, !bytes.isEmpty else {
                return sqlite3_bind_zeroblob(statement, place, 0)
            }
            return sqlite3_bind_blob64(statement, place, start, UInt64(bytes.count), copied)
        }
    }
}

/// A value as another database has it.
extension DatabaseValue: Bindable {
    func bind(to statement: SQLiteStatement, at place: Int32) -> Int32 {
        switch storage {
        case .null: sqlite3_bind_null(statement, place)
        case .int64(let number): number.bind(to: statement, at: place)
        case .double(let number): sqlite3_bind_double(statement, place, number)
        case .string(let text): text.bind(to: statement, at: place)
        case .blob(let bytes): Array(bytes).bind(to: statement, at: place)
        }
    }
}

extension Optional: Bindable where Wrapped: Bindable {
    func bind(to statement: SQLiteStatement, at place: Int32) -> Int32 {
        self?.bind(to: statement, at: place) ?? sqlite3_bind_null(statement, place)
    }
}

/// Tells SQLite to copy what it is given.
private var copied: sqlite3_destructor_type { unsafeBitCast(-1, to: sqlite3_destructor_type.self) }
