/// Why the failure database could not be opened, read or written. Its description says the operation with its object,
/// the cause and what to do.
package struct StoreError: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Kind: Sendable, Equatable {
        /// The folder or the file is missing, unreadable or read-only.
        case inaccessible
        /// Another process holds the lock.
        case locked
        /// Another process has taken the database over, or its file was moved, removed or replaced: this process must
        /// not go on.
        case displaced
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
}

extension StoreError {
    /// The error for an endpoint that was never registered.
    static func noEndpoint(_ id: String) -> StoreError {
        StoreError(.storage, operation: "read endpoint \(id)", cause: "it is not in the database")
    }
}
