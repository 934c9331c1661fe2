/// Keeps each entry of a page once.
extension RuledTransaction {
    /// How old an entry's `seen_ms` gets before it is refreshed, so that reading a page again writes almost nothing.
    static let seenRefresh = Duration.seconds(6 * 3_600)

    /// The stored entries of a task.
    func entries(ofTask taskID: String, of endpointID: String) throws -> [KnownEntry] {
        try session.all(
            """
            SELECT logged_ms, outcome, seen_ms, found_ms, delivery_id IS NULL, is_foreign, body_mark FROM log_entry
            WHERE endpoint_id = ? AND task_id = ?
            """,
            [endpointID, taskID]
        ) {
            KnownEntry(
                logged: $0.integer(), outcome: $0.wordIfAny(), seen: $0.timestamp(), found: $0.timestamp(),
                isUnmatched: $0.flag(), isForeign: $0.flag(), bodyMark: $0.integerIfAny())
        }
    }

    /// Notes, now and then, that an entry is still read, and at once that its own log shows it.
    func refresh(_ known: KnownEntry, _ entry: LogObservation, _ reading: inout PageReading) throws {
        let isNowOwn = known.isForeign && reading.isOwn
        guard isNowOwn || known.seen < now - Self.seenRefresh else { return }
        try session.run(
            """
            UPDATE log_entry SET seen_ms = :now, is_foreign = CASE WHEN :own = 1 THEN 0 ELSE is_foreign END
            WHERE endpoint_id = :endpoint AND task_id = :task AND logged_ms = :logged AND outcome = :outcome
            """,
            [
                "now": now, "own": reading.isOwn, "endpoint": reading.endpoint.id, "task": entry.taskID,
                "logged": entry.key, "outcome": entry.outcome,
            ])
    }

    /// Stores an entry, with the lease token of a call in flight: the entry may be its outcome.
    ///
    /// - Parameter known: the stored entries of the same task. Those that say that the provider is still trying end
    ///   with an outcome.
    func remember(
        _ entry: LogObservation, of delivery: Delivery?, bodyMark: Int64? = nil, known: [KnownEntry],
        _ reading: PageReading
    ) throws {
        let endpointID = reading.endpoint.id
        let isOutcome = entry.outcome != .inProgress
        if isOutcome, known.contains(where: { $0.outcome == .inProgress }) {
            try session.run(
                "UPDATE log_entry SET is_open = 0 WHERE endpoint_id = ? AND task_id = ?", [endpointID, entry.taskID])
        }
        let isEnded = known.contains { $0.outcome != .inProgress && $0.logged >= entry.key }
        try session.run(
            """
            INSERT INTO log_entry (
                endpoint_id, task_id, logged_ms, outcome, delivery_id, http_status, error, lease_token, found_ms, seen_ms,
                is_open, is_foreign, body_mark
            )
            VALUES (:endpoint, :task, :logged, :outcome, :delivery, :status, :error, :token, :now, :now, :open, :foreign, :mark)
            """,
            [
                "endpoint": endpointID, "task": entry.taskID, "logged": entry.key, "outcome": entry.outcome,
                "delivery": delivery?.id, "status": entry.httpStatus, "error": entry.error,
                "token": delivery?.state == .attempting ? delivery?.leaseToken : nil, "now": now,
                "open": !isOutcome && !isEnded, "foreign": !reading.isOwn, "mark": bodyMark,
            ])
    }

    /// Gives a delivery the entries of its task that were stored before it.
    func adoptEntries(ofTask taskID: String, for delivery: Delivery) throws {
        try session.run(
            "UPDATE log_entry SET delivery_id = :id WHERE endpoint_id = :endpoint AND task_id = :task",
            ["id": delivery.id, "endpoint": delivery.endpointID, "task": taskID])
    }
}

/// A stored entry of a task.
struct KnownEntry {
    /// Provider time in milliseconds; 0: the entry has none.
    let logged: Int64
    /// nil: a later version stored a word that this one does not know.
    let outcome: LogOutcome?
    let seen: Timestamp
    /// Our time at which it was first read.
    let found: Timestamp
    /// Whether it is of no delivery.
    let isUnmatched: Bool
    /// Whether only another endpoint's log has shown it so far.
    let isForeign: Bool
    /// See `HashedBody.mark`; nil: it has none, or is no success.
    let bodyMark: Int64?

    /// Whether it is the same entry. A row that is updated in place counts as a new one when its outcome or time
    /// changes.
    func isSame(as entry: LogObservation) -> Bool {
        logged == entry.key && outcome == entry.outcome
    }

    /// Whether it is the same row with another outcome. Times are compared, so the row must have one.
    func isRow(of entry: LogObservation) -> Bool {
        logged == entry.key && logged > 0 && outcome != entry.outcome && outcome != .inProgress
    }
}

extension [KnownEntry] {
    /// When the delivery arrived or failed, by an entry of the same task; nil: unknown, see `Sighting.came`.
    func timeOfOutcome(_ entry: LogObservation) -> Timestamp? {
        guard let changed = entry.changed else { return nil }
        let isChangedInPlace = contains { $0.logged == changed.milliseconds && $0.outcome != entry.outcome }
        return isChangedInPlace ? nil : changed
    }
}

extension LogObservation {
    /// The time that tells a stored entry from others of its task: provider time in milliseconds, 0 when it has none.
    var key: Int64 { changed?.milliseconds ?? 0 }
}
