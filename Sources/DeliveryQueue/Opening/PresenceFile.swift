import LocalFiles

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Tells others that somebody holds the instance lock: a second file beside the database, which its readers may open.
/// Nothing waits for it and nothing depends on it, so whoever holds it disturbs nobody.
///
/// The holder of the instance lock writes into it who it is, and holds a shared `flock` on it for as long as it lives.
final class PresenceFile: Sendable {
    private let file: OpenFile

    /// Only the holder of the instance lock may call it.
    ///
    /// - Returns: nil when the file cannot be made; the daemon works without it.
    init?(besides database: FilePlace) {
        guard let file = try? database.folder.readAndWrite(database.name + Self.ending, makeWith: 0o640) else {
            return nil
        }
        self.file = file
        try? FileOwner.give(file, asBeside: database, operation: "")
        LockHolder.own.write(to: file)
        // Shared: it fails only when somebody holds the file exclusively, and then the file looks held as well.
        _ = flock(file.descriptor, LOCK_SH | LOCK_NB)
    }

    func release() {
        _ = flock(file.descriptor, LOCK_UN)
    }

    private static let ending = ".running"

    /// Whether a daemon works on a database. Makes no file and holds this one for an instant at most.
    static func look(besides database: FilePlace) -> DaemonPresence {
        do throws(FileFault) {
            return presence(in: try database.folder.read(database.name + ending))
        } catch {
            return error.isMissing ? .absent : .unknown(cause: error.description)
        }
    }

    private static func presence(in file: OpenFile) -> DaemonPresence {
        guard flock(file.descriptor, LOCK_EX | LOCK_NB) != 0 else {
            _ = flock(file.descriptor, LOCK_UN)
            return .absent
        }
        guard let holder = LockHolder.written(in: file) else { return .running(process: nil) }
        guard holder.isNear(.own) else { return .running(process: nil) }
        // A reader can hold the file when no daemon runs. Only the database's owner can write a process into it.
        return holder.isAlive ? .running(process: holder.process) : .absent
    }
}
