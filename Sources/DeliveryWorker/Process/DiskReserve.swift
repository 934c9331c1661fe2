/// Whether the database's disk has room for more log entries. Reading logs fills the disk, so reading stops first. The
/// rest is kept for the results of calls, which not every log shows again.
package struct DiskReserve: Sendable, Equatable {
    /// The usual reserve of a large file system, in bytes. A page may have 64 MiB and is written twice: to the
    /// write-ahead log, and from there to the database.
    package static let most: Int64 = 128 << 20
    /// The reserve of a small one: results of calls are small, and a page that finds no room is read again.
    static let least: Int64 = 16 << 20

    /// The reserve where none is configured: a twentieth of the file system, within the limits above.
    ///
    /// - Parameter bytes: the size of the file system; nil when unknown.
    package static func standard(ofFileSystem bytes: Int64?) -> Int64 {
        min(most, max(least, (bytes ?? .max) / 20))
    }

    /// Logs are read only while more than this is free, in bytes.
    package var bytes: Int64
    /// Free bytes at the last look; nil when unknown.
    package private(set) var free: Int64?
    package private(set) var isShort = false

    package init(_ bytes: Int64 = most) {
        self.bytes = bytes
    }

    /// This much more must be free before reading continues, or it would stop again after each page.
    var margin: Int64 { bytes / 8 }

    /// Notes the free bytes. An unknown number stops nothing, because a full disk refuses the write itself.
    ///
    /// - Returns: whether `isShort` has changed.
    package mutating func see(_ free: Int64?) -> Bool {
        let before = isShort
        self.free = free
        isShort = free.map { $0 < bytes + (before ? margin : 0) } ?? false
        return isShort != before
    }
}

/// Why no log is read. Reading continues by itself when there is room.
struct DiskShortage: Error, CustomStringConvertible {
    /// In bytes.
    let free: Int64
    let reserve: Int64

    var description: String {
        """
        no log is read: \(ByteText.of(free)) are free on the database's disk, and \
        \(ByteText.of(reserve)) are kept for the results of calls; free some space, then reading continues by itself
        """
    }
}
