extension QueueStore {
    /// Makes the database's endpoints those of the configuration. An endpoint that is no longer configured keeps its
    /// rows and is neither polled nor retried.
    ///
    /// - Parameter historyFrom: for new endpoints: failures logged before this time do not become deliveries.
    package func registerEndpoints(
        _ endpoints: [(id: String, name: String)], historyFrom: Timestamp
    ) async throws(StoreError) {
        try await write("register endpoints") { session in
            try session.run("UPDATE endpoint SET active = 0")
            for endpoint in endpoints {
                try session.run(
                    """
                    INSERT INTO endpoint (id, name, active, history_from_ms) VALUES (:id, :name, 1, :from)
                    ON CONFLICT (id) DO UPDATE SET name = excluded.name, active = 1
                    """,
                    ["id": endpoint.id, "name": endpoint.name, "from": historyFrom])
            }
        }
    }

    /// Gives event types a metrics label of their own before they are first seen, so that their series begin at 0.
    package func registerEventTypes(_ names: [String]) async throws(StoreError) {
        try await write("register event types") { session in
            for name in names { try session.metricLabel(forEventType: name) }
        }
    }

    /// Closes all circuits, for a configuration that has none: what they held is due at once.
    package func endCircuits(rules: RetryRules, at now: Timestamp) async throws(StoreError) {
        try await change("end the circuits", rules: rules, at: now) { try $0.endCircuits() }
    }

    /// Stores how the poll of an endpoint's log ended.
    ///
    /// - Parameter error: nil when it succeeded.
    package func recordPoll(of endpointID: String, error: String?, at now: Timestamp) async throws(StoreError) {
        try await write("record the poll of endpoint \(endpointID)") { session in
            guard let error else {
                return try session.run(
                    """
                    UPDATE endpoint SET last_poll_ms = ?, last_poll_error = NULL, last_poll_error_ms = NULL WHERE id = ?
                    """,
                    [now, endpointID])
            }
            try session.run(
                "UPDATE endpoint SET last_poll_error = :error, last_poll_error_ms = :now WHERE id = :id",
                ["error": error, "now": now, "id": endpointID])
        }
    }

    /// Stores why the daemon makes no calls, for `redeliver deliveries show` and the views; nil: it may call.
    package func recordPause(
        _ reason: String?, until: Timestamp?, at now: Timestamp
    ) async throws(StoreError) {
        try await write("record the provider's pause") { session in
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
    }
}
