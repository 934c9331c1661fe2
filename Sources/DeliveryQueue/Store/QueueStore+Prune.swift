import GRDB

/// What a pruning turn removed, in counts.
package struct PruneSummary: Sendable, Equatable {
    package var bodies = 0
    package var deliveries = 0
    package var logEntries = 0
    package var unreadable = 0

    package init() {}

    package var total: Int { bodies + deliveries + logEntries + unreadable }
}

extension QueueStore {
    /// Bodies are people's identity data: dropped this long after the delivery; the hash stays.
    package static let bodyRetention = Duration.seconds(7 * 86_400)
    package static let deliveredRetention = Duration.seconds(90 * 86_400)
    package static let deadRetention = Duration.seconds(180 * 86_400)
    package static let unreadableRetention = Duration.seconds(90 * 86_400)
    /// Successes of deliveries that never failed are remembered this long after they were last read: a newest-first
    /// scan reads a success before the failure that it mends. A scan that was cut short may last longer: while its gap is
    /// left, nothing of its endpoint is forgotten.
    package static let unrelatedEntryRetention = Duration.seconds(86_400)

    /// Removes what is past its time, at most `limit` rows of each kind, in one short transaction; open deliveries never.
    ///
    /// The caller repeats it until `total` is 0.
    package func prune(limit: Int = 500, at now: Timestamp) async throws(StoreError) -> PruneSummary {
        try await write("prune old rows") { db in
            var summary = PruneSummary()
            summary.bodies = try db.change(
                """
                UPDATE delivery_body SET body = NULL WHERE body IS NOT NULL AND delivery_id IN (
                    SELECT delivery.id FROM delivery
                    JOIN delivery_body ON delivery_body.delivery_id = delivery.id
                    WHERE delivery.finalized_ms <= ? AND delivery.state = 'delivered' AND delivery_body.body IS NOT NULL
                    LIMIT ?)
                """,
                [(now - Self.bodyRetention).milliseconds, limit])
            summary.deliveries = try db.change(
                """
                DELETE FROM delivery WHERE id IN (
                    SELECT id FROM delivery
                    WHERE (finalized_ms <= ? AND state = 'delivered') OR (finalized_ms <= ? AND state = 'dead')
                    LIMIT ?)
                """,
                [(now - Self.deliveredRetention).milliseconds, (now - Self.deadRetention).milliseconds, limit])
            summary.logEntries = try db.change(
                """
                DELETE FROM log_entry WHERE (endpoint_id, task_id, logged_ms, outcome) IN (
                    SELECT endpoint_id, task_id, logged_ms, outcome FROM log_entry
                    WHERE delivery_id IS NULL AND seen_ms <= ?
                      AND NOT EXISTS (SELECT 1 FROM scan_gap WHERE scan_gap.endpoint_id = log_entry.endpoint_id)
                    LIMIT ?)
                """,
                [(now - Self.unrelatedEntryRetention).milliseconds, limit])
            try db.run(
                "DELETE FROM latest_arrival WHERE event_ms <= ?", [(now - Self.deliveredRetention).milliseconds])
            // As long as a failure may be taken up anew.
            try db.run("DELETE FROM test_event WHERE asked_ms <= ?", [(now - Self.deliveredRetention).milliseconds])
            summary.unreadable = try db.change(
                "DELETE FROM unreadable_entry WHERE id IN (SELECT id FROM unreadable_entry WHERE seen_ms <= ? LIMIT ?)",
                [(now - Self.unreadableRetention).milliseconds, limit])
            return summary
        }
    }

    /// Gives freed pages back to the file system, a few at a time.
    package func reclaimSpace(pages: Int = 256) async throws(StoreError) {
        do {
            try await pool.writeWithoutTransaction { db in
                // Each step of this pragma frees one page; it must be run to its end.
                _ = try Row.fetchAll(db, sql: "PRAGMA incremental_vacuum(\(pages))")
            }
        } catch {
            throw StoreError(error, operation: "reclaim free space")
        }
    }
}

extension Database {
    /// Runs a statement and tells how many rows it changed.
    fileprivate func change(_ sql: String, _ arguments: StatementArguments) throws -> Int {
        try run(sql, arguments)
        return changesCount
    }
}
