extension QueueStore {
    /// Makes the scan of a gap begin at the log's first page again, because the page to go on from is gone.
    package func restartGap(id: Int64) async throws(StoreError) {
        try await write("restart a gap") { try $0.run("UPDATE scan_gap SET resume_url = NULL WHERE id = ?", [id]) }
    }

    /// Notes that a gap could not be read. The next reading waits 5 seconds, then longer each time, up to 5 minutes.
    package func putOff(_ gap: ScanGap, at now: Timestamp) async throws(StoreError) {
        let pause = ScanGap.pauses[min(gap.failures, ScanGap.pauses.count - 1)]
        try await write("put off the reading of a gap") {
            try $0.run(
                "UPDATE scan_gap SET failures = failures + 1, retry_ms = :retry WHERE id = :id",
                ["retry": now + pause, "id": gap.id])
        }
    }
}

extension QueueTransaction {
    /// Stores how far a scan has come.
    ///
    /// - Returns: the id of the gap that holds what is unread; nil when the scan is complete.
    func advance(_ progress: ScanProgress, of endpointID: String) throws -> Int64? {
        if let newest = progress.newest {
            // A provider time in our future would move the head over entries that are yet to come.
            try session.run(
                "UPDATE endpoint SET head_ms = \(Dialect.greatest("coalesce(head_ms, :newest)", ":newest")) WHERE id = :id",
                ["newest": min(newest, progress.started), "id": endpointID])
        }
        if let id = progress.gapID { try giveBackAge(gap: id, readDownTo: progress.unread?.to) }
        guard let unread = progress.unread else {
            if let id = progress.gapID { try session.run("DELETE FROM scan_gap WHERE id = ?", [id]) }
            if progress.hasReread { try noteCompleteScan(of: endpointID, started: progress.started) }
            return nil
        }
        var gap: Parameters = [
            "from": unread.from, "to": unread.to, "url": progress.resumeURL, "newest": progress.newestFirst,
            "started": progress.started,
        ]
        if let id = progress.gapID {
            gap.add("id", id)
            try session.run(
                """
                UPDATE scan_gap
                SET from_ms = :from, to_ms = :to, resume_url = :url, newest_first = :newest, started_ms = :started,
                    failures = CASE WHEN \(Self.hasMoved) THEN 0 ELSE failures END,
                    retry_ms = CASE WHEN \(Self.hasMoved) THEN 0 ELSE retry_ms END,
                    freed_ms = CASE WHEN :to > to_ms THEN NULL ELSE freed_ms END
                WHERE id = :id
                """, gap)
            return id
        }
        gap.add("endpoint", endpointID)
        if let id = try grownGap(gap) { return id }
        gap.add("now", now)
        try session.run(
            """
            INSERT INTO scan_gap (from_ms, to_ms, resume_url, newest_first, started_ms, endpoint_id, since_ms)
            VALUES (:from, :to, :url, :newest, :started, :endpoint, :now)
            """, gap)
        return session.lastID
    }

    /// Lets a gap that is there grow, where the new one meets it in a newest-first log: or each reading that ends at a bad
    /// page would leave one more, and each would be read.
    ///
    /// - Returns: its number; nil: no gap meets it.
    private func grownGap(_ gap: Parameters) throws -> Int64? {
        try session.number(
            """
            UPDATE scan_gap
            SET from_ms = \(Dialect.least("from_ms", ":from")), to_ms = \(Dialect.greatest("to_ms", ":to")), resume_url = :url,
                started_ms = :started, freed_ms = NULL
            WHERE id = (
                SELECT id FROM scan_gap
                WHERE endpoint_id = :endpoint AND newest_first = 1 AND :newest = 1 AND from_ms <= :to AND to_ms >= :from
                ORDER BY to_ms DESC LIMIT 1)
            RETURNING id
            """, gap)
    }

    /// An SQL condition: more of the gap is read than ever. Where the newest do not come first, its end does not tell.
    private static let hasMoved = "(:to < to_ms OR (newest_first = 0 AND :url IS DISTINCT FROM resume_url))"

    /// A gap shorter than this costs no delivery any age that matters.
    private static let leastGivenBack = Duration.seconds(60)

    /// Lets the time for which a gap kept deliveries from being called not count for their age. Those that are due in it
    /// and are not behind it any more.
    ///
    /// - Parameter time: where the gap ends now; nil: it is gone.
    func giveBackAge(gap id: Int64, readDownTo time: Timestamp?) throws {
        let gap = try session.first(
            "SELECT endpoint_id, to_ms, since_ms FROM scan_gap WHERE id = ? AND freed_ms IS NULL", [id]
        ) {
            (endpointID: $0.text(), end: $0.timestamp(), since: $0.timestamp())
        }
        guard let gap, now - gap.since >= Self.leastGivenBack else { return }
        let later = Dialect.greatest("next_attempt_ms", ":since")
        try session.run(
            """
            UPDATE delivery SET held_before_ms = held_before_ms - (:now - \(later))
            WHERE endpoint_id = :endpoint AND state = 'scheduled' AND next_attempt_ms < :now
              AND last_failed_ms >= :from AND last_failed_ms < :to
              AND NOT EXISTS (
                  SELECT 1 FROM scan_gap
                  WHERE scan_gap.endpoint_id = :endpoint AND scan_gap.id <> :gap AND scan_gap.freed_ms IS NULL
                    AND scan_gap.to_ms + :tolerance > delivery.last_failed_ms)
            """,
            [
                "now": now, "since": gap.since, "endpoint": gap.endpointID,
                "from": time.map { $0 + RetryRules.clockTolerance } ?? .distantPast,
                "to": gap.end + RetryRules.clockTolerance, "gap": id,
                "tolerance": RetryRules.clockTolerance.wholeMilliseconds,
            ])
    }

    /// Notes when a complete scan began: the log's silence counts up to there, except about calls whose outcome a gap may
    /// hold.
    ///
    /// A stored time later than now is from a clock that was ahead, and is replaced.
    private func noteCompleteScan(of endpointID: String, started: Timestamp) throws {
        let newest = Dialect.greatest("coalesce(last_scan_ms, :started)", ":started")
        try session.run(
            """
            UPDATE endpoint
            SET last_scan_ms = CASE WHEN last_scan_ms > :latest THEN :started ELSE \(newest) END
            WHERE id = :id
            """,
            ["latest": now + RetryRules.clockTolerance, "started": started, "id": endpointID])
    }
}
