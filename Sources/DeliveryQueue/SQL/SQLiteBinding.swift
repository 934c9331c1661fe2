import GRDB
import GRDBSQLite

/// Gives SQLite the values of a statement's parameters. GRDB's own arguments are checked and kept with the statement;
/// for the many short statements of a retry that took as long as SQLite itself.
extension Parameters {
    /// - Throws: `SQLITE_MISUSE` when the statement has other parameters, or a value is larger than SQLite takes.
    func bind(to statement: Statement) throws {
        // From here on GRDB treats the statement as bound and leaves its values alone.
        statement.setUncheckedArguments(StatementArguments())
        let sqlite = statement.sqliteStatement
        guard sqlite3_bind_parameter_count(sqlite) == values.count else {
            throw misuse("\(values.count) values for \(sqlite3_bind_parameter_count(sqlite)) parameters", statement)
        }
        for (index, value) in values.enumerated() {
            guard let place = names.isEmpty ? Int32(index + 1) : place(of: names[index], near: index, in: sqlite) else {
                throw misuse("it has no parameter :\(names[index])", statement)
            }
            let code = value.bind(to: sqlite, at: place)
            guard code == SQLITE_OK else {
                throw DatabaseError(resultCode: ResultCode(rawValue: code), sql: statement.sql)
            }
        }
    }

    /// The place of a named parameter, tried first where its value stands. nil: the statement has no such parameter.
    private func place(of name: StaticString, near index: Int, in statement: SQLiteStatement) -> Int32? {
        let guess = Int32(index + 1)
        if isName(name, at: guess, in: statement) { return guess }
        return (1...Int32(values.count)).first { isName(name, at: $0, in: statement) }
    }

    private func isName(_ name: StaticString, at place: Int32, in statement: SQLiteStatement) -> Bool {
        // SQLite's name begins with the colon.
        guard let known = sqlite3_bind_parameter_name(statement, place) else { return false }
        return name.withUTF8Buffer { bytes in
            for (index, byte) in bytes.enumerated() where known[index + 1] != CChar(bitPattern: byte) { return false }
            return known[bytes.count + 1] == 0
        }
    }

    private func misuse(_ message: String, _ statement: Statement) -> DatabaseError {
        DatabaseError(resultCode: .SQLITE_MISUSE, message: message, sql: statement.sql)
    }
}

extension SQLValue {
    /// - Parameter place: counted from 1.
    /// - Returns: SQLite's result code.
    fileprivate func bind(to statement: SQLiteStatement, at place: Int32) -> Int32 {
        switch self {
        case .null: sqlite3_bind_null(statement, place)
        case .integer(let number): sqlite3_bind_int64(statement, place, number)
        case .real(let number): sqlite3_bind_double(statement, place, number)
        case .text(let text): Self.bind(text, to: statement, at: place)
        case .blob(let bytes): Self.bind(bytes, to: statement, at: place)
        }
    }

    /// Binds the text up to U+0000, as GRDB binds and reads it: one text must not become two.
    private static func bind(_ text: String, to statement: SQLiteStatement, at place: Int32) -> Int32 {
        var text = text
        return text.withUTF8 { bytes in
            // SQLite takes a null pointer for NULL, whatever the length.
            guard let start = bytes.baseAddress else { return sqlite3_bind_text(statement, place, "", 0, copied) }
            let count = Int32(clamping: bytes.firstIndex(of: 0) ?? bytes.count)
            return start.withMemoryRebound(to: CChar.self, capacity: bytes.count) {
                sqlite3_bind_text(statement, place, $0, count, copied)
            }
        }
    }

    private static func bind(_ bytes: [UInt8], to statement: SQLiteStatement, at place: Int32) -> Int32 {
        bytes.withUnsafeBytes { bytes in
            guard let start = bytes.baseAddress, !bytes.isEmpty else {
                return sqlite3_bind_zeroblob(statement, place, 0)
            }
            return sqlite3_bind_blob64(statement, place, start, UInt64(bytes.count), copied)
        }
    }
}

/// Tells SQLite to copy what it is given.
private var copied: sqlite3_destructor_type { unsafeBitCast(-1, to: sqlite3_destructor_type.self) }
