/// What a poll asks before it reads a log.
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
