package import LocalFiles

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The proof that this process is the only daemon of a database: an exclusive `flock` on a lock file. The kernel
/// releases it however the process ends.
///
/// Only the database's owner may open the lock file (0600): who can open it could hold it and keep the daemon from
/// starting. Everybody else asks `PresenceFile`, which is written here too and keeps nobody from anything.
///
/// The database file itself is never opened outside SQLite: closing any descriptor of it would drop SQLite's POSIX
/// locks (sqlite.org/howtocorrupt.html, section 2.2).
package final class InstanceLock: Sendable {
    /// The database that is locked. Whoever holds the lock opens it here.
    package let database: FilePlace
    private let file: OpenFile
    private let presence: PresenceFile?

    /// - Throws: `locked`, naming the holder; `inaccessible` when the file cannot be made, is none of ours, or would
    ///   lie on a network file system.
    package convenience init(database path: String) throws(StoreError) {
        try self.init(at: DatabaseLink.place(of: path, operation: "open database \(path)"), named: path)
    }

    /// - Parameter path: as the operator names the database.
    package init(at database: FilePlace, named path: String) throws(StoreError) {
        // Before the lock is made beside it.
        try NetworkDisk.refuse(database, operation: "open database \(path)")
        try DatabaseLink.refuse(database, operation: "open database \(path)")
        self.database = database
        let file: OpenFile
        do throws(FileFault) {
            file = try Self.open(besides: database)
        } catch {
            throw StoreError(
                error, .inaccessible, operation: "open lock file \(database.path)\(Self.ending)",
                hint: error.code == nil
                    ? "remove it; redeliver makes its own"
                    : "check that the folder exists and that this user may write to it")
        }
        guard Self.take(file) else {
            let holder = LockHolder.written(in: file).map { " (\($0.name(for: .own)))" } ?? ""
            throw StoreError(
                .locked, operation: "open database \(path)", cause: "another redeliver\(holder) already works on it",
                hint: "stop that one first; two would send everything twice")
        }
        LockHolder.own.write(to: file)
        self.file = file
        presence = PresenceFile(besides: database)
    }

    /// Whether the file still stands at its place. If not, another redeliver may hold another one.
    var isInPlace: Bool {
        database.beside(Self.ending).status?.identity == (try? file.status().identity)
    }

    /// Releases the lock before this value is gone. A second call changes nothing.
    package func release() {
        presence?.release()
        _ = flock(file.descriptor, LOCK_UN)
    }

    private static let ending = ".lock"

    /// Opens the lock file, whatever it contains. Root may make it, and the daemon has to open it.
    private static func open(besides database: FilePlace) throws(FileFault) -> OpenFile {
        let file = try openForWriting(database.name + ending, in: database.folder)
        do throws(StoreError) {
            try FileOwner.give(file, asBeside: database, mode: 0o600, operation: "")
        } catch {
            // It belongs to another user of the same group, as older releases left it: the lock itself works.
            return file
        }
        return file
    }

    /// Where nobody may write to the file, its owner allows that again first.
    private static func openForWriting(_ name: String, in folder: OpenFolder) throws(FileFault) -> OpenFile {
        do throws(FileFault) {
            return try folder.readAndWrite(name, makeWith: 0o600)
        } catch  where error.code == EACCES {
            try? folder.read(name).setPermissions(0o600)
            return try folder.readAndWrite(name, makeWith: 0o600)
        }
    }

    /// Tries three times: a command that ends just then still holds it for an instant.
    private static func take(_ file: OpenFile) -> Bool {
        for pause: UInt32 in [20_000, 50_000, 0] {
            if flock(file.descriptor, LOCK_EX | LOCK_NB) == 0 { return true }
            usleep(pause)
        }
        return false
    }
}
