#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A folder that was opened once. Names in it may have been planted by whoever may write to it: none is followed, and a
/// rename of the folder itself leads nowhere else.
package final class OpenFolder: Sendable {
    package let path: String
    let descriptor: Int32

    /// Opens a folder that the operator names. On the way to it root follows no link that another user made.
    package convenience init(_ path: String) throws(FileFault) {
        var walk = try PathWalk(path)
        let end = try walk.folder()
        try self.init(path, openat(end.descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC))
    }

    /// As above. Folders on the way that are missing are made.
    package convenience init(making path: String) throws(FileFault) {
        var walk = try PathWalk(path)
        let end = try walk.folder(makingMissing: true)
        try self.init(path, openat(end.descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC))
    }

    /// - Parameter descriptor: from `open`; negative when that failed, with the reason in `errno`.
    init(_ path: String, _ descriptor: Int32) throws(FileFault) {
        guard descriptor >= 0 else { throw FileFault(code: errno) }
        (self.path, self.descriptor) = (path, descriptor)
    }

    deinit {
        close(descriptor)
    }

    /// The same folder, so that its names can be listed and synced where this user may read them.
    func openedToList() throws(FileFault) -> OpenFolder {
        let listing = openat(descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        return listing < 0 && errno == EACCES ? self : try OpenFolder(path, listing)
    }

    package func status() throws(FileFault) -> FileStatus {
        var facts = stat()
        guard fstat(descriptor, &facts) == 0 else { throw FileFault(code: errno) }
        return FileStatus(facts)
    }

    /// For people: the path of a name in it.
    func path(of name: Substring) -> String {
        if name == ".." { return parentPath }
        return path.hasSuffix("/") ? path + name : "\(path)/\(name)"
    }

    private var parentPath: String {
        guard let end = path.lastIndex(of: "/"), end > path.startIndex else { return "/" }
        return String(path[..<end])
    }

    /// A path that leads here by the descriptor, whatever becomes of the folder's names. Where `/proc` is missing it is
    /// the usual path.
    package var lastingPath: String {
        let lasting = "/proc/self/fd/\(descriptor)"
        return access(lasting, F_OK) == 0 ? lasting : path
    }

    // MARK: - Folders in it

    /// Makes an empty folder that nobody else can enter, under a name that begins so and that nobody can know before.
    package func makeNewFolder(beginning start: String) throws(FileFault) -> (name: String, folder: OpenFolder) {
        while true {
            let name = start + Self.unpredictable()
            if mkdirat(descriptor, name, 0o700) == 0 { return (name, try privateFolder(name)) }
            guard errno == EEXIST else { throw FileFault(code: errno) }
        }
    }

    /// Whoever may write to this folder may have put another one in its place.
    private func privateFolder(_ name: String) throws(FileFault) -> OpenFolder {
        let made = try folder(name)
        let status = try made.status()
        guard status.user == geteuid(), status.permissions & 0o077 == 0 else {
            throw FileFault("another program has put something else in the place of \(made.path)")
        }
        return made
    }

    private func folder(_ name: String) throws(FileFault) -> OpenFolder {
        try OpenFolder(
            "\(path)/\(name)", openat(descriptor, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC))
    }

    /// Removes a folder with the files in it, or a file; a link itself. Folders in it stay.
    package func removeWhole(_ name: String) {
        guard !remove(name), let inner = try? folder(name) else { return }
        for file in inner.names() { inner.remove(file) }
        removeEmptyFolder(name)
    }

    package func removeEmptyFolder(_ name: String) {
        _ = unlinkat(descriptor, name, AT_REMOVEDIR)
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
                return (name, try make(name))
            } catch  where error.code == EEXIST {
                continue
            }
        }
    }

    /// Makes an empty file for this user only.
    package func make(_ name: String) throws(FileFault) -> OpenFile {
        try opened(name, O_RDWR | O_CREAT | O_EXCL, 0o600)
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
    ///
    /// - Parameter other: where the new name is; nil: here.
    package func rename(_ name: String, to new: String, in other: OpenFolder? = nil) throws(FileFault) {
        guard renameat(descriptor, name, (other ?? self).descriptor, new) == 0 else { throw FileFault(code: errno) }
    }

    /// Gives the file a second name, unless another file has it.
    ///
    /// - Parameter other: as in `rename`.
    package func link(_ name: String, to new: String, in other: OpenFolder? = nil) throws(FileFault) {
        guard linkat(descriptor, name, (other ?? self).descriptor, new, 0) == 0 else { throw FileFault(code: errno) }
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
