extension QueueStore {
    /// Makes the database's endpoints those of the configuration. An endpoint that is no longer configured keeps its
    /// rows and is neither polled nor retried.
    ///
    /// - Parameter historyFrom: for new endpoints: failures logged before this time do not become deliveries.
    package func registerEndpoints(
        _ endpoints: [(id: String, name: String)], historyFrom: Timestamp, at now: Timestamp
    ) async throws(StoreError) {
        try await change("register endpoints", at: now) {
            try $0.registerEndpoints(endpoints, historyFrom: historyFrom)
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
    fileprivate func registerEndpoints(_ endpoints: [(id: String, name: String)], historyFrom: Timestamp) throws {
        // No look is overdue at a start.
        try session.run("UPDATE endpoint SET active = 0, look_wanted_ms = NULL")
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
