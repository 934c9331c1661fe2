import Foundation

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A file that is still being made, under a temporary name in its folder. Readers see the old state or the whole new
/// file, never a part of it.
package struct PendingFile: Sendable {
    /// The temporary name.
    package let path: String
    /// Where the file will stand.
    let target: String
    private let operation: String

    /// Makes the file for this user only (0600), under a name that no other file has.
    ///
    /// - Parameters:
    ///   - contents: the bytes it begins with; a database is written to `path` later.
    ///   - operation: what the caller does, for errors.
    /// - Throws: `inaccessible` when the file cannot be made, `storage` when the disk does not take the contents.
    package init(for target: String, contents: [UInt8] = [], operation: String) throws(StoreError) {
        var name = Array("\(target).partial-XXXXXX".utf8CString)
        let descriptor = mkstemp(&name)
        (self.target, self.operation) = (target, operation)
        path = String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        try fill(descriptor, contents, mode: 0o600)
    }

    /// Makes the file under a name that is always the same: it replaces what a crash left there.
    ///
    /// - Throws: as the other initialiser.
    package init(
        for target: String, temporary path: String, mode: UInt32, contents: [UInt8], operation: String
    ) throws(StoreError) {
        (self.path, self.target, self.operation) = (path, target, operation)
        try fill(open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode_t(mode)), contents, mode: mode)
    }

    /// - Parameter descriptor: below 0 when the file could not be made; closed here.
    private func fill(_ descriptor: Int32, _ contents: [UInt8], mode: UInt32) throws(StoreError) {
        guard descriptor >= 0 else {
            throw StoreError(
                errno: errno, .inaccessible, operation: operation,
                hint: "check that the folder exists and that this user may write to it")
        }
        // The umask may have taken a permission that the file needs.
        let isWhole = Self.write(contents, to: descriptor) && fchmod(descriptor, mode_t(mode)) == 0
        let code = errno
        close(descriptor)
        guard isWhole else {
            remove()
            throw StoreError(errno: code, .storage, operation: operation, hint: "check the disk and its free space")
        }
    }

    /// - Returns: false with the reason in `errno`.
    private static func write(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
        var left = bytes[...]
        while !left.isEmpty {
            let written = left.withUnsafeBytes { buffer in
                #if canImport(Glibc)
                    Glibc.write(descriptor, buffer.baseAddress, buffer.count)
                #else
                    Darwin.write(descriptor, buffer.baseAddress, buffer.count)
                #endif
            }
            if written < 0, errno == EINTR { continue }
            guard written > 0 else { return false }
            left.removeFirst(written)
        }
        return true
    }

    /// The endings of the files that SQLite puts beside a database.
    package static let companions = ["-wal", "-shm", "-journal"]

    /// Gives the file its final name, unless another file has it. It is on the disk when this returns.
    package func publish() throws(StoreError) {
        try sync(path)
        // Unlike a rename, a hard link never takes the place of a file that is there already.
        guard link(path, target) == 0 else {
            let isTaken = errno == EEXIST
            throw StoreError(
                errno: errno, .inaccessible, operation: operation,
                hint: isTaken
                    ? "name another file, or move that one away" : "name a folder on a local disk of this machine")
        }
        unlink(path)
        try syncFolder()
    }

    /// Puts the file in the place of the one that has its final name, in one step. It is on the disk when this returns.
    package func replace() throws(StoreError) {
        try sync(path)
        guard rename(path, target) == 0 else {
            throw StoreError(errno: errno, .inaccessible, operation: operation)
        }
        try syncFolder()
    }

    /// Removes the unfinished file; does nothing once it has its final name.
    package func remove() {
        for name in [""] + Self.companions { unlink(path + name) }
    }

    private func sync(_ path: String) throws(StoreError) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        let isSynced = descriptor >= 0 && fsync(descriptor) == 0
        let code = errno
        if descriptor >= 0 { close(descriptor) }
        guard isSynced else {
            throw StoreError(errno: code, .storage, operation: operation, hint: "check the disk and its free space")
        }
    }

    private func syncFolder() throws(StoreError) {
        try sync(Self.folder(of: target))
    }

    package static func folder(of path: String) -> String {
        URL(fileURLWithPath: path).deletingLastPathComponent().path
    }
}

extension StoreError {
    /// A failed call of the operating system.
    package init(errno code: Int32, _ kind: Kind, operation: String, hint: String? = nil) {
        self.init(kind, operation: operation, cause: String(cString: strerror(code)), hint: hint)
    }
}
