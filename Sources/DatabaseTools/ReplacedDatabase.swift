import DeliveryQueue
import Foundation

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
        guard let file = try? Connections.bare(path: path, isReadOnly: true) else { return false }
        defer { try? file.close() }
        return (try? file.readHere { try $0.number("SELECT COUNT(*) FROM sqlite_schema") }) != nil
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
        guard let file = try? Connections.bare(path: path, isReadOnly: false) else { return }
        try? file.checkpoint()
        try? file.close()
    }
}
