import GRDB

/// A log entry that was kept because it could not be understood.
package struct KeptEntry: Sendable, Equatable {
    package let id: Int64
    package let endpointID: String
    package let raw: [UInt8]
}

extension QueueStore {
    /// Kept entries in the order in which they came; those that were too large to keep whole are left out.
    package func unreadableEntries(after id: Int64, limit: Int) async throws(StoreError) -> [KeptEntry] {
        try await read("read unreadable entries") { db in
            try db.rows(
                """
                SELECT id, endpoint_id, raw FROM unreadable_entry
                WHERE id > ? AND length(raw) = raw_length ORDER BY id LIMIT ?
                """,
                [id, limit]
            ).map { KeptEntry(id: $0["id"], endpointID: $0["endpoint_id"], raw: $0.bytes("raw")) }
        }
    }

    /// Stores a kept entry that is understood now, as if it had been read now, in place of its raw text.
    package func ingest(
        _ observation: Observation, insteadOf entry: KeptEntry, rules: RetryRules, at now: Timestamp
    ) async throws(StoreError) {
        try await write("store an entry that is understood now") { db in
            let endpoint = try EndpointFacts.fetch(db, id: entry.endpointID)
            var ingest = Ingest(db: db, endpoint: endpoint, rules: rules, now: now)
            try ingest.take(observation)
            try db.run("DELETE FROM unreadable_entry WHERE id = ?", [entry.id])
        }
    }
}
