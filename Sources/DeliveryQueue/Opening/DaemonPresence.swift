#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Whether a daemon works on a database, seen from outside.
package enum DaemonPresence: Sendable, Equatable {
    case absent
    /// nil: it could not write its process id down, or the id is of another container and means nothing here.
    case running(process: Int?)
    /// The lock file cannot be read by this user.
    case unknown(cause: String)

    /// Looks at the instance lock of the database at `path`. It makes no file and holds the lock for only an instant.
    package static func look(atDatabase path: String) -> DaemonPresence {
        let descriptor = open(InstanceLock.file(ofDatabase: path), O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            return errno == ENOENT ? .absent : .unknown(cause: String(cString: strerror(errno)))
        }
        defer { close(descriptor) }
        guard flock(descriptor, LOCK_SH | LOCK_NB) == 0 else {
            let holder = InstanceLock.holder(descriptor)
            return .running(process: holder.flatMap { $0.isNear(.own) ? $0.process : nil })
        }
        _ = flock(descriptor, LOCK_UN)
        return .absent
    }
}
