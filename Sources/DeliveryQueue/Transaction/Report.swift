/// What the daemon writes down about itself, for `status`, `deliveries show` and the views.
extension QueueStore {
    /// Stores how the poll of an endpoint's log ended.
    ///
    /// - Parameters:
    ///   - error: nil when it succeeded.
    ///   - isPartial: whether a part of the log waits to be read again after a failure. Its error stays.
    package func recordPoll(
        of endpointID: String, error: String?, isPartial: Bool = false, at now: Timestamp
    ) async throws(StoreError) {
        try await change("record the poll of endpoint \(endpointID)", at: now) {
            try $0.recordPoll(of: endpointID, error: error, isPartial: isPartial)
        }
    }

    /// Stores since when deliveries of endpoints wait for looks at their logs that are overdue; nil: not any more.
    package func recordOverdueLooks(_ looks: [String: Timestamp?], at now: Timestamp) async throws(StoreError) {
        guard !looks.isEmpty else { return }
        try await change("record which logs are to be looked at", at: now) { try $0.recordOverdueLooks(looks) }
    }

    /// Stores why the daemon makes no calls, for `redeliver deliveries show` and the views; nil: it may call.
    package func recordPause(
        _ reason: String?, until: Timestamp?, at now: Timestamp
    ) async throws(StoreError) {
        try await change("record the provider's pause", at: now) { try $0.recordPause(reason, until: until) }
    }

    /// Notes that a whole copy of the database was made, for the metrics.
    package func noteBackup(at now: Timestamp) async throws(StoreError) {
        try await change("note when the backup was made", at: now) { try $0.noteBackup() }
    }
}

extension QueueTransaction {
    fileprivate func recordPoll(of endpointID: String, error: String?, isPartial: Bool) throws {
        if isPartial {
            try session.run("UPDATE endpoint SET last_poll_ms = ? WHERE id = ?", [now, endpointID])
            if error == nil { return }
        }
        guard let error else {
            return try session.run(
                "UPDATE endpoint SET last_poll_ms = ?, last_poll_error = NULL, last_poll_error_ms = NULL WHERE id = ?",
                [now, endpointID])
        }
        try session.run(
            "UPDATE endpoint SET last_poll_error = :error, last_poll_error_ms = :now WHERE id = :id",
            ["error": error, "now": now, "id": endpointID])
    }

    fileprivate func recordOverdueLooks(_ looks: [String: Timestamp?]) throws {
        for (endpointID, since) in looks {
            try session.run("UPDATE endpoint SET look_wanted_ms = ? WHERE id = ?", [since, endpointID])
        }
    }

    fileprivate func recordPause(_ reason: String?, until: Timestamp?) throws {
        guard let reason else { return try session.run("DELETE FROM provider_pause") }
        try session.run(
            """
            INSERT INTO provider_pause (id, reason, since_ms, until_ms) VALUES (1, :reason, :now, :until)
            ON CONFLICT (id) DO UPDATE
            SET since_ms = CASE provider_pause.reason WHEN :reason THEN provider_pause.since_ms ELSE :now END,
                reason = :reason, until_ms = :until
            """,
            ["reason": reason, "now": now, "until": until])
    }

    fileprivate func noteBackup() throws {
        try session.run(
            "INSERT INTO backup (id, at_ms) VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET at_ms = excluded.at_ms", [now])
    }
}
