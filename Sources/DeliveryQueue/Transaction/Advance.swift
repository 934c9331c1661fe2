extension QueueStore {
    /// Plans the next scan of an endpoint's log.
    ///
    /// The range reaches back to the oldest row whose outcome is open, because the log may change it in place; not once
    /// the log was seen to show retries as new entries.
    package func scanPlan(
        of endpointID: String, overlap: Duration, at now: Timestamp
    ) async throws(StoreError) -> ScanPlan {
        try await read("plan the scan of endpoint \(endpointID)") { session in
            let endpoint = try session.first(
                "SELECT history_from_ms, head_ms, retry_shows = 'new_entry' FROM endpoint WHERE id = ?", [endpointID]
            ) { (history: $0.timestamp(), head: $0.timestampIfAny(), showsNewEntries: $0.flag()) }
            guard let endpoint else { throw StoreError.noEndpoint(endpointID) }
            var from = endpoint.head.map { $0 - overlap } ?? endpoint.history
            if !endpoint.showsNewEntries, let oldest = try session.oldestWaiting(of: endpointID) {
                from = min(from, oldest - overlap)
            }
            return ScanPlan(
                range: ScanRange(from: from, to: now), gaps: try session.gaps(of: endpointID),
                historyFrom: endpoint.history, isFirst: endpoint.head == nil)
        }
    }

    /// Sets the history start of an endpoint: failures logged before it are not taken up. For an endpoint that was
    /// registered by a clock that was ahead.
    package func setHistoryStart(of endpointID: String, to time: Timestamp) async throws(StoreError) {
        try await write("set the history start of endpoint \(endpointID)") {
            try $0.run("UPDATE endpoint SET history_from_ms = ? WHERE id = ?", [time, endpointID])
        }
    }

    /// Makes the scan of a gap begin at the log's first page again, because the page to go on from is gone.
    package func restartGap(id: Int64) async throws(StoreError) {
        try await write("restart a gap") { try $0.run("UPDATE scan_gap SET resume_url = NULL WHERE id = ?", [id]) }
    }

    /// How urgently an endpoint's log is to be read.
    package func pollUrgency(of endpointID: String, at now: Timestamp) async throws(StoreError) -> PollUrgency {
        try await read("see how urgently a log is to be read") { session in
            let endpoint = try session.first(
                """
                SELECT circuit_open_ms IS NOT NULL, circuit_limit IS NOT NULL, (
                    SELECT MAX(called_ms) FROM delivery \(Dialect.byWaiting)
                    WHERE endpoint_id = endpoint.id AND state IN ('attempting', 'awaiting'))
                FROM endpoint WHERE id = ?
                """,
                [endpointID]
            ) { (isOpen: $0.flag(), isDraining: $0.flag(), called: $0.timestampIfAny()) }
            guard let endpoint else { return .routine }
            guard let called = endpoint.called else { return endpoint.isOpen ? .soon : .routine }
            let isFresh = now - called < PollUrgency.closeWatch
            return (endpoint.isOpen || endpoint.isDraining) && isFresh ? .atOnce : .soon
        }
    }
}

extension StoreError {
    /// The error for an endpoint that was never registered.
    static func noEndpoint(_ id: String) -> StoreError {
        StoreError(.storage, operation: "read endpoint \(id)", cause: "it is not in the database")
    }
}

extension Session {
    /// When the oldest delivery with an open outcome was logged; nil: no outcome is open.
    fileprivate func oldestWaiting(of endpointID: String) throws -> Timestamp? {
        try number(
            "SELECT MIN(logged_ms) FROM delivery WHERE endpoint_id = ? AND state IN ('attempting', 'awaiting')",
            [endpointID]
        ).map(Timestamp.init(milliseconds:))
    }

    fileprivate func gaps(of endpointID: String) throws -> [ScanGap] {
        try all(
            """
            SELECT id, from_ms, to_ms, resume_url, newest_first, started_ms
            FROM scan_gap WHERE endpoint_id = ? ORDER BY from_ms, id
            """,
            [endpointID]
        ) {
            ScanGap(
                id: $0.integer(), range: ScanRange(from: $0.timestamp(), to: $0.timestamp()), resumeURL: $0.textIfAny(),
                newestFirst: $0.flag(), started: $0.timestamp())
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
            try noteCompleteScan(of: endpointID, started: progress.started)
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
                SET from_ms = :from, to_ms = :to, resume_url = :url, newest_first = :newest, started_ms = :started
                WHERE id = :id
                """, gap)
            return id
        }
        gap.add("endpoint", endpointID)
        try session.run(
            """
            INSERT INTO scan_gap (from_ms, to_ms, resume_url, newest_first, started_ms, endpoint_id)
            VALUES (:from, :to, :url, :newest, :started, :endpoint)
            """, gap)
        return session.lastID
    }

    /// Notes when a complete scan began: the log's silence counts up to there. While a gap is left, which could hide an
    /// outcome, nothing is noted.
    ///
    /// A stored time later than now is from a clock that was ahead, and is replaced.
    private func noteCompleteScan(of endpointID: String, started: Timestamp) throws {
        let newest = Dialect.greatest("coalesce(last_scan_ms, :started)", ":started")
        try session.run(
            """
            UPDATE endpoint
            SET last_scan_ms = CASE WHEN last_scan_ms > :latest THEN :started ELSE \(newest) END
            WHERE id = :id AND NOT EXISTS (SELECT 1 FROM scan_gap WHERE endpoint_id = :id)
            """,
            ["latest": now + RetryRules.clockTolerance, "started": started, "id": endpointID])
    }
}
