import GRDB

/// Why the deliveries of an endpoint are held.
package enum HoldReason: String, Sendable, CaseIterable {
    /// Three different retries in a row stayed unconfirmed: matching is broken or the log lags.
    case logSilent = "log_silent"
    /// Three different deliveries in a row were refused as malformed: our own format is suspect.
    case rejected
    /// The provider redirects retries: `base_url` is wrong.
    case redirected
    case `operator`
}

extension QueueStore {
    /// Makes the database's endpoints those of the configuration. An endpoint that is no longer configured keeps its
    /// rows and is neither polled nor retried.
    ///
    /// - Parameter historyFrom: for endpoints seen for the first time: failures logged before are not taken up.
    package func registerEndpoints(
        _ endpoints: [(id: String, name: String)], historyFrom: Timestamp
    ) async throws(StoreError) {
        try await write("register endpoints") { db in
            try db.run("UPDATE endpoint SET active = 0")
            for endpoint in endpoints {
                try db.run(
                    """
                    INSERT INTO endpoint (id, name, active, history_from_ms) VALUES (?, ?, 1, ?)
                    ON CONFLICT (id) DO UPDATE SET name = excluded.name, active = 1
                    """,
                    [endpoint.id, endpoint.name, historyFrom.milliseconds])
            }
        }
    }

    /// Gives event types a metrics label of their own before they are first seen, so that their series begin at 0.
    package func registerEventTypes(_ names: [String]) async throws(StoreError) {
        try await write("register event types") { db in
            for name in names {
                _ = try db.metricLabel(forEventType: name)
            }
        }
    }

    /// What is to be read of an endpoint's log, and how urgently.
    ///
    /// While an outcome is open and the log may show it by changing the old row, the range reaches back to the oldest
    /// such row; once the endpoint was seen to log retries as new entries, it does not.
    package func scanPlan(
        of endpointID: String, overlap: Duration, at now: Timestamp
    ) async throws(StoreError) -> ScanPlan {
        try await read("plan the scan of endpoint \(endpointID)") { db in
            guard
                let row = try db.firstRow(
                    "SELECT history_from_ms, head_ms, retry_shows FROM endpoint WHERE id = ?", [endpointID])
            else {
                throw StoreError(.storage, operation: "read endpoint \(endpointID)", cause: "it is not in the database")
            }
            let waiting = try db.firstRow(
                """
                SELECT MIN(logged_ms) AS oldest FROM delivery
                WHERE endpoint_id = ? AND state IN ('attempting', 'awaiting')
                """,
                [endpointID])
            var from = row.timestampIfAny("head_ms").map { $0 - overlap } ?? row.timestamp("history_from_ms")
            if row["retry_shows"] != "new_entry", let oldest = waiting?.timestampIfAny("oldest") {
                from = min(from, oldest - overlap)
            }
            return ScanPlan(
                range: ScanRange(from: from, to: now), gaps: try db.gaps(of: endpointID),
                historyFrom: row.timestamp("history_from_ms"), isFirst: row.timestampIfAny("head_ms") == nil)
        }
    }

    /// Takes up failures logged from then on, where the time of the endpoint's registration was wrong.
    package func beginHistory(of endpointID: String, at time: Timestamp) async throws(StoreError) {
        try await write("set from when on the failures of endpoint \(endpointID) are ours") { db in
            try db.run("UPDATE endpoint SET history_from_ms = ? WHERE id = ?", [time.milliseconds, endpointID])
        }
    }

    /// How urgently an endpoint's log is to be read.
    package func pollUrgency(of endpointID: String, at now: Timestamp) async throws(StoreError) -> PollUrgency {
        try await read("see how urgently a log is to be read") { db in
            let row = try db.firstRow(
                """
                SELECT circuit_open_ms IS NOT NULL AS is_open, circuit_limit IS NOT NULL AS is_draining, (
                    SELECT MAX(called_ms) FROM delivery INDEXED BY delivery_waiting -- else all that the endpoint ever had
                    WHERE endpoint_id = endpoint.id AND state IN ('attempting', 'awaiting')) AS called_ms
                FROM endpoint WHERE id = ?
                """,
                [endpointID])
            guard let row else { return .routine }
            let (isOpen, isDraining): (Bool, Bool) = (row["is_open"], row["is_draining"])
            guard let called = row.timestampIfAny("called_ms") else { return isOpen ? .soon : .routine }
            let isFresh = now - called < PollUrgency.closeWatch
            return (isOpen || isDraining) && isFresh ? .atOnce : .soon
        }
    }

    /// How the poll of an endpoint's log ended.
    ///
    /// - Parameter error: nil when it succeeded.
    package func recordPoll(of endpointID: String, error: String?, at now: Timestamp) async throws(StoreError) {
        try await write("record the poll of endpoint \(endpointID)") { db in
            try db.run(
                """
                UPDATE endpoint
                SET last_poll_ms = CASE WHEN ?1 IS NULL THEN ?2 ELSE last_poll_ms END,
                    last_poll_error = ?1,
                    last_poll_error_ms = CASE WHEN ?1 IS NULL THEN NULL ELSE ?2 END
                WHERE id = ?3
                """,
                [error, now.milliseconds, endpointID])
        }
    }

    /// Keeps why the daemon makes no calls, for `redeliver deliveries show` and the views; nil: it may call.
    package func recordPause(
        _ reason: String?, until: Timestamp?, at now: Timestamp
    ) async throws(StoreError) {
        try await write("record the provider's pause") { db in
            guard let reason else { return try db.run("DELETE FROM provider_pause") }
            try db.run(
                """
                INSERT INTO provider_pause (id, reason, since_ms, until_ms) VALUES (1, ?1, ?2, ?3)
                ON CONFLICT (id) DO UPDATE
                SET since_ms = CASE reason WHEN ?1 THEN since_ms ELSE ?2 END, reason = ?1, until_ms = ?3
                """,
                [reason, now.milliseconds, until?.milliseconds])
        }
    }

    /// Forgets where a gap was to be resumed: the page is gone, and the log is read from its first page again.
    package func restartGap(id: Int64) async throws(StoreError) {
        try await write("restart a gap") { db in
            try db.run("UPDATE scan_gap SET resume_url = NULL WHERE id = ?", [id])
        }
    }
}

extension Database {
    fileprivate func gaps(of endpointID: String) throws -> [ScanGap] {
        try rows(
            "SELECT * FROM scan_gap WHERE endpoint_id = ? ORDER BY from_ms, id", [endpointID]
        ).map { row in
            ScanGap(
                id: row["id"],
                range: ScanRange(from: row.timestamp("from_ms"), to: row.timestamp("to_ms")),
                resumeURL: row["resume_url"], newestFirst: row["newest_first"], started: row.timestamp("started_ms"))
        }
    }

    /// Stores how far a scan has come.
    ///
    /// - Returns: the gap that stands for what is unread; nil when the scan is complete.
    func advance(_ progress: ScanProgress, of endpointID: String, at now: Timestamp) throws -> Int64? {
        if let newest = progress.newest {
            // A provider time in our future would move the head over entries that are yet to come.
            try run(
                "UPDATE endpoint SET head_ms = max(coalesce(head_ms, ?1), ?1) WHERE id = ?2",
                [min(newest, progress.started).milliseconds, endpointID])
        }
        guard let unread = progress.unread else {
            if let id = progress.gapID { try run("DELETE FROM scan_gap WHERE id = ?", [id]) }
            try noteCompleteScan(of: endpointID, started: progress.started, at: now)
            return nil
        }
        if let id = progress.gapID {
            try run(
                """
                UPDATE scan_gap SET from_ms = ?, to_ms = ?, resume_url = ?, newest_first = ?, started_ms = ?
                WHERE id = ?
                """,
                [
                    unread.from.milliseconds, unread.to.milliseconds, progress.resumeURL, progress.newestFirst,
                    progress.started.milliseconds, id,
                ])
            return id
        }
        try run(
            """
            INSERT INTO scan_gap (endpoint_id, from_ms, to_ms, resume_url, newest_first, started_ms)
            VALUES (?, ?, ?, ?, ?, ?)
            """,
            [
                endpointID, unread.from.milliseconds, unread.to.milliseconds, progress.resumeURL,
                progress.newestFirst, progress.started.milliseconds,
            ])
        return lastInsertedRowID
    }

    /// Silence of the log counts only once everything is read: no gap may be left that could hide an outcome.
    ///
    /// A scan that seems to have begun later than now began when our clock was ahead, and proves nothing.
    private func noteCompleteScan(of endpointID: String, started: Timestamp, at now: Timestamp) throws {
        try run(
            """
            UPDATE endpoint
            SET last_scan_ms = CASE WHEN last_scan_ms > ?3 THEN ?1 ELSE max(coalesce(last_scan_ms, ?1), ?1) END
            WHERE id = ?2 AND NOT EXISTS (SELECT 1 FROM scan_gap WHERE endpoint_id = ?2)
            """,
            [started.milliseconds, endpointID, (now + RetryRules.clockTolerance).milliseconds])
    }
}
