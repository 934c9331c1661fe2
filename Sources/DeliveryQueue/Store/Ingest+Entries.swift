import GRDB

/// What of a page is kept as it was read, each entry once.
extension Ingest {
    /// How long an entry's `seen_ms` may be behind before it is refreshed: keeps re-reading almost free of writes.
    private static let seenRefresh = Duration.seconds(6 * 3_600)
    /// A larger unreadable entry is cut to this; its true length is kept.
    private static let rawLimit = 4 << 20

    /// Whether the entry was read before. If so its `seen_ms` is refreshed, now and then.
    func isKnown(_ observation: Observation) throws -> Bool {
        let stale = (now - Self.seenRefresh).milliseconds
        let row = try db.firstRow(
            """
            SELECT seen_ms < ? AS stale FROM log_entry
            WHERE endpoint_id = ? AND task_id = ? AND logged_ms = ? AND outcome = ?
            """,
            [stale] + key(observation))
        guard let row else { return false }
        if row["stale"] {
            try db.run(
                """
                UPDATE log_entry SET seen_ms = ?
                WHERE endpoint_id = ? AND task_id = ? AND logged_ms = ? AND outcome = ?
                """,
                [now.milliseconds] + key(observation))
        }
        return true
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
    private func key(_ observation: Observation) -> StatementArguments {
        [endpoint.id, observation.taskID, observation.changed?.milliseconds ?? 0, observation.outcome.rawValue]
    }

    mutating func keep(_ entry: UnreadableObservation) throws {
        try db.run(
            """
            INSERT INTO unreadable_entry (endpoint_id, sha256, reason, detail, raw, raw_length, logged_ms, seen_ms)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (endpoint_id, sha256) DO NOTHING
            """,
            [
                endpoint.id, BodyDigest.sha256(entry.raw).blob, entry.reason, entry.detail,
                Array(entry.raw.prefix(Self.rawLimit)).blob, entry.raw.count, entry.logged?.milliseconds,
                now.milliseconds,
            ])
        guard db.changesCount > 0 else {
            summary.duplicates += 1
            return
        }
        summary.unreadable += 1
        try db.raise(Counter.logEntries, "unreadable")
    }
}
