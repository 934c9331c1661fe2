/// An unreadable entry of the log, kept until it can be understood.
package struct KeptEntry: Sendable, Equatable {
    package let id: Int64
    package let endpointID: String
    package let raw: [UInt8]
    package let reason: String
    package let detail: String
    /// When it was read.
    let seen: Timestamp
}

/// How much of what cannot be read is kept for an endpoint already.
struct UnreadableRoom {
    var entries: Int
    var bytes: Int

    var isFull: Bool { entries >= QueueStore.unreadableLimit || bytes >= QueueStore.unreadableBytes }
}

extension RuledTransaction {
    /// For this long a note that entries were left out is good, so that reading a page again writes almost nothing.
    private static let leftOutRefresh = Duration.seconds(3_600)
    private static let leftOutAgain = Duration.seconds(86_400)

    /// Stores an entry that could not be understood, once. When it is still read hours later, what it says by then
    /// takes the place of what it said.
    mutating func keep(_ entry: UnreadableObservation, _ reading: inout PageReading) throws {
        let endpoint = reading.endpoint.id
        let identity = BodyDigest.sha256(entry.identity)
        let known = try session.first(
            "SELECT id, seen_ms FROM unreadable_entry WHERE endpoint_id = ? AND sha256 = ?", [endpoint, identity]
        ) { (id: $0.integer(), seen: $0.timestamp()) }
        if let known {
            reading.summary.duplicates += 1
            reading.note(found: known.seen)
            if known.seen < now - Self.seenRefresh { try refresh(known.id, entry) }
            return
        }
        reading.note(found: nil)
        var used = try reading.room ?? room(of: endpoint)
        defer { reading.room = used }
        guard !used.isFull else { return try noteLeftOut(&reading) }
        try session.run(
            """
            INSERT INTO unreadable_entry (endpoint_id, sha256, reason, detail, raw, raw_length, logged_ms, seen_ms)
            VALUES (:endpoint, :sha256, :reason, :detail, :raw, :length, :logged, :now)
            """,
            [
                "endpoint": endpoint, "sha256": identity, "reason": entry.reason, "detail": entry.detail,
                "raw": entry.raw,
                "length": entry.length, "logged": entry.logged, "now": now,
            ])
        used.entries += 1
        used.bytes += entry.raw.count
        reading.summary.unreadable += 1
        counts.raise(Counter.logEntries, "unreadable")
    }

    private func refresh(_ id: Int64, _ entry: UnreadableObservation) throws {
        try session.run(
            """
            UPDATE unreadable_entry
            SET reason = :reason, detail = :detail, raw = :raw, raw_length = :length, logged_ms = :logged, seen_ms = :now
            WHERE id = :id
            """,
            [
                "id": id, "reason": entry.reason, "detail": entry.detail,
                "raw": entry.raw, "length": entry.length, "logged": entry.logged, "now": now,
            ])
    }

    /// What is kept for an endpoint.
    func room(of endpointID: String) throws -> UnreadableRoom {
        try session.first(
            "SELECT COUNT(*), coalesce(SUM(length(raw)), 0) FROM unreadable_entry WHERE endpoint_id = ?", [endpointID]
        ) { UnreadableRoom(entries: $0.int(), bytes: $0.int()) } ?? UnreadableRoom(entries: 0, bytes: 0)
    }

    /// Notes that entries of this page are left out, because enough are kept.
    func noteLeftOut(_ reading: inout PageReading) throws {
        guard !reading.hasLeftOut else { return }
        reading.hasLeftOut = true
        let last = try session.number("SELECT left_out_ms FROM endpoint WHERE id = ?", [reading.endpoint.id])
            .map(Timestamp.init(milliseconds:))
        reading.summary.beganToLeaveOut = last.map { $0 < now - Self.leftOutAgain } ?? true
        guard last.map({ $0 < now - Self.leftOutRefresh }) ?? true else { return }
        try session.run("UPDATE endpoint SET left_out_ms = ? WHERE id = ?", [now, reading.endpoint.id])
    }

    /// Makes the log of an endpoint unread back to its oldest kept entry, before anything that failed since is called:
    /// while entries could not be understood, arrivals may have been overlooked.
    fileprivate func makeUnread(_ endpointID: String) throws {
        let oldest = try session.number(
            """
            SELECT MIN(coalesce(unreadable_entry.logged_ms, endpoint.history_from_ms))
            FROM endpoint JOIN unreadable_entry ON unreadable_entry.endpoint_id = endpoint.id
            WHERE endpoint.id = ?
            """,
            [endpointID]
        ).map(Timestamp.init(milliseconds:))
        guard let oldest,
            try !session.exists(
                """
                SELECT 1 FROM scan_gap
                WHERE endpoint_id = :endpoint AND from_ms <= :from AND to_ms >= :now AND is_second = 0 AND freed_ms IS NULL
                """,
                ["endpoint": endpointID, "from": oldest, "now": now])
        else { return }
        try open(
            NewGap(range: ScanRange(from: min(oldest, now), to: now), started: now, since: now), of: endpointID)
    }
}

extension QueueTransaction {
    /// Gives a kept entry the reason and the identity that it has under another configuration.
    fileprivate func judge(_ kept: KeptEntry, anew entry: UnreadableObservation) throws {
        // One before it may have been the same entry.
        guard try session.exists("SELECT 1 FROM unreadable_entry WHERE id = ?", [kept.id]) else { return }
        let identity = BodyDigest.sha256(entry.identity)
        // Two that were told apart may be one by now.
        try session.run(
            "DELETE FROM unreadable_entry WHERE endpoint_id = ? AND sha256 = ? AND id <> ?",
            [kept.endpointID, identity, kept.id])
        try session.run(
            """
            UPDATE unreadable_entry SET sha256 = :sha256, reason = :reason, detail = :detail, logged_ms = :logged
            WHERE id = :id
            """,
            [
                "sha256": identity, "reason": entry.reason, "detail": entry.detail, "logged": entry.logged,
                "id": kept.id,
            ])
    }
}

extension QueueStore {
    /// So many unreadable entries are kept for an endpoint. They are for people to look at, and to be read again once
    /// `provider.log_fields` is right; an endpoint that has more has them for one reason.
    package static let unreadableLimit = 10_000
    /// So many bytes of unreadable entries are kept for an endpoint, give or take an entry.
    package static let unreadableBytes = 256 << 20

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
                SELECT id, endpoint_id, raw, reason, detail, seen_ms FROM unreadable_entry
                WHERE id > ? AND length(raw) = raw_length ORDER BY id LIMIT ?
                """,
                [id, limit]
            ) { row in
                let entry = KeptEntry(
                    id: row.integer(), endpointID: row.text(), raw: row.bytes(), reason: row.text(),
                    detail: row.text(), seen: row.timestamp())
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
            try queue.makeUnread(kept.endpointID)
            var reading = try PageReading(queue, endpointID: kept.endpointID, read: kept.seen)
            try queue.ingest(entry, &reading)
            try queue.close(&reading)
            try queue.session.run("DELETE FROM unreadable_entry WHERE id = ?", [kept.id])
        }
    }

    /// Gives kept entries the reasons that they have under another configuration.
    package func judge(
        _ entries: [(kept: KeptEntry, anew: UnreadableObservation)], at now: Timestamp
    ) async throws(StoreError) {
        guard !entries.isEmpty else { return }
        try await change("judge unreadable entries anew", at: now) { queue in
            for entry in entries { try queue.judge(entry.kept, anew: entry.anew) }
        }
    }
}
