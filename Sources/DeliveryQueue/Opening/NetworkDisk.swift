import LocalFiles

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// File systems that several machines share. SQLite's write-ahead log needs memory that all its processes share, and
/// `flock` needs one kernel that knows all holders. On such a file system two machines would corrupt the database and
/// send everything twice (sqlite.org/wal.html, section 1).
package enum NetworkDisk {
    /// The name of a network file system by the type number of `statfs`; nil for all others.
    ///
    /// 9p and FUSE are not among them: virtual machines and sandboxes have local disks of these types. SQLite itself
    /// refuses the write-ahead log on one that cannot share memory.
    static func name(ofType type: UInt32) -> String? {
        names[type]
    }

    /// The numbers are those of linux/magic.h.
    private static let names: [UInt32: String] = [
        0x6969: "NFS", 0x517B: "SMB", 0xFF53_4D42: "CIFS", 0xFE53_4D42: "SMB2", 0x564C: "NCP", 0x7375_7245: "Coda",
        0x5346_414F: "AFS", 0x6B41_4653: "AFS", 0x00C3_6400: "CephFS",
    ]

    /// The name of the network file system that a file or folder lies on; nil when it lies on none, or is not there.
    package static func name(at path: String) -> String? {
        type(at: path).flatMap(name(ofType:))
    }

    private typealias Statfs = @convention(c) (UnsafePointer<CChar>, UnsafeMutableRawPointer) -> CInt

    /// The `f_type` of `statfs`, which Swift's `Glibc` lacks: a `long` at the start of a structure of less than 256
    /// bytes.
    private static func type(at path: String) -> UInt32? {
        #if os(Linux)
            guard let symbol = dlsym(nil, "statfs") else { return nil }
            let statfs = unsafeBitCast(symbol, to: Statfs.self)
            return withUnsafeTemporaryAllocation(byteCount: 256, alignment: 16) { facts in
                guard let start = facts.baseAddress, statfs(path, start) == 0 else { return nil }
                return UInt32(truncatingIfNeeded: facts.load(as: CLong.self))
            }
        #else
            return nil
        #endif
    }

    /// Refuses a database, existing or new, whose folder lies on a network file system.
    ///
    /// - Throws: `inaccessible`, naming the folder and the file system.
    package static func refuse(database path: String, operation: String) throws(StoreError) {
        let folder = (try? FilePlace(path))?.folder.path ?? PendingFile.folder(of: path)
        guard let name = name(at: folder) else { return }
        throw StoreError(
            .inaccessible, operation: operation, cause: "\(folder) lies on \(name), a network file system",
            hint:
                "name a file on a local disk of this machine: SQLite and the lock against a second daemon cannot work there"
        )
    }
}
