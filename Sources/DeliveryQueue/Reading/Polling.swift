/// What a poll asks before it reads a log.
extension QueueStore {
    /// Plans the next scan of an endpoint's log: what is new, and which old rows are to be read again.
    ///
    /// - Parameters:
    ///   - overlap: how far before the newest entry a scan goes where nothing else ends it.
    ///   - rereads: which old rows are read again, beside those about which a decision waits.
    package func scanPlan(
        of endpointID: String, overlap: Duration, rereading rereads: Reread, rules: RetryRules,
        at now: Timestamp
    ) async throws(StoreError) -> ScanPlan {
        try await read("plan the scan of endpoint \(endpointID)") { session in
            let endpoint = try session.first(
                "SELECT history_from_ms, head_ms, retry_shows, openings FROM endpoint WHERE id = ?", [endpointID]
            ) { row in
                (
                    history: row.timestamp(), head: row.timestampIfAny(), shows: try row.word(RetryShows.self),
                    openings: row.integer()
                )
            }
            guard let endpoint else { throw StoreError.noEndpoint(endpointID) }
            let from = endpoint.head.map { $0 - overlap } ?? endpoint.history
            let sinceOpening =
                rereads.openings == endpoint.openings ? rereads.rowsSinceOpening : Timestamp.distantFuture
            let overdue = try session.oldestOverdue(of: endpointID, at: now)
            var old = [
                overdue, try session.oldestOpen(of: endpointID), try session.oldestShared(of: endpointID),
            ]
            var inReach = [
                overdue, try session.oldestOpen(of: endpointID, since: rereads.reach),
                try session.oldestShared(of: endpointID, since: rereads.reach),
            ]
            if rereads.withOverlap { inReach.append(from) }
            if endpoint.shows == .inPlace, rules.confirmation == .answer {
                let answered = try session.oldestAnswered(of: endpointID, rules: rules, at: now)
                old.append(answered)
                inReach.append(answered)
            }
            var due: Timestamp?
            if endpoint.shows != .newEntry, rules.confirmation == .log {
                old.append(try session.oldestWaiting(of: endpointID))
                inReach.append(try session.oldestWaiting(of: endpointID, since: rereads.reach))
                due = try session.oldestDue(of: endpointID, rules: rules, at: now).map { max($0, rereads.reach) }
                let isRead = due.map { $0 + RetryRules.clockTolerance >= sinceOpening } ?? true
                if endpoint.shows == .unknown, isRead { due = nil }
            }
            return ScanPlan(
                range: ScanRange(from: from, to: now),
                rereadFrom: (inReach + [due]).compactMap(\.self).filter { $0 >= rereads.reach }.min(),
                leavesOldRows: old.compactMap(\.self).contains { $0 < rereads.reach },
                rowsMayChange: endpoint.shows != .newEntry && rules.confirmation == .log,
                gaps: try session.gaps(of: endpointID), historyFrom: endpoint.history, isFirst: endpoint.head == nil,
                openings: endpoint.openings, wasReadAhead: try session.wasReadAhead(endpointID, at: now))
        }
    }

    /// A gap of an endpoint; nil: it is closed.
    package func gap(id: Int64, of endpointID: String) async throws(StoreError) -> ScanGap? {
        try await read("look at a gap") { try $0.gaps(of: endpointID).first { $0.id == id } }
    }

    /// The configured endpoints of whose log a part is unread, which no operator has freed.
    package func endpointsWithGaps() async throws(StoreError) -> Set<String> {
        try await read("look for unread parts of the logs") { session in
            Set(
                try session.all(
                    """
                    SELECT DISTINCT endpoint_id FROM unread_gap JOIN endpoint ON endpoint.id = unread_gap.endpoint_id
                    WHERE endpoint.active = 1
                    """
                ) { $0.text() })
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
    private static let tolerance = RetryRules.clockTolerance.wholeMilliseconds

    /// When the oldest delivery with an open outcome was logged; nil: no outcome is open.
    ///
    /// - Parameter earliest: of those that were logged clearly after it.
    fileprivate func oldestWaiting(of endpointID: String, since earliest: Timestamp = .distantPast) throws -> Timestamp?
    {
        try number(
            """
            SELECT MIN(logged_ms) FROM delivery
            WHERE endpoint_id = ? AND state IN ('attempting', 'awaiting') AND logged_ms - \(Self.tolerance) >= ?
            """,
            [endpointID, earliest]
        ).map { Timestamp(milliseconds: $0) - RetryRules.clockTolerance }
    }

    /// When the oldest entry was logged that says that the provider is still trying; nil: none does.
    fileprivate func oldestOpen(of endpointID: String, since earliest: Timestamp = .distantPast) throws -> Timestamp? {
        try number(
            """
            SELECT MIN(logged_ms) FROM log_entry
            WHERE endpoint_id = ? AND is_open = 1 AND logged_ms > 0 AND logged_ms - \(Self.tolerance) >= ?
            """,
            [endpointID, earliest]
        ).map { Timestamp(milliseconds: $0) - RetryRules.clockTolerance }
    }

    /// When the oldest failure was logged that the delivered delivery of another endpoint keeps; nil: none is. Its row
    /// may have changed as that one's has.
    fileprivate func oldestShared(of endpointID: String, since earliest: Timestamp = .distantPast) throws -> Timestamp?
    {
        try number(
            """
            SELECT MIN(shared_failure.logged_ms)
            FROM shared_failure JOIN delivery ON delivery.id = shared_failure.delivery_id
            WHERE shared_failure.endpoint_id = ? AND is_open = 1 AND shared_failure.logged_ms - \(Self.tolerance) >= ?
              AND delivery.state = 'delivered'
            """,
            [endpointID, earliest]
        ).map { Timestamp(milliseconds: $0) - RetryRules.clockTolerance }
    }

    /// When the oldest call was made about which the log's silence is to count now; nil: none is.
    fileprivate func oldestOverdue(of endpointID: String, at now: Timestamp) throws -> Timestamp? {
        try number(
            """
            SELECT MIN(called_ms) FROM delivery \(Dialect.byWaiting)
            WHERE endpoint_id = ? AND state IN ('attempting', 'awaiting') AND confirm_by_ms <= ?
            """,
            [endpointID, now]
        ).map { Timestamp(milliseconds: $0) - RetryRules.clockTolerance }
    }

    /// When the oldest of the deliveries that are called next was logged; nil: none is due.
    fileprivate func oldestDue(of endpointID: String, rules: RetryRules, at now: Timestamp) throws -> Timestamp? {
        let endpoint = try DueEndpoint.all(self, readings: nil, rules: rules).first { $0.id == endpointID }
        guard let endpoint else { return nil }
        let limit = DueEndpoint.window
        let line = try endpoint.share(self, limit: limit, after: nil, rules: rules, at: now)?.line
        let due =
            try endpoint.manualDue(self, limit: limit, at: now).map(\.id) + (line?.fresh ?? []) + (line?.held ?? [])
        return try due.compactMap { try number("SELECT logged_ms FROM delivery WHERE id = ?", [$0]) }.min()
            .map { Timestamp(milliseconds: $0) - RetryRules.clockTolerance }
    }

    /// What of an endpoint's log is unread, the oldest first.
    func gaps(of endpointID: String) throws -> [ScanGap] {
        try all(
            """
            SELECT id, from_ms, to_ms, resume_url, last_url, newest_first, started_ms, failures, retry_ms,
                freed_ms IS NOT NULL, is_second
            FROM scan_gap WHERE endpoint_id = ? ORDER BY from_ms, id
            """,
            [endpointID]
        ) {
            ScanGap(
                id: $0.integer(), range: ScanRange(from: $0.timestamp(), to: $0.timestamp()), resumeURL: $0.textIfAny(),
                lastURL: $0.textIfAny(), newestFirst: $0.flag(), started: $0.timestamp(), failures: $0.int(),
                retry: $0.timestamp(), isFreed: $0.flag(), isSecond: $0.flag())
        }
    }
}
