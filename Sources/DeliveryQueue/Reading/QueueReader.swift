import Foundation
package import LocalFiles

/// Reads a failure database, whether a daemon works on it or not. It opens the file read-only, so it works for a user
/// who may not write, and disturbs nobody.
package struct QueueReader: Sendable {
    package let path: String
    /// For the tools that look at the file itself.
    package let connections: Connections

    /// - Throws: `inaccessible` when there is no such file or this user may not read it, `foreign` for another
    ///   program's file, `incompatible` when its schema is newer than this program.
    package init(path: String) throws(StoreError) {
        try self.init(path: path) { try Migrations.check($0) }
    }

    /// - Parameter check: refuses what the caller cannot read; `Migrations.check` unless the schema itself is in
    ///   question.
    package init(path: String, check: (Session) throws -> Void) throws(StoreError) {
        let place: FilePlace
        do throws(FileFault) {
            place = try FilePlace(path)
        } catch {
            throw error.code == nil
                ? DatabaseLink.refusal(error, operation: "read database \(path)") : Self.cannotOpen(path)
        }
        try self.init(at: place, named: path, check: check)
    }

    /// - Parameter path: as the operator names it.
    package init(
        at place: FilePlace, named path: String, check: (Session) throws -> Void = { try Migrations.check($0) }
    ) throws(StoreError) {
        self.path = path
        try DatabaseLink.refuse(place, operation: "read database \(path)")
        do {
            connections = try Connections.single(at: place, isReadOnly: true)
            try connections.readHere(check)
        } catch  where [.cannotOpen, .missingCompanions].contains(EngineFault(error)) {
            throw Self.cannotOpen(path)
        } catch {
            throw StoreError(error, operation: "read database \(path)")
        }
    }

    /// Tells a missing file from one that this user may not read, and from one whose companions are missing; SQLite
    /// says the same of all.
    private static func cannotOpen(_ path: String) -> StoreError {
        let exists = FileManager.default.fileExists(atPath: path)
        let isWhole = ["-wal", "-shm"].allSatisfy { FileManager.default.fileExists(atPath: path + $0) }
        let canMakeThem = FileManager.default.isWritableFile(atPath: PendingFile.folder(of: path))
        if exists, !isWhole, !canMakeThem, FileManager.default.isReadableFile(atPath: path) {
            return StoreError(
                .inaccessible, operation: "read database \(path)",
                cause: "another program has removed its -wal and -shm files, and this user cannot make them again",
                hint: "start the daemon, or run `redeliver doctor --fix` as root or as the daemon's user")
        }
        return StoreError(
            .inaccessible, operation: "read database \(path)",
            cause: exists
                ? "this user may not read it" : "there is no such file, or this user may not enter its folder",
            hint: exists
                ? "only its owner and its group may read it: join the group"
                : "redeliver run makes it at its first start; check the path, and that this user is in the folder's group"
        )
    }

    package func close() throws(StoreError) {
        do {
            try connections.close()
        } catch {
            throw StoreError(error, operation: "close database \(path)")
        }
    }

    /// Reads one consistent snapshot; never waits for a writer and never keeps one waiting.
    ///
    /// - Parameter anySchema: true: `work` reads only what every schema has.
    /// - Throws: `incompatible` when the schema is older than this program's.
    package func read<Value>(
        _ operation: String, anySchema: Bool = false, _ work: (Session) throws -> Value
    ) throws(StoreError) -> Value {
        do {
            return try connections.readHere { session in
                guard try anySchema || session.schemaVersion() >= Migrations.newest else {
                    throw StoreError(
                        .incompatible, operation: "", cause: "its schema is older than this program's",
                        hint: "the daemon brings it up to date when it starts; it may be doing so now")
                }
                return try work(session)
            }
        } catch {
            throw StoreError(error, operation: "\(operation) of database \(path)")
        }
    }
}
