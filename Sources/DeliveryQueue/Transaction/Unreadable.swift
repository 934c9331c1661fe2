/// An unreadable entry of the log, kept until it can be understood.
package struct KeptEntry: Sendable, Equatable {
    package let id: Int64
    package let endpointID: String
    package let raw: [UInt8]
    /// When it was read.
    let seen: Timestamp
}

extension QueueStore {
    /// Unreadable entries, oldest first; those that were too large to keep whole are left out.
    ///
    /// - Parameters:
    ///   - limit: how many entries at most.
    ///   - bytes: no further entry is read once this many are in memory; the first one always is. An entry has up to 4
    ///     MiB.
    package func unreadableEntries(
        after id: Int64, limit: Int, bytes: Int = 16 << 20
    ) async throws(StoreError) -> [KeptEntry] {
        try await read("read unreadable entries") { session in
            var entries: [KeptEntry] = []
            var size = 0
            try session.each(
                """
                SELECT id, endpoint_id, raw, seen_ms FROM unreadable_entry
                WHERE id > ? AND length(raw) = raw_length ORDER BY id LIMIT ?
                """,
                [id, limit]
            ) { row in
                let entry = KeptEntry(
                    id: row.integer(), endpointID: row.text(), raw: row.bytes(), seen: row.timestamp())
                entries.append(entry)
                size += entry.raw.count
                return size < bytes
            }
            return entries
        }
    }

    /// Stores an unreadable entry that is understood now, in place of its raw text. Its age counts from when it was
    /// read, because our clock may be wrong at this start.
    package func ingest(
        _ entry: LogObservation, insteadOf kept: KeptEntry, rules: RetryRules, at now: Timestamp
    ) async throws(StoreError) {
        try await change("store an entry that is understood now", rules: rules, at: now) { queue in
            var reading = try PageReading(queue, endpointID: kept.endpointID, read: kept.seen)
            try queue.ingest(entry, &reading)
            queue.countDuplicates(reading.summary.duplicates)
            try queue.session.run("DELETE FROM unreadable_entry WHERE id = ?", [kept.id])
        }
    }
}
