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
                    failures = 0, retry_ms = 0
                WHERE id = :id
                """, gap)
            return id
        }
        gap.add("endpoint", endpointID)
        gap.add("now", now)
        try session.run(
            """
            INSERT INTO scan_gap (from_ms, to_ms, resume_url, newest_first, started_ms, endpoint_id, since_ms)
            VALUES (:from, :to, :url, :newest, :started, :endpoint, :now)
            """, gap)
        return session.lastID
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
