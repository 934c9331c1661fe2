#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A folder that was opened once. Names in it may have been planted by whoever may write to it: none is followed, and a
/// rename of the folder itself leads nowhere else.
package final class OpenFolder: Sendable {
    package let path: String
    private let descriptor: Int32

    package init(_ path: String) throws(FileFault) {
        self.path = path
        descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileFault(code: errno) }
    }

    deinit {
        close(descriptor)
    }

    // MARK: - Files in it

    /// Opens a file for reading.
    package func read(_ name: String) throws(FileFault) -> OpenFile {
        try opened(name, O_RDONLY)
    }

    /// Opens a file for reading and writing, or makes it. A file with a second name is refused: a write to it, or a new
    /// owner, would reach another file's name.
    package func readAndWrite(_ name: String, makeWith mode: UInt32) throws(FileFault) -> OpenFile {
        let file = try opened(name, O_RDWR | O_CREAT, mode)
        guard try file.status().names <= 1 else { throw FileFault("it has a second name (a hard link)") }
        return file
    }

    /// Makes an empty file for this user only, under a name that begins so and that nobody can know before.
    package func makeNew(beginning start: String) throws(FileFault) -> (name: String, file: OpenFile) {
        while true {
            let name = start + Self.unpredictable()
            do throws(FileFault) {
                return (name, try opened(name, O_RDWR | O_CREAT | O_EXCL, 0o600))
            } catch  where error.code == EEXIST {
                continue
            }
        }
    }

    private func opened(_ name: String, _ flags: Int32, _ mode: UInt32 = 0) throws(FileFault) -> OpenFile {
        try OpenFile(openat(descriptor, name, flags | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, mode_t(mode)))
    }

    /// How many characters `makeNew` adds.
    package static let unpredictableLength = 12

    private static func unpredictable() -> String {
        String((0..<unpredictableLength).map { _ in "abcdefghijklmnopqrstuvwxyz0123456789".randomElement() ?? "x" })
    }

    // MARK: - Names in it

    /// What has this name; a symbolic link itself, not what it leads to. nil: nothing has it.
    package func status(of name: String) -> FileStatus? {
        var facts = stat()
        guard fstatat(descriptor, name, &facts, AT_SYMLINK_NOFOLLOW) == 0 else { return nil }
        return FileStatus(facts)
    }

    /// All names in it.
    package func names() -> [String] {
        // A descriptor of its own: reading moves its place, and `closedir` closes it.
        let reading = openat(descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard reading >= 0, let stream = fdopendir(reading) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    /// Puts the file in the place of whatever has the new name, in one step.
    package func rename(_ name: String, to new: String) throws(FileFault) {
        guard renameat(descriptor, name, descriptor, new) == 0 else { throw FileFault(code: errno) }
    }

    /// Gives the file a second name, unless another file has it.
    package func link(_ name: String, to new: String) throws(FileFault) {
        guard linkat(descriptor, name, descriptor, new, 0) == 0 else { throw FileFault(code: errno) }
    }

    /// - Returns: false with the reason in `errno`.
    @discardableResult
    package func remove(_ name: String) -> Bool {
        unlinkat(descriptor, name, 0) == 0
    }

    /// Returns when its names are on the disk.
    package func sync() throws(FileFault) {
        guard fsync(descriptor) == 0 else { throw FileFault(code: errno) }
    }
}
