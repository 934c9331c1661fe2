extension QueueStore {
    /// Lets what a clock that was ahead has decided about an endpoint's log be judged again by the clock that is right:
    /// failures that were taken for too old and entries that were taken for older than their call are forgotten, and
    /// the part of the log that holds them is to be read. Deliveries that ended because of their age then are
    /// scheduled. Times that lie in the future become now, so that nothing waits for them; those of calls lie before
    /// their outcome.
    ///
    /// - Parameter historyFrom: where the history starts at the latest.
    /// - Returns: whether a part of the log is to be read again.
    package func putRight(
        _ endpointID: String, historyFrom: Timestamp, rules: RetryRules, at now: Timestamp
    ) async throws(StoreError) -> Bool {
        let operation = "put right what a clock that was ahead did to endpoint \(endpointID)"
        return try await change(operation, rules: rules, at: now) { queue in
            let range = try queue.judgedByOther(endpointID, historyFrom: historyFrom)
            try queue.session.run(
                "UPDATE endpoint SET history_from_ms = \(Dialect.least("history_from_ms", ":from")) WHERE id = :id",
                ["from": historyFrom, "id": endpointID])
            if let range { try queue.judgeAgain(endpointID, range) }
            try queue.cutTimes(of: endpointID)
            try queue.putCallsRight(of: endpointID)
            try queue.putHoldsRight(of: endpointID)
            try queue.reviveAged(of: endpointID)
            return range != nil
        }
    }
}

/// Failures of a page that are not taken because they are too old by the clock of now.
struct TooOld {
    private(set) var count: Int64 = 0
    /// Provider time of the oldest of those that were logged since the history start; nil: none was.
    private(set) var oldest: Timestamp?

    mutating func add(_ logged: Timestamp, historyFrom: Timestamp) {
        count += 1
        if logged >= historyFrom { oldest = min(oldest ?? logged, logged) }
    }
}

extension RuledTransaction {
    /// Stores how many failures of a page were not taken because they are too old, for people and for `putRight`.
    func note(_ tooOld: TooOld, of endpointID: String) throws {
        guard tooOld.count > 0 else { return }
        let least = Dialect.least("coalesce(too_old_from_ms, :oldest)", ":oldest")
        try session.run(
            """
            UPDATE endpoint
            SET too_old = too_old + :count,
                too_old_from_ms = CASE WHEN :oldest IS NULL THEN too_old_from_ms ELSE \(least) END
            WHERE id = :id
            """,
            ["count": tooOld.count, "oldest": tooOld.oldest, "id": endpointID])
    }
}

extension Session {
    /// Whether an endpoint's log was read, or its deliveries were called, by a clock that was ahead of the one that
    /// says now. A clock that is behind the log itself is the wrong one of the two, and changes nothing.
    func wasReadAhead(_ endpointID: String, at now: Timestamp) throws -> Bool {
        try exists(
            """
            SELECT 1 FROM endpoint
            WHERE id = :id AND coalesce(head_ms, :latest) <= :latest
              AND (last_scan_ms > :latest OR last_poll_ms > :latest OR last_poll_error_ms > :latest
                  OR history_from_ms > :latest
                  OR EXISTS (
                      SELECT 1 FROM scan_gap
                      WHERE scan_gap.endpoint_id = endpoint.id AND (started_ms > :latest OR since_ms > :latest))
                  OR EXISTS (
                      SELECT 1 FROM attempt \(Dialect.joinInOrder) delivery ON delivery.id = attempt.delivery_id
                      WHERE attempt.intent_ms > :latest AND delivery.endpoint_id = endpoint.id))
            """,
            ["id": endpointID, "latest": now + RetryRules.clockTolerance])
    }
}

extension RuledTransaction {
    /// Forgets what was judged wrongly.
    ///
    /// - Returns: the part of the log in which it stands; nil: there is none.
    fileprivate func judgedByOther(_ endpointID: String, historyFrom: Timestamp) throws -> ScanRange? {
        let endpoint = try session.first(
            "SELECT history_from_ms, too_old_from_ms, head_ms FROM endpoint WHERE id = ?", [endpointID]
        ) {
            (history: $0.timestamp(), oldest: $0.timestampIfAny(), head: $0.timestampIfAny())
        }
        let found = try forgetEntries(foundAfter: now + RetryRules.clockTolerance, of: endpointID)
        // Where nothing was read yet, the first reading goes back far enough by itself.
        guard let endpoint, endpoint.head != nil else { return nil }
        let oldest = [endpoint.oldest, found].compactMap(\.self).min()
        if endpoint.history > historyFrom {
            let from = min(historyFrom, oldest ?? historyFrom)
            return ScanRange(from: from, to: oldest == nil ? min(endpoint.history, now) : now)
        }
        return oldest.map { ScanRange(from: min($0, now), to: now) }
    }

    fileprivate func judgeAgain(_ endpointID: String, _ range: ScanRange) throws {
        try session.run("UPDATE endpoint SET too_old = 0, too_old_from_ms = NULL WHERE id = ?", [endpointID])
        try open(NewGap(range: range, started: now, since: now), of: endpointID)
    }

    fileprivate func cutTimes(of endpointID: String) throws {
        func cut(_ column: String) -> String { "\(column) = CASE WHEN \(column) > :now THEN :now ELSE \(column) END" }
        try session.run(
            """
            UPDATE endpoint SET \(cut("last_scan_ms")), \(cut("last_poll_ms")), \(cut("last_poll_error_ms"))
            WHERE id = :id
            """,
            ["now": now, "id": endpointID])
        // Of a gap that such a clock began nobody knows what was logged since: it is read from the top.
        try session.run(
            """
            UPDATE scan_gap
            SET resume_url = CASE WHEN started_ms > :now THEN NULL ELSE resume_url END,
                last_url = CASE WHEN started_ms > :now THEN NULL ELSE last_url END, \(cut("started_ms")),
                \(cut("since_ms")), \(cut("retry_ms"))
            WHERE endpoint_id = :id
            """,
            ["now": now, "id": endpointID])
    }
}
