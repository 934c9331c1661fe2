import Foundation

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A database file that is still being made, under a name of its own in the folder where it will stand: whoever looks
/// there sees the old state or the whole new file, never a part.
struct PendingFile {
    /// Its temporary name.
    let path: String
    /// Where it will stand.
    let target: String
    private let operation: String

    /// Makes the empty file, for this user only (0600), under a name that nobody had.
    ///
    /// - Throws: `inaccessible`, naming `operation`.
    init(for target: String, operation: String) throws(StoreError) {
        self.target = target
        self.operation = operation
        var name = Array("\(target).partial-XXXXXX".utf8CString)
        let descriptor = mkstemp(&name)
        guard descriptor >= 0 else {
            throw StoreError(
                errno: errno, .inaccessible, operation: operation,
                hint: "check that the folder exists and that this user may write to it")
        }
        close(descriptor)
        path = String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// What SQLite puts beside a database.
    static let companions = ["-wal", "-shm", "-journal"]

    /// Puts the file under its final name, which nobody may have by now. It is on the disk when this returns.
    func publish() throws(StoreError) {
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

    /// Puts the file in the place of the one that has its final name, in one step.
    func replace() throws(StoreError) {
        try sync(path)
        guard rename(path, target) == 0 else {
            throw StoreError(errno: errno, .inaccessible, operation: operation)
        }
        try syncFolder()
    }

    /// Removes whatever there is of it; nothing once it is published.
    func remove() {
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

    static func folder(of path: String) -> String {
        URL(fileURLWithPath: path).deletingLastPathComponent().path
    }
}

extension StoreError {
    /// A failed call of the operating system.
    init(errno code: Int32, _ kind: Kind, operation: String, hint: String? = nil) {
        self.init(kind, operation: operation, cause: String(cString: strerror(code)), hint: hint)
    }
}
