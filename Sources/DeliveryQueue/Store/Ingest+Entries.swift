import GRDB

/// What of a page is kept as it was read, each entry once.
extension Ingest {
    /// How long an entry's `seen_ms` may be behind before it is refreshed: keeps re-reading almost free of writes.
    private static let seenRefresh = Duration.seconds(6 * 3_600)
    /// A larger unreadable entry is cut to this; its true length is kept.
    private static let rawLimit = 4 << 20

    /// What the log said of a task before.
    func entries(ofTask taskID: String) throws -> [KnownEntry] {
        try db.all(
            "SELECT logged_ms, outcome, seen_ms FROM log_entry WHERE endpoint_id = ? AND task_id = ?",
            [endpoint.id, taskID], KnownEntry.init)
    }

    /// Notes, now and then, that an entry is still read.
    func refresh(_ entry: KnownEntry, _ observation: Observation) throws {
        guard entry.seen < now - Self.seenRefresh else { return }
        try db.run(
            """
            UPDATE log_entry SET seen_ms = ?
            WHERE endpoint_id = ? AND task_id = ? AND logged_ms = ? AND outcome = ?
            """,
            [now.milliseconds] + key(observation))
    }

    func remember(_ observation: Observation, of delivery: Delivery?) throws {
        try db.run(
            """
            INSERT INTO log_entry (
                endpoint_id, task_id, logged_ms, outcome, delivery_id, http_status, error, lease_token, found_ms, seen_ms
            )
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            key(observation) + [
                delivery?.id, observation.httpStatus, observation.error,
                delivery?.state == .attempting ? delivery?.leaseToken : nil, now.milliseconds, now.milliseconds,
            ])
    }

    /// What tells one entry from another: a row that is updated in place becomes a new entry by its outcome or time.
    private func key(_ observation: Observation) -> Bindings {
        [endpoint.id, observation.taskID, observation.changedMilliseconds, observation.outcome.rawValue]
    }

    mutating func keep(_ entry: UnreadableObservation) throws {
        try db.run(
            """
            INSERT INTO unreadable_entry (endpoint_id, sha256, reason, detail, raw, raw_length, logged_ms, seen_ms)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (endpoint_id, sha256) DO NOTHING
            """,
            [
                endpoint.id, BodyDigest.sha256(entry.raw), entry.reason, entry.detail,
                Array(entry.raw.prefix(Self.rawLimit)), entry.raw.count, entry.logged?.milliseconds,
                now.milliseconds,
            ])
        guard db.changesCount > 0 else {
            summary.duplicates += 1
            return
        }
        summary.unreadable += 1
        counts.raise(Counter.logEntries, "unreadable")
    }
}

/// One thing that the log said of a task.
struct KnownEntry {
    /// Provider time in milliseconds; 0: the entry has none.
    let logged: Int64
    /// nil: a word of a later version.
    let outcome: Observation.Outcome?
    let seen: Timestamp

    init(_ columns: inout ColumnReader) {
        logged = columns.integer()
        outcome = Observation.Outcome(rawValue: columns.text())
        seen = columns.timestamp()
    }

    /// Whether it is this very entry: a row that is updated in place becomes a new one by its outcome or time.
    func isSame(as observation: Observation) -> Bool {
        logged == observation.changedMilliseconds && outcome == observation.outcome
    }
}

extension [KnownEntry] {
    /// When the outcome that an entry of the same task shows came about; nil when nothing tells: see `Database.outcomeTime`.
    func timeOfOutcome(_ observation: Observation) -> Timestamp? {
        guard let changed = observation.changed else { return nil }
        let isChangedInPlace = contains { $0.logged == changed.milliseconds && $0.outcome != observation.outcome }
        return isChangedInPlace ? nil : changed
    }
}

extension Observation {
    /// As the key of a stored entry has it; 0 when it has no time.
    fileprivate var changedMilliseconds: Int64 { changed?.milliseconds ?? 0 }
}
