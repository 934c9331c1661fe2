package import DeliveryQueue
import Foundation

extension QueueReader {
    /// Writes a copy of the database to a new file, while the daemon works or not: one consistent moment, one file, for
    /// this user only (0600), verified and on the disk when this returns.
    ///
    /// A backup that fails or is cancelled leaves nothing behind, except after a `kill -9`: then a folder whose name
    /// ends in `.partial-` and twelve characters.
    ///
    /// - Throws: `inaccessible` when `file` exists or cannot be made; `storage` for a full disk, or when the copy is
    ///   damaged because the database is; `cancelled`.
    package func backUp(to file: String) async throws(StoreError) -> CopyFacts {
        let operation = "back up database \(path) to \(file)"
        try Self.refuseExisting(file, operation: operation)
        let pending = try PendingFile(forDatabase: file, operation: operation)
        defer { pending.remove() }
        do {
            let copy = pending.place
            try await connections.read { try $0.copy(to: copy) }
            let facts = try DatabaseCopy.examine(copy, .quick)
            try Task.checkCancellation()
            try pending.publish()
            return facts
        } catch is CancellationError {
            throw StoreError(.cancelled, operation: operation, cause: "cancelled; nothing is left behind")
        } catch {
            throw StoreError(error, operation: operation)
        }
    }

    /// Refuses an existing file before the work; the last step refuses it again.
    private static func refuseExisting(_ file: String, operation: String) throws(StoreError) {
        guard !FileManager.default.fileExists(atPath: file) else {
            throw StoreError(
                .inaccessible, operation: operation, cause: "the file exists",
                hint: "name another file, or move that one away")
        }
    }
}
