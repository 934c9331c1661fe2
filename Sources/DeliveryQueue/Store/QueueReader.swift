import Foundation
import GRDB

/// Reads a failure database that another process may be working on, or none: opened for reading only, so that it works
/// for a user who may not write, and disturbs nobody.
package struct QueueReader: Sendable {
    package let path: String
    let queue: DatabaseQueue

    /// - Throws: `inaccessible` when there is no such file or this user may not read it, `foreign` for another program's
    ///   file, `incompatible` when its schema is newer than this program.
    package init(path: String) throws(StoreError) {
        try self.init(path: path) { try Migrations.check($0) }
    }

    /// - Parameter check: refuses what the caller cannot read; `Migrations.check` unless the schema itself is in question.
    init(path: String, check: (Database) throws -> Void) throws(StoreError) {
        self.path = path
        var configuration = QueueStore.configuration()
        configuration.readonly = true
        do {
            queue = try DatabaseQueue(path: path, configuration: configuration)
            try queue.read(check)
        } catch let error as DatabaseError where error.resultCode == .SQLITE_CANTOPEN {
            throw Self.cannotOpen(path)
        } catch {
            throw StoreError(error, operation: "read database \(path)")
        }
    }

    /// SQLite says the same of a file that is not there and of one that this user may not read.
    private static func cannotOpen(_ path: String) -> StoreError {
        let exists = FileManager.default.fileExists(atPath: path)
        return StoreError(
            .inaccessible, operation: "read database \(path)",
            cause: exists
                ? "this user may not read it" : "there is no such file, or this user may not enter its folder",
            hint: exists
                ? "it is for its owner and its group: join the group"
                : "redeliver run makes it at its first start; check the path, and that this user is in the folder's group"
        )
    }

    package func close() throws(StoreError) {
        do {
            try queue.close()
        } catch {
            throw StoreError(error, operation: "close database \(path)")
        }
    }

    /// One consistent snapshot; never waits for a writer and never keeps one waiting.
    ///
    /// - Parameter version: the oldest schema that `work` can read; nil: this program's.
    /// - Throws: `incompatible` when the schema is older.
    func read<Value>(
        _ operation: String, since version: Int? = nil, _ work: (Database) throws -> Value
    ) throws(StoreError) -> Value {
        let oldest = version ?? Migrations.steps.last?.version ?? 0
        do {
            return try queue.read { db in
                guard try Int.fetchOne(db, sql: "PRAGMA user_version") ?? 0 >= oldest else {
                    throw StoreError(
                        .incompatible, operation: "", cause: "its schema is older than this program's",
                        hint: "the daemon brings it up to date when it starts; it may be doing so now")
                }
                return try work(db)
            }
        } catch {
            throw StoreError(error, operation: "\(operation) of database \(path)")
        }
    }
}
