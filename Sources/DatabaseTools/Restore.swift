package import DeliveryQueue
import LocalFiles

/// Puts a backup in the place of the database.
///
/// Everything is prepared in a file beside the database. The last step is one rename, so a restore that fails or is
/// cancelled before changes nothing.
package struct DatabaseRestore: Sendable {
    /// What a restore did, or would do.
    package struct Report: Sendable {
        /// Facts of the backup, before its copy was changed.
        package let backup: CopyFacts
        package let summary: RestoreSummary
        /// Where the replaced database is now; nil when there was none, or nothing was done.
        package var keptAs: String?
    }

    private let backup: String
    /// The database as the operator named it.
    private let named: String
    private let rules: RetryRules
    private let operation: String

    /// - Parameters:
    ///   - backup: a file that `QueueReader.backUp` wrote, or any other whole copy.
    ///   - database: where the daemon will look for it.
    package init(of backup: String, to database: String, rules: RetryRules) {
        self.backup = backup
        named = database
        self.rules = rules
        operation = "restore database \(database) from \(backup)"
    }

    /// Verifies the backup and says what a restore would do. Changes nothing; a daemon may be running.
    package func rehearse(at now: Timestamp) async throws(StoreError) -> Report {
        let database = try DatabaseLink.place(of: named, operation: operation)
        return try await prepared(database, at: now) { _, _, report in report }
    }

    /// Puts the backup in the place of the database and keeps the old one beside it.
    ///
    /// - Throws: `locked` when a daemon runs; `foreign`, `incompatible` or `storage` when the backup must not be used.
    package func run(at now: Timestamp) async throws(StoreError) -> Report {
        // Where a link leads: another name of the database must not lose its file.
        let database = try DatabaseLink.place(of: named, operation: operation)
        try NetworkDisk.refuse(database, operation: operation)
        let lock = try InstanceLock(at: database, named: named)
        defer { lock.release() }
        return try await prepared(database, at: now) { pending, present, report in
            try Task.checkCancellation()
            var report = report
            report.keptAs = try present.setAside(isReadable: report.summary.knowsCalls, at: now)
            try pending.replace()
            // Opens it like the daemon, which makes the journal mode WAL and reads the settings back.
            try QueueStore(path: named, lock: lock, now: now).close()
            return report
        }
    }

    /// Makes the file that takes the database's place, hands it to `finish`, and removes what is left of it.
    private func prepared(
        _ database: FilePlace, at now: Timestamp, _ finish: (PendingFile, ReplacedDatabase, Report) throws -> Report
    ) async throws(StoreError) -> Report {
        do {
            try DatabaseLink.refuse(database, operation: operation)
            let replaced = ReplacedDatabase(place: database, operation: operation)
            let present = try replaced.reader()
            let pending = try PendingFile(forDatabase: database, operation: operation)
            defer { pending.remove() }
            let facts = try await copy(into: pending)
            let summary = try await settle(pending, since: facts.newest, present: present?.connections, at: now)
            try present?.close()
            try pending.give(asBeside: database)
            return try finish(pending, replaced, Report(backup: facts, summary: summary))
        } catch is CancellationError {
            throw StoreError(.cancelled, operation: operation, cause: "cancelled; nothing is changed")
        } catch {
            throw StoreError(error, operation: operation)
        }
    }

    /// Copies the backup and examines the copy: what is verified is what will be used.
    private func copy(into pending: PendingFile) async throws -> CopyFacts {
        guard let found = FileStatus(at: backup) else {
            throw StoreError(.inaccessible, operation: operation, cause: "there is no such backup")
        }
        if let kind = found.kindIfNoFile { throw unusable("it is \(kind), not a file") }
        let place = try DatabaseLink.place(of: backup, operation: operation)
        try DatabaseLink.refuse(place, operation: operation)
        do {
            let source = try Connections.single(at: place, isReadOnly: true)
            defer { try? source.close() }
            let copy = pending.place
            try await source.read { try $0.copy(to: copy) }
            let facts = try DatabaseCopy.examine(copy, .full)
            try Task.checkCancellation()
            return facts
        } catch  where [.notADatabase, .corrupt].contains(EngineFault(error)) {
            throw unusable("SQLite says: \(EngineFault.message(of: error) ?? "it is damaged")")
        } catch let error as StoreError where [.foreign, .storage].contains(error.kind) {
            throw unusable(error.cause)
        }
    }

    private func unusable(_ cause: String) -> StoreError {
        StoreError(
            .foreign, operation: operation, cause: "the backup cannot be used: \(cause)",
            hint: "nothing is changed; name another file that `redeliver database backup` wrote")
    }

    /// Brings the copy up to date: its schema, and what may have happened since.
    private func settle(
        _ pending: PendingFile, since newest: Timestamp?, present: Connections?, at now: Timestamp
    ) async throws -> RestoreSummary {
        let copy = try Connections.single(at: pending.place, isReadOnly: false)
        try await copy.writeAlone { try Migrations.apply(to: $0, at: now) }
        let summary = try await copy.write { [rules] session in
            var queue = RestoredQueue(RuledTransaction(session, rules: rules, at: now))
            try queue.settle(since: newest, present: present)
            return queue.summary
        }
        try copy.close()
        return summary
    }
}
