#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A regular file that is open. What is done here is done to this file, whatever has its name by then. It is closed
/// when the value is gone.
package final class OpenFile: Sendable {
    package let descriptor: Int32

    /// - Parameter descriptor: from `open`; negative when that failed, with the reason in `errno`. Closed here when it
    ///   is no regular file.
    init(_ descriptor: Int32) throws(FileFault) {
        guard descriptor >= 0 else { throw FileFault(code: errno) }
        self.descriptor = descriptor
        if let kind = try status().kindIfNoFile { throw FileFault("it is \(kind), not a file") }
    }

    /// Opens a file that the operator names, through symbolic links. It never waits, not even for a FIFO.
    package convenience init(reading path: String) throws(FileFault) {
        try self.init(open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK))
    }

    deinit {
        close(descriptor)
    }

    package func status() throws(FileFault) -> FileStatus {
        var facts = stat()
        guard fstat(descriptor, &facts) == 0 else { throw FileFault(code: errno) }
        return FileStatus(facts)
    }

    /// Its bytes from the beginning, at most `limit` of them.
    package func bytes(atMost limit: Int) throws(FileFault) -> [UInt8] {
        var all: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: min(limit, 64 << 10))
        while all.count < limit {
            let count = pread(descriptor, &chunk, min(chunk.count, limit - all.count), off_t(all.count))
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw FileFault(code: errno) }
            if count == 0 { break }
            all += chunk[..<count]
        }
        return all
    }

    /// Appends to what was written through this value before.
    package func write(_ bytes: [UInt8]) throws(FileFault) {
        try WholeWrite.write(bytes, to: descriptor)
    }

    /// Returns when the file is on the disk.
    package func sync() throws(FileFault) {
        guard fsync(descriptor) == 0 else { throw FileFault(code: errno) }
    }

    package func setPermissions(_ mode: UInt32) throws(FileFault) {
        guard fchmod(descriptor, mode_t(mode)) == 0 else { throw FileFault(code: errno) }
    }

    /// Adds permissions to those that it has, unless a second name makes it another file as well.
    package func add(permissions: UInt32) throws(FileFault) {
        let status = try status()
        guard status.names <= 1 else { throw FileFault("it has a second name (a hard link)") }
        try setPermissions(status.permissions | permissions)
    }

    /// Gives it to a user and a group; where this user may not do that, to the group alone, and where not even that, it
    /// stays as it is.
    package func give(toUser user: UInt32, group: UInt32) {
        if fchown(descriptor, user, group) != 0 { _ = fchown(descriptor, uid_t.max, group) }
    }
}
