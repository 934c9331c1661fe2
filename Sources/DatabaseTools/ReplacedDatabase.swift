import DeliveryQueue
import LocalFiles

/// The database that a restore replaces. It may be whole, damaged or missing.
struct ReplacedDatabase {
    let place: FilePlace
    let operation: String

    private var exists: Bool { place.status != nil }

    /// Opens it for reading.
    ///
    /// - Returns: nil when there is no database, or it cannot be read.
    /// - Throws: `foreign` for a healthy database of another program: it is not ours to replace.
    func reader() throws(StoreError) -> QueueReader? {
        guard exists else { return nil }
        do {
            return try QueueReader(at: place, named: place.path)
        } catch {
            // A file without SQLite's header has the same kind, and may well be ours, damaged.
            guard error.kind == .foreign, isHealthy else { return nil }
            throw StoreError(
                .foreign, operation: operation, cause: "the database to replace belongs to another program",
                hint: "correct `database` in the configuration")
        }
    }

    private var isHealthy: Bool {
        guard let file = try? Connections.bare(at: place, isReadOnly: true) else { return false }
        defer { try? file.close() }
        return (try? file.readHere { $0.isReadable() }) ?? false
    }

    /// Gives the file a second name before a rename takes its first one. Its write-ahead log is moved into it or, where
    /// that fails, goes along: SQLite would apply it to the new file.
    ///
    /// - Parameter isReadable: whether `reader()` could read it. Opened for writing, SQLite may drop what it takes for
    ///   garbage, and somebody may want to look at that.
    /// - Returns: the new name; nil when there is nothing to keep.
    func setAside(isReadable: Bool, at now: Timestamp) throws -> String? {
        guard exists else { return nil }
        let kept = place.beside(".before-restore-\(now.compactText)")
        if isReadable { checkpoint() }
        let (folder, name, log) = (place.folder, place.name, place.beside("-wal"))
        do throws(FileFault) {
            try folder.link(name, to: kept.name)
        } catch {
            throw StoreError(
                error, .inaccessible, operation: "\(operation): keep the present database as \(kept.path)",
                hint: "nothing is changed; try again in a second")
        }
        do throws(FileFault) {
            if let status = log.status, status.bytes > 0 { try folder.rename(log.name, to: kept.name + "-wal") }
        } catch {
            folder.remove(kept.name)
            throw StoreError(error, .inaccessible, operation: "\(operation): keep the present write-ahead log")
        }
        for ending in PendingFile.companions { folder.remove(name + ending) }
        return kept.path
    }

    /// Moves the log into the file. It may fail because of a reader or of damage; then the log goes along.
    private func checkpoint() {
        guard let file = try? Connections.bare(at: place, isReadOnly: false) else { return }
        try? file.checkpoint()
        try? file.close()
    }
}
