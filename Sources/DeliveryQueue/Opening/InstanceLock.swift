#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The proof that this process is the only daemon of a database: an exclusive `flock` on a lock file. The kernel
/// releases it however the process ends.
///
/// The database file itself is never opened outside SQLite: closing any descriptor of it would drop SQLite's POSIX
/// locks (sqlite.org/howtocorrupt.html, section 2.2).
package final class InstanceLock: Sendable {
    private let descriptor: Int32
    package let path: String

    /// - Throws: `locked`, naming the holder; `inaccessible` when the file cannot be made.
    package init(database path: String) throws(StoreError) {
        let lockPath = Self.file(ofDatabase: path)
        let descriptor = Self.open(lockPath)
        guard descriptor >= 0 else {
            throw StoreError(
                .inaccessible, operation: "open lock file \(lockPath)", cause: Self.errorText(errno),
                hint: "check that the folder exists and that this user may write to it")
        }
        guard Self.take(descriptor) else {
            let holder = Self.holder(descriptor).map { " (\($0.name(for: .own)))" } ?? ""
            close(descriptor)
            throw StoreError(
                .locked, operation: "open database \(path)", cause: "another redeliver\(holder) already works on it",
                hint: "stop that one first; two would send everything twice")
        }
        self.descriptor = descriptor
        self.path = lockPath
        Self.write(LockHolder.own.text, to: descriptor)
    }

    deinit {
        close(descriptor)
    }

    /// Releases the lock before this value is gone. A second call changes nothing.
    package func release() {
        _ = flock(descriptor, LOCK_UN)
    }

    private static func write(_ text: String, to descriptor: Int32) {
        // A failure only costs the name in another instance's refusal; the lock itself holds.
        guard ftruncate(descriptor, 0) == 0 else { return }
        let bytes = Array(text.utf8)
        _ = pwrite(descriptor, bytes, bytes.count, 0)
    }

    /// Tries three times, because `DaemonPresence.look` holds the lock for an instant and a daemon that starts just
    /// then must not give up.
    private static func take(_ descriptor: Int32) -> Bool {
        for pause: UInt32 in [20_000, 50_000, 0] {
            if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { return true }
            usleep(pause)
        }
        return false
    }

    /// Who the holder wrote that it is; nil when it could not write.
    static func holder(_ descriptor: Int32) -> LockHolder? {
        var bytes = [UInt8](repeating: 0, count: 256)
        let count = pread(descriptor, &bytes, bytes.count, 0)
        return LockHolder(text: String(decoding: bytes.prefix(max(0, count)), as: UTF8.self))
    }

    /// Opens the lock file, whatever it contains. Where nobody may write to it, its owner allows that again first.
    private static func open(_ path: String) -> Int32 {
        let descriptor = openForWriting(path)
        guard descriptor < 0, errno == EACCES, chmod(path, 0o640) == 0 else { return descriptor }
        return openForWriting(path)
    }

    private static func openForWriting(_ path: String) -> Int32 {
        #if canImport(Glibc)
            Glibc.open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o640)
        #else
            Darwin.open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o640)
        #endif
    }

    /// The lock file of a database. It stands where symbolic links lead.
    static func file(ofDatabase path: String) -> String {
        withoutLinks(path) + ".lock"
    }

    /// The path without symbolic links, so that two names of one database share one lock. A file that does not exist
    /// yet keeps its path.
    package static func withoutLinks(_ path: String) -> String {
        guard let resolved = realpath(path, nil) else { return path }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    private static func errorText(_ code: Int32) -> String {
        String(cString: strerror(code))
    }
}
