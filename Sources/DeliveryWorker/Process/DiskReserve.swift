/// Whether the database's disk has room for more log entries. Reading logs fills the disk, so reading stops first. The
/// rest is kept for the results of calls, which not every log shows again.
package struct DiskReserve: Sendable, Equatable {
    /// Logs are read only while more than this is free, in bytes. A page may have 64 MiB and is written twice: to the
    /// write-ahead log, and from there to the database.
    package static let bytes: Int64 = 128 << 20
    /// This much more must be free before reading continues, or it would stop again after each page.
    static let margin: Int64 = 16 << 20

    /// Free bytes at the last look; nil when unknown.
    package private(set) var free: Int64?
    package private(set) var isShort = false

    package init() {}

    /// Notes the free bytes. An unknown number stops nothing, because a full disk refuses the write itself.
    ///
    /// - Returns: whether `isShort` has changed.
    package mutating func see(_ free: Int64?) -> Bool {
        let before = isShort
        self.free = free
        isShort = free.map { $0 < Self.bytes + (before ? Self.margin : 0) } ?? false
        return isShort != before
    }
}

/// Why no log is read. Reading continues by itself when there is room.
struct DiskShortage: Error, CustomStringConvertible {
    /// In bytes.
    let free: Int64

    var description: String {
        """
        no log is read: \(ByteText.of(free)) are free on the database's disk, and \
        \(ByteText.of(DiskReserve.bytes)) are kept for the results of calls; free some space, then reading continues by itself
        """
    }
}
