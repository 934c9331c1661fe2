/// A value as a database keeps it.
package enum SQLValue: Sendable, Equatable {
    case null
    case integer(Int64)
    case real(Double)
    case text(String)
    case blob([UInt8])
}

/// A type of ours that a statement's parameter takes.
package protocol SQLConvertible {
    var sqlValue: SQLValue { get }
}

/// A closed set of words that the database keeps as text, and `SQLRow.word` reads back.
package protocol SQLWord: SQLConvertible, RawRepresentable where RawValue == String {}

extension SQLWord {
    package var sqlValue: SQLValue { .text(rawValue) }
}

extension SQLValue: SQLConvertible {
    package var sqlValue: SQLValue { self }
}

extension Int64: SQLConvertible {
    package var sqlValue: SQLValue { .integer(self) }
}

extension Int: SQLConvertible {
    package var sqlValue: SQLValue { .integer(Int64(self)) }
}

extension Bool: SQLConvertible {
    package var sqlValue: SQLValue { .integer(self ? 1 : 0) }
}

extension String: SQLConvertible {
    package var sqlValue: SQLValue { .text(self) }
}

extension [UInt8]: SQLConvertible {
    package var sqlValue: SQLValue { .blob(self) }
}

extension Timestamp: SQLConvertible {
    /// Milliseconds since 1970 UTC, as every `…_ms` column has them.
    package var sqlValue: SQLValue { .integer(milliseconds) }
}

extension Optional: SQLConvertible where Wrapped: SQLConvertible {
    package var sqlValue: SQLValue { self?.sqlValue ?? .null }
}
