import LocalFiles
import Synchronization

/// Notices when another program writes over the main file (`cp backup.db redeliver.db`). SQLite does not: it reads on
/// from its cache and its write-ahead log, and the next checkpoint mixes the two databases.
///
/// While we have the database open only a checkpoint writes the main file, whether it is ours or that of an operator's
/// `sqlite3`. So the file holds the row of `daemon` as one of our commits left it, never an older one than before. When
/// size or time of the file have changed, the row is read from the file's own bytes. Its seal tells:
///
/// - A copy that `database backup` made has none, and another database has another one.
/// - Any other copy of an earlier state has a lower number, because each checkpoint carries a new one: once the file
///   has caught up with the number, the next transaction raises it (`Tenure.confirmToWrite`).
/// - A copy of the present state, and a mere `touch`, change no byte that counts, and the daemon goes on.
///
/// The file is looked at while nobody may make a checkpoint. What is written over within the milliseconds between
/// that and a checkpoint of ours goes unnoticed, and so does a copy that `VACUUM INTO` made since the last one.
final class MainFile: Sendable {
    private struct Stamp: Equatable {
        let bytes: Int64
        let modified: Int64
    }

    private struct Seen {
        /// nil: look at the bytes in any case.
        var stamp: Stamp?
        /// The row as it was found in the file last, ours or an earlier daemon's; nil: none.
        var row: String?
        var page: Int64
    }

    private let path: String
    private let epoch: String
    private let pageSize: Int
    private let seen: Mutex<Seen>

    /// - Parameter epoch: that of the seal, which `session` has written already.
    init(path: String, epoch: String, in session: Session) throws {
        guard let place = try session.place(ofTable: Self.table) else {
            throw StoreError(.storage, operation: "", cause: "the table `daemon` is missing")
        }
        (self.path, self.epoch, pageSize) = (path, epoch, place.pageSize)
        let stamp = Self.stamp(of: path)
        let row = try Self.row(onPage: place.page, pageSize, in: session)
        seen = Mutex(Seen(stamp: stamp, row: row, page: place.page))
    }

    /// The number of our seal in the file; nil: no checkpoint has brought it there yet.
    var sealNumber: Int? {
        seen.withLock { number(of: $0.row) }
    }

    /// Whether nobody wrote into the file but by a checkpoint.
    func isOurs(in session: Session) throws -> Bool {
        try seen.withLock { seen in
            if let stamp = Self.stamp(of: path), stamp == seen.stamp { return true }
            return try session.betweenCheckpoints {
                let stamp = Self.stamp(of: path)
                if try accept(&seen, page: seen.page, stamp, in: session) { return true }
                // A VACUUM moves tables.
                guard let moved = try? session.place(ofTable: Self.table) else { return false }
                return try accept(&seen, page: moved.page, stamp, in: session)
            } ?? true
        }
    }

    /// Reads the row, and takes it for the newest one if it can be.
    private func accept(_ seen: inout Seen, page: Int64, _ stamp: Stamp?, in session: Session) throws -> Bool {
        let row = try Self.row(onPage: page, pageSize, in: session)
        let isNewer = (number(of: row) ?? -1) >= (number(of: seen.row) ?? 0)
        guard row == seen.row || isNewer else { return false }
        seen = Seen(stamp: stamp, row: row, page: page)
        return true
    }

    private func number(of row: String?) -> Int? {
        guard let seal = row.flatMap(Seal.init), seal.epoch == epoch else { return nil }
        return seal.number
    }

    private static let table = "daemon"

    private static func row(onPage page: Int64, _ size: Int, in session: Session) throws -> String? {
        try session.bytesOfMainFile(at: (page - 1) * Int64(size), count: size).flatMap(FilePage.onlyText)
    }

    private static func stamp(of path: String) -> Stamp? {
        FileStatus(at: path).map { Stamp(bytes: $0.bytes, modified: $0.modified) }
    }
}
