import GRDB

/// Why the failure database could not be opened, read or written. Its description says operation, object, cause and what
/// to do.
package struct StoreError: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Kind: Sendable, Equatable {
        /// The folder or the file is missing, unreadable or read-only.
        case inaccessible
        /// Another process holds the lock.
        case locked
        /// The file is a database of another program, or no database.
        case foreign
        /// The schema is newer than this program, or a known migration's text differs.
        case incompatible
        /// The disk is full, an I/O error, a damaged file.
        case storage
        /// A move that `DeliveryState.next` does not allow, or a delivery that is no longer where the caller saw it.
        case refusedMove
        /// The work was cancelled before it was committed; nothing of it is stored.
        case cancelled
    }

    package let kind: Kind
    /// Empty only until the caller, who knows the object, fills it in.
    package let operation: String
    package let cause: String
    package let hint: String?

    package init(_ kind: Kind, operation: String, cause: String, hint: String? = nil) {
        self.kind = kind
        self.operation = operation
        self.cause = cause
        self.hint = hint
    }

    package var description: String {
        "\(operation): \(cause)" + (hint.map { "; \($0)" } ?? "")
    }

    /// SQLite's own errors by what the operator can do about them.
    init(_ error: any Error, operation: String) {
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
