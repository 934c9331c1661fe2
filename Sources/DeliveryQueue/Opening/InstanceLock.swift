import LocalFiles

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
    private let file: OpenFile
    private let folder: OpenFolder
    private let name: String
    private let presence: PresenceFile?

    /// - Throws: `locked`, naming the holder; `inaccessible` when the file cannot be made, or is none of ours.
    package init(database path: String) throws(StoreError) {
        // Before the lock is made, which stands where the link leads.
        try DatabaseLink.refuse(database: path, operation: "open database \(path)")
        let database = DatabaseLink.followed(path)
        let file: OpenFile
        name = PendingFile.name(of: database) + Self.ending
        do throws(FileFault) {
            folder = try OpenFolder(PendingFile.folder(of: database))
            file = try Self.open(name, in: folder, besides: database)
        } catch {
            throw StoreError(
                error, .inaccessible, operation: "open lock file \(database)\(Self.ending)",
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
        presence = PresenceFile(besides: database, in: folder)
    }

    /// Whether the file still stands at its place. If not, another redeliver may hold another one.
    var isInPlace: Bool {
        folder.status(of: name)?.identity == (try? file.status().identity)
    }

    /// Releases the lock before this value is gone. A second call changes nothing.
    package func release() {
        presence?.release()
        _ = flock(file.descriptor, LOCK_UN)
    }

    private static let ending = ".lock"

    /// Opens the lock file, whatever it contains. Root may make it, and the daemon has to open it.
    private static func open(
        _ name: String, in folder: OpenFolder, besides database: String
    ) throws(FileFault) -> OpenFile {
        let file = try openForWriting(name, in: folder)
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
