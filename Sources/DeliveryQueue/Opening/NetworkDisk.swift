package import LocalFiles

/// File systems that several machines share. SQLite's write-ahead log needs memory that all its processes share, and
/// `flock` needs one kernel that knows all holders. On such a file system two machines would corrupt the database and
/// send everything twice (sqlite.org/wal.html, section 1).
package enum NetworkDisk {
    /// The name of a network file system by the type number of `fstatfs`; nil for all others.
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

    /// The name of the network file system that a folder lies on; nil when it lies on none, or is not there.
    package static func name(at folder: String) -> String? {
        // A place in it needs no right to list it.
        (try? FilePlace("\(folder)/database")).flatMap { name(of: $0.folder) }
    }

    private static func name(of folder: OpenFolder) -> String? {
        folder.fileSystemType.flatMap(name(ofType:))
    }

    /// Refuses a database, existing or new, whose folder lies on a network file system. The open folder is asked, so
    /// that the answer holds for what is opened in it.
    ///
    /// - Throws: `inaccessible`, naming the folder and the file system.
    package static func refuse(_ database: FilePlace, operation: String) throws(StoreError) {
        guard let name = name(of: database.folder) else { return }
        throw StoreError(
            .inaccessible, operation: operation,
            cause: "\(database.folder.path) lies on \(name), a network file system",
            hint:
                "name a file on a local disk of this machine: SQLite and the lock against a second daemon cannot work there"
        )
    }
}
