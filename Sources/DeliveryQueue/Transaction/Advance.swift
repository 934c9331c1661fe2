/// How far a scan has come.
extension RuledTransaction {
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
            if let id = progress.gapID { try close(gap: id, walksAgain: progress.walksAgain) }
            if progress.hasReread { try noteCompleteScan(of: endpointID, started: progress.started) }
            return nil
        }
        if let id = progress.gapID, try move(gap: id, to: unread, progress) { return id }
        return try open(
            NewGap(
                range: unread, resumeURL: progress.resumeURL, lastURL: progress.lastURL,
                newestFirst: progress.newestFirst, started: progress.started, since: now),
            of: endpointID)
    }

    /// - Returns: false: the gap is gone.
    private func move(gap id: Int64, to unread: ScanRange, _ progress: ScanProgress) throws -> Bool {
        try session.change(
            Self.movedGap,
            [
                "from": unread.from, "to": unread.to, "url": progress.resumeURL, "last": progress.lastURL,
                "newest": progress.newestFirst, "started": progress.started, "id": id,
            ]) > 0
    }

    /// What was freed stays so, unless more of the log has become unread since. Where the newest do not come first, the
    /// end is only the time of the reading.
    private static let movedGap = """
        UPDATE scan_gap
        SET from_ms = :from, to_ms = :to, resume_url = :url, last_url = :last, newest_first = :newest, started_ms = :started,
            failures = CASE WHEN \(hasMoved) THEN 0 ELSE failures END,
            retry_ms = CASE WHEN \(hasMoved) THEN 0 ELSE retry_ms END,
            freed_ms = CASE WHEN :newest = 1 AND :to > to_ms THEN NULL ELSE freed_ms END
        WHERE id = :id
        """

    /// Ends a gap. `walksAgain`: its range is read once more, from the log's first page, and keeps nothing back
    /// meanwhile.
    private func close(gap id: Int64, walksAgain: Bool) throws {
        guard walksAgain else { return try session.run("DELETE FROM scan_gap WHERE id = ?", [id]) }
        try session.run(
            """
            UPDATE scan_gap
            SET is_second = 1, resume_url = NULL, last_url = NULL, to_ms = \(Dialect.greatest("from_ms", ":now")),
                started_ms = :now, failures = 0, retry_ms = 0, freed_ms = NULL, newest_first = 1
            WHERE id = :id
            """,
            ["now": now, "id": id])
    }

    /// An SQL condition: more of the gap is read than ever. Where the newest do not come first, nothing tells before
    /// its end: a circle of pages moves on, too.
    private static let hasMoved = "(:newest = 1 AND :to < to_ms)"

    /// A gap shorter than this costs no delivery any age that matters.
    private static let leastGivenBack = Duration.seconds(60)

    /// Lets the time for which a gap kept deliveries from being called not count for their age. Those that are due in
    /// it and are not behind it any more.
    ///
    /// - Parameter time: where the gap ends now; nil: it is gone.
    func giveBackAge(gap id: Int64, readDownTo time: Timestamp?) throws {
        let gap = try session.first(
            "SELECT endpoint_id, until_ms, since_ms FROM unread_gap WHERE id = ?", [id]
        ) {
            (endpointID: $0.text(), until: $0.timestamp(), since: $0.timestamp())
        }
        guard let gap, now - gap.since >= Self.leastGivenBack else { return }
        let later = Dialect.greatest("next_attempt_ms", ":since")
        try session.run(
            """
            UPDATE delivery SET held_before_ms = held_before_ms - (:now - \(later))
            WHERE endpoint_id = :endpoint AND state = 'scheduled' AND next_attempt_ms < :now
              AND last_failed_ms >= :from AND last_failed_ms < :to
              AND NOT EXISTS (
                  SELECT 1 FROM unread_gap
                  WHERE unread_gap.endpoint_id = :endpoint AND unread_gap.id <> :gap
                    AND unread_gap.until_ms > delivery.last_failed_ms)
            """,
            [
                "now": now, "since": gap.since, "endpoint": gap.endpointID,
                "from": time.map { $0 + RetryRules.clockTolerance } ?? .distantPast,
                "to": gap.until, "gap": id,
            ])
    }

    /// Lets the time for which a gap keeps one delivery from being called not count for its age: its provider's own
    /// attempt has failed meanwhile, and the age is judged.
    ///
    /// - Returns: the delivery as it is then.
    func giveBackAge(of delivery: Delivery) throws -> Delivery {
        let since = try session.number(
            "SELECT MIN(since_ms) FROM unread_gap WHERE endpoint_id = ? AND until_ms > ?",
            [delivery.endpointID, delivery.lastFailed]
        ).map(Timestamp.init(milliseconds:))
        guard let since, let due = delivery.nextAttempt else { return delivery }
        let kept = now - max(since, due)
        guard kept >= Self.leastGivenBack else { return delivery }
        try session.run(
            "UPDATE delivery SET held_before_ms = held_before_ms - ? WHERE id = ?",
            [kept.wholeMilliseconds, delivery.id])
        return try self.delivery(id: delivery.id) ?? delivery
    }

    /// Notes when a complete scan began: the log's silence counts up to there, except about calls whose outcome a gap
    /// may hold.
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
