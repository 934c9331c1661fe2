#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// What the system knows of a file without reading it.
package struct FileStatus: Sendable, Equatable {
    /// What makes a file this one, whatever its name is: the device and the number on it.
    package struct Identity: Sendable, Hashable {
        let device: UInt64
        let number: UInt64
    }

    package let identity: Identity
    /// The permission bits, set-group-ID included.
    package let permissions: UInt32
    package let user: UInt32
    package let group: UInt32
    package let bytes: Int64
    /// When its bytes were changed last, in nanoseconds since 1970.
    package let modified: Int64
    /// How many names it has.
    package let names: Int
    private let type: UInt32

    init(_ facts: stat) {
        identity = Identity(device: UInt64(facts.st_dev), number: UInt64(facts.st_ino))
        permissions = UInt32(facts.st_mode) & 0o7777
        user = facts.st_uid
        group = facts.st_gid
        bytes = Int64(facts.st_size)
        #if canImport(Glibc)
            let time = facts.st_mtim
        #else
            let time = facts.st_mtimespec
        #endif
        modified = Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec)
        names = Int(facts.st_nlink)
        type = UInt32(facts.st_mode) & UInt32(S_IFMT)
    }

    /// Looks at whatever stands at a path, through symbolic links, without opening it.
    ///
    /// - Returns: nil when nothing does, or its folder cannot be entered.
    package init?(at path: String) {
        var facts = stat()
        guard stat(path, &facts) == 0 else { return nil }
        self.init(facts)
    }

    /// Looks at what has a name itself, without following a symbolic link.
    ///
    /// - Returns: as `init(at:)`.
    package init?(named path: String) {
        var facts = stat()
        guard lstat(path, &facts) == 0 else { return nil }
        self.init(facts)
    }

    package var isRegular: Bool { type == UInt32(S_IFREG) }
    package var isLink: Bool { type == UInt32(S_IFLNK) }
    package var isFolder: Bool { type == UInt32(S_IFDIR) }

    /// What it is when it is no regular file, for "it is …".
    package var kindIfNoFile: String? { isRegular ? nil : kind }

    /// Whether every user of this machine may read it.
    package var isOpenToAll: Bool { permissions & 0o004 != 0 }

    private var kind: String {
        switch type {
        case UInt32(S_IFDIR): "a folder"
        case UInt32(S_IFIFO): "a FIFO"
        case UInt32(S_IFSOCK): "a socket"
        case UInt32(S_IFLNK): "a symbolic link"
        default: "a device"
        }
    }
}
