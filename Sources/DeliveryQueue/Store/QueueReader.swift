import GRDB

/// Reads a failure database that another process may be working on, or none: opened for reading only, so that it works
/// for a user who may not write, and disturbs nobody.
package struct QueueReader: Sendable {
    package let path: String
    let queue: DatabaseQueue

    /// - Throws: `inaccessible` when there is no such file or this user may not read it, `foreign` for another program's
    ///   file, `incompatible` when its schema is newer than this program.
    package init(path: String) throws(StoreError) {
        self.path = path
        var configuration = Configuration()
        configuration.readonly = true
        configuration.busyMode = .timeout(5)
        do {
            queue = try DatabaseQueue(path: path, configuration: configuration)
            try queue.read { try Migrations.check($0) }
        } catch {
            throw StoreError(error, operation: "read database \(path)")
        }
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
