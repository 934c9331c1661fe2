import GRDB

/// A log entry that was kept because it could not be understood.
package struct KeptEntry: Sendable, Equatable {
    package let id: Int64
    package let endpointID: String
    package let raw: [UInt8]
    /// When it was read.
    let seen: Timestamp
}

extension QueueStore {
    /// Kept entries in the order in which they came; those that were too large to keep whole are left out.
    ///
    /// - Parameters:
    ///   - limit: entries at most.
    ///   - bytes: no further entry is read once this many are in memory; the first one always is. An entry has up to
    ///     4 MiB.
    package func unreadableEntries(
        after id: Int64, limit: Int, bytes: Int = 16 << 20
    ) async throws(StoreError) -> [KeptEntry] {
        try await read("read unreadable entries") { db in
            let cursor = try Row.fetchCursor(
                db,
                sql: """
                    SELECT id, endpoint_id, raw, seen_ms FROM unreadable_entry
                    WHERE id > ? AND length(raw) = raw_length ORDER BY id LIMIT ?
                    """,
                arguments: [id, limit])
            var entries: [KeptEntry] = []
            var size = 0
            while size < bytes, let row = try cursor.next() {
                entries.append(
                    KeptEntry(
                        id: row["id"], endpointID: row["endpoint_id"], raw: row.bytes("raw"),
                        seen: row.timestamp("seen_ms")))
                size += entries.last?.raw.count ?? 0
            }
            return entries
        }
    }

    /// Stores a kept entry that is understood now, as if it had been read now, in place of its raw text. How old it is counts
    /// from when it was read: our clock may be wrong at this start.
    package func ingest(
        _ observation: Observation, insteadOf entry: KeptEntry, rules: RetryRules, at now: Timestamp
    ) async throws(StoreError) {
        try await write("store an entry that is understood now") { db in
            let endpoint = try EndpointFacts.fetch(db, id: entry.endpointID)
            var ingest = try Ingest(db, endpoint: endpoint, rules: rules, now: now, read: entry.seen)
            try ingest.take(observation)
            try ingest.finish()
            try db.run("DELETE FROM unreadable_entry WHERE id = ?", [entry.id])
        }
    }
}
