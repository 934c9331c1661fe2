/// Whether the database's disk has room for more of a provider's log. Reading logs is what fills it, so that stops first:
/// what is left is for the outcomes of calls, which cannot be read again everywhere.
package struct DiskReserve: Sendable, Equatable {
    /// Logs are read only while more than this is free. A page may have 64 MiB, and what it holds is written twice: into
    /// the write-ahead log, and from there into the database.
    package static let bytes: Int64 = 128 << 20
    /// So much more has to be free before reading goes on, or it would stop and go with every page.
    static let margin: Int64 = 16 << 20

    /// In bytes, when it was last looked at; nil: unknown.
    package private(set) var free: Int64?
    package private(set) var isShort = false

    package init() {}

    /// Takes note of what is free now. A file system that does not tell stops nothing: a full one refuses the write itself.
    ///
    /// - Returns: whether reading has to stop or may go on since this look.
    package mutating func see(_ free: Int64?) -> Bool {
        let before = isShort
        self.free = free
        isShort = free.map { $0 < Self.bytes + (before ? Self.margin : 0) } ?? false
        return isShort != before
    }
}

/// Why no log is read; goes on by itself when there is room.
struct DiskShortage: Error, CustomStringConvertible {
    /// In bytes.
    let free: Int64

    var description: String {
        """
        no log is read: \(ByteText.of(free)) are free on the database's disk, \(ByteText.of(DiskReserve.bytes)) are kept \
        for outcomes of calls; free some space, reading goes on by itself
        """
    }
}
