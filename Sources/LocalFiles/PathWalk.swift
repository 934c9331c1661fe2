#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The way along a path, name by name. Each name is looked up in the folder that was opened before, and a link is
/// judged and read by its descriptor: nobody can put another one in its place in between.
///
/// Only root could do harm at the end of somebody else's link, so root follows only its own.
struct PathWalk {
    /// Where the way has come to. It needs no right to read what is in it.
    private var here: OpenFolder
    /// The names that are left; the next one is the last.
    private var left: [Substring]
    private var links = 0

    /// As many as Linux follows.
    private static let mostLinks = 40

    init(_ path: String) throws(FileFault) {
        here = try Self.beginning(of: path)
        left = Self.names(in: path[...])
    }

    /// The folder to which the whole path leads.
    ///
    /// - Parameter makes: whether folders that are missing are made.
    mutating func folder(makingMissing makes: Bool = false) throws(FileFault) -> OpenFolder {
        while let name = left.popLast() {
            var next = try look(at: name)
            if next == nil, makes, mkdirat(here.descriptor, String(name), 0o777) == 0 { next = try look(at: name) }
            guard let next else { throw FileFault(code: makes ? errno : ENOENT) }
            try enter(next)
        }
        return here
    }

    /// The folder in which the path ends, and the name there. That name is no link now, and may be missing.
    mutating func file() throws(FileFault) -> (folder: OpenFolder, name: String) {
        while let name = left.popLast() {
            let next = try look(at: name)
            if left.isEmpty, try next?.status().isLink != true { return (here, String(name)) }
            guard let next else { throw FileFault(code: ENOENT) }
            try enter(next)
        }
        throw FileFault("it is a folder, not a file")
    }

    // MARK: - One step

    /// Opens what has a name, whatever it is, for nothing but to look at it; a link itself. It never waits.
    ///
    /// - Returns: nil when nothing has this name.
    private func look(at name: Substring) throws(FileFault) -> OpenFolder? {
        let found = openat(here.descriptor, String(name), Self.toLook | O_CLOEXEC)
        if found < 0, errno == ENOENT { return nil }
        return try OpenFolder(here.path(of: name), found)
    }

    private mutating func enter(_ next: OpenFolder) throws(FileFault) {
        let status = try next.status()
        guard status.isLink else {
            guard status.isFolder else { throw FileFault(code: ENOTDIR) }
            return here = next
        }
        links += 1
        guard links <= Self.mostLinks else { throw FileFault(code: ELOOP, "too many symbolic links") }
        guard geteuid() != 0 || status.user == 0 else {
            throw FileFault(
                "\(next.path) is a symbolic link that another user made (user \(status.user)), which root does not follow"
            )
        }
        let target = try Self.target(of: next)
        if target.beginsAtRoot { here = try Self.beginning(of: target) }
        left += Self.names(in: target[...])
    }

    // MARK: - The system's calls

    #if canImport(Glibc)
        /// `O_PATH`, which Swift's `Glibc` lacks.
        static let toPass: Int32 = 0o10_000_000
        private static let toLook = toPass | O_NOFOLLOW
    #else
        static let toPass = O_RDONLY
        private static let toLook = O_SYMLINK | O_NONBLOCK
    #endif

    private static func beginning(of path: String) throws(FileFault) -> OpenFolder {
        guard !path.beginsAtRoot else {
            return try OpenFolder("/", open("/", toPass | O_DIRECTORY | O_CLOEXEC))
        }
        guard let working = getcwd(nil, 0) else { throw FileFault(code: errno) }
        defer { free(working) }
        return try OpenFolder(String(cString: working), open(".", toPass | O_DIRECTORY | O_CLOEXEC))
    }

    private static func names(in path: Substring) -> [Substring] {
        path.utf8.split(separator: UInt8(ascii: "/")).map { Substring($0) }.filter { $0 != "." }.reversed()
    }

    private static func target(of link: OpenFolder) throws(FileFault) -> String {
        var bytes = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
        #if canImport(Glibc)
            let count = readlinkat(link.descriptor, "", &bytes, bytes.count - 1)
        #else
            let count = Int(freadlink(link.descriptor, &bytes, bytes.count - 1))
        #endif
        guard count > 0 else { throw FileFault(code: count < 0 ? errno : ENOENT) }
        return String(decoding: bytes[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

extension StringProtocol {
    /// Whether a path begins at the root. By bytes, as the system reads it: in Swift, a `/` with an accent is one other
    /// character.
    package var beginsAtRoot: Bool { utf8.first == UInt8(ascii: "/") }
}
