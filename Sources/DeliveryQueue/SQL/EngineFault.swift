import GRDB

/// A failure of the database engine that callers tell apart.
package enum EngineFault: Sendable, Equatable {
    /// The file is not there, or this user may not open it.
    case cannotOpen
    case notADatabase
    case corrupt
    case inputOutput
    case busy
    /// The write-ahead log or its index is missing, and this user may not make them.
    case missingCompanions
    /// A write was interrupted, and a reader cannot roll it back.
    case unfinishedWrite
    case other

    /// Classifies an error; nil when it does not come from the engine.
    package init?(_ error: any Error) {
        guard let error = error as? DatabaseError else { return nil }
        self =
            switch error.resultCode {
            case .SQLITE_CANTOPEN: .cannotOpen
            case .SQLITE_NOTADB: .notADatabase
            case .SQLITE_CORRUPT: .corrupt
            case .SQLITE_IOERR: .inputOutput
            case .SQLITE_BUSY: .busy
            default:
                switch error.extendedResultCode {
                case .SQLITE_READONLY_ROLLBACK: .unfinishedWrite
                case .SQLITE_READONLY_DIRECTORY, .SQLITE_READONLY_CANTINIT: .missingCompanions
                default: .other
                }
            }
    }

    /// The engine's own words; nil when it has none.
    package static func message(of error: any Error) -> String? {
        (error as? DatabaseError)?.message
    }
}

extension StoreError {
    /// Turns any error into one that tells what to do. A `StoreError` with an operation stays as it is.
    package init(_ error: any Error, operation: String) {
        switch error {
        case let error as StoreError where error.operation.isEmpty:
            self.init(error.kind, operation: operation, cause: error.cause, hint: error.hint)
        case let error as StoreError:
            self = error
        case let error as DatabaseError:
            self.init(
                Self.kind(of: error.resultCode), operation: operation, cause: Self.cause(of: error),
                hint: Self.hint(for: error.resultCode))
        case is CancellationError:
            self.init(.cancelled, operation: operation, cause: "cancelled before the transaction was committed")
        default:
            self.init(.storage, operation: operation, cause: String(describing: error))
        }
    }

    private static func kind(of code: ResultCode) -> Kind {
        switch code {
        case .SQLITE_CANTOPEN, .SQLITE_READONLY, .SQLITE_PERM, .SQLITE_AUTH: .inaccessible
        case .SQLITE_NOTADB: .foreign
        case .SQLITE_INTERRUPT, .SQLITE_ABORT: .cancelled
        default: .storage
        }
    }

    /// Code and message, never the statement's arguments: they may hold personal data.
    private static func cause(of error: DatabaseError) -> String {
        // A connection that did not fail itself, such as a copy's, knows no message.
        guard let message = error.message, message != "not an error" else { return "SQLite error \(error.resultCode)" }
        return "SQLite error \(error.extendedResultCode.rawValue): \(message)"
    }

    private static func hint(for code: ResultCode) -> String? {
        switch code {
        case .SQLITE_CANTOPEN: "check that the folder exists and that this user may write to it"
        case .SQLITE_READONLY, .SQLITE_PERM: "this user needs write permission for the file and its folder"
        case .SQLITE_FULL: "free some disk space; the work is done again when there is room"
        case .SQLITE_IOERR: "check the disk, its free space and the kernel's log"
        case .SQLITE_BUSY, .SQLITE_LOCKED, .SQLITE_PROTOCOL: "another program writes to the database; open it read-only"
        case .SQLITE_CORRUPT: "restore a backup, or copy what is readable with sqlite3's .recover"
        case .SQLITE_NOMEM: "free some memory, or raise this process's limit; the work is done again"
        case .SQLITE_NOTADB: "the file is no SQLite database; name another path in `database`"
        default: nil
        }
    }
}
