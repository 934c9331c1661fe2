extension QueueStore {
    /// Makes the database's endpoints those of the configuration. An endpoint that is no longer configured keeps its
    /// rows and is neither polled nor retried.
    ///
    /// - Parameters:
    ///   - webhookIDs: what names an endpoint in an entry of the log, by its id; without one, its id does.
    ///   - historyFrom: for new endpoints: failures logged before this time do not become deliveries.
    package func registerEndpoints(
        _ endpoints: [(id: String, name: String)], webhookIDs: [String: String] = [:], historyFrom: Timestamp,
        at now: Timestamp
    ) async throws(StoreError) {
        try await change("register endpoints", at: now) {
            try $0.registerEndpoints(endpoints, webhookIDs, historyFrom: historyFrom)
        }
    }

    /// Gives event types a metrics label of their own before they are first seen, so that their series begin at 0.
    package func registerEventTypes(_ names: [String], at now: Timestamp) async throws(StoreError) {
        try await change("register event types", at: now) { queue in
            for name in names { try queue.metricLabel(forEventType: name) }
        }
    }
}

extension QueueTransaction {
    fileprivate func registerEndpoints(
        _ endpoints: [(id: String, name: String)], _ webhookIDs: [String: String], historyFrom: Timestamp
    ) throws {
        // No look is overdue at a start.
        try session.run("UPDATE endpoint SET active = 0, look_wanted_ms = NULL")
        for endpoint in endpoints {
            try session.run(
                """
                INSERT INTO endpoint (id, name, webhook_id, active, history_from_ms)
                VALUES (:id, :name, :webhook, 1, :from)
                ON CONFLICT (id) DO UPDATE SET name = excluded.name, webhook_id = excluded.webhook_id, active = 1
                """,
                [
                    "id": endpoint.id, "name": endpoint.name, "webhook": webhookIDs[endpoint.id], "from": historyFrom,
                ])
        }
    }
}
