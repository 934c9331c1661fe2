import Foundation
import GRDB

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The database that a restore replaces: may be whole, damaged or missing.
struct ReplacedDatabase {
    let path: String
    let operation: String

    private var exists: Bool { FileManager.default.fileExists(atPath: path) }

    /// - Returns: nil when there is no database, or it cannot be read.
    /// - Throws: `foreign` for a healthy database of another program: it is not ours to replace.
    func reader() throws(StoreError) -> QueueReader? {
        guard exists else { return nil }
        do {
            return try QueueReader(path: path)
        } catch {
            // A file without SQLite's header has the same kind, and may well be ours, damaged.
            guard error.kind == .foreign, isHealthy else { return nil }
            throw StoreError(
                .foreign, operation: operation, cause: "the database to replace belongs to another program",
                hint: "correct `database` in the configuration")
        }
    }

    private var isHealthy: Bool {
        var configuration = Configuration()
        configuration.readonly = true
        guard let queue = try? DatabaseQueue(path: path, configuration: configuration) else { return false }
        defer { try? queue.close() }
        return (try? queue.read { try Int.fetchOne($0, sql: "SELECT COUNT(*) FROM sqlite_schema") }) != nil
    }

    /// Gives the file a second name, under which it stays when a rename takes its first one. Its write-ahead log is worked
    /// into it or, where that fails, moved along: beside the new file it would be applied to that one.
    ///
    /// - Parameter isReadable: whether `reader()` could read it. What SQLite takes for garbage it may drop when it opens a
    ///   file for writing; somebody may want to look at it.
    /// - Returns: the new name; nil when there is nothing to keep.
    func setAside(isReadable: Bool, at now: Timestamp) throws -> String? {
        guard exists else { return nil }
        let kept = "\(path).before-restore-\(now.compactText)"
        if isReadable { checkpoint() }
        guard link(path, kept) == 0 else {
            throw StoreError(
                errno: errno, .inaccessible, operation: "\(operation): keep the present database as \(kept)",
                hint: "nothing is changed; try again in a second")
        }
        if QueueStore.fileSizes(ofDatabase: path).wal > 0, rename(path + "-wal", kept + "-wal") != 0 {
            let code = errno
            unlink(kept)
            throw StoreError(errno: code, .inaccessible, operation: "\(operation): keep the present write-ahead log")
        }
        for name in PendingFile.companions { unlink(path + name) }
        return kept
    }

    /// May fail, for a reader who is at work or for damage; then the log is moved along.
    private func checkpoint() {
        guard let queue = try? DatabaseQueue(path: path) else { return }
        _ = try? queue.writeWithoutTransaction { try $0.checkpoint(.truncate) }
        try? queue.close()
    }
}

/// Who may use a file that was made by somebody else than the daemon, root for example.
enum FileOwner {
    /// Gives a file the owner, group and mode of the database beside it; where there is none, the folder's owner and group
    /// and mode 0640. Changes nothing that this user may not change.
    static func give(path: String, asBeside database: String) throws(StoreError) {
        var model = stat()
        var mode: mode_t = 0o640
        if stat(database, &model) == 0 {
            mode = model.st_mode & 0o777
        } else if stat(PendingFile.folder(of: database), &model) != 0 {
            return
        }
        if chown(path, model.st_uid, model.st_gid) != 0 { _ = chown(path, uid_t.max, model.st_gid) }
        guard chmod(path, mode) == 0 else {
            throw StoreError(errno: errno, .inaccessible, operation: "set the mode of \(path)")
        }
    }
}

extension Timestamp {
    /// `20260101T000000Z`: fit for a file's name.
    var compactText: String {
        let text = Date(timeIntervalSince1970: Double(milliseconds) / 1_000).formatted(.iso8601)
        return text.filter { $0 != "-" && $0 != ":" }
    }
}
