/// What moves in the queue just now: what comes due, and what failed last.
package struct QueueActivity: Sendable {
    /// Scheduled deliveries of one endpoint by when they come due; each count includes the ones before it.
    package struct Due: Sendable, Equatable {
        /// One for each of `QueueActivity.horizons`.
        package let counts: [Int]
    }

    /// A delivery that failed lately and has not arrived since.
    package struct Failure: Sendable, Equatable {
        package let deliveryID: Int64
        package let endpoint: String
        package let eventType: String
        package let state: DeliveryState
        package let failed: Timestamp
        /// As the log told it, shortened; never a body. nil when it told none.
        package let error: String?
    }

    /// How far ahead what comes due is counted; zero is what is due already.
    package static let horizons: [Duration] = [.zero, .seconds(60), .seconds(300), .seconds(900), .seconds(3_600)]

    /// By endpoint id.
    package let due: [String: Due]
    /// Newest first.
    package let failures: [Failure]
}

extension QueueReader {
    /// Quick at any size of the database: nothing of it grows with the deliveries that are over.
    ///
    /// - Parameter failures: at most so many of the last failures.
    package func activity(failures: Int, at now: Timestamp) throws(StoreError) -> QueueActivity {
        try read("read what is due and what failed last") { session in
            QueueActivity(due: try session.due(at: now), failures: try session.lastFailures(failures))
        }
    }
}

extension Session {
    /// Asked endpoint by endpoint, because the index of what is due begins with the endpoint. By the rule of the view
    /// `delivery_standing`: what was released at its endpoint's recovery is due whatever its own time says.
    fileprivate func due(at now: Timestamp) throws -> [String: QueueActivity.Due] {
        let sums = Self.horizonNames.map { "coalesce(SUM(CASE WHEN due_ms <= :\($0) THEN 1 ELSE 0 END), 0)" }
        var parameters: Parameters = [:]
        for (name, horizon) in zip(Self.horizonNames, QueueActivity.horizons) { parameters.add(name, now + horizon) }
        let endpoints = try all("SELECT id FROM endpoint") { $0.text() }
        return try endpoints.reduce(into: [:]) { due, id in
            let counts = try first(
                """
                SELECT \(sums.joined(separator: ", ")) FROM (
                    SELECT due_ms FROM delivery_standing
                    WHERE endpoint_id = :endpoint AND state = 'scheduled' AND next_attempt_ms <= :hour
                    UNION ALL
                    SELECT due_ms FROM delivery_standing
                    WHERE endpoint_id = :endpoint AND is_released AND next_attempt_ms > :hour
                ) AS due
                """,
                parameters + ["endpoint": id]
            ) { row in Self.horizonNames.map { _ in row.int() } }
            due[id] = QueueActivity.Due(counts: counts ?? [])
        }
    }

    /// The parameters for `QueueActivity.horizons`, in their order.
    private static var horizonNames: [StaticString] { ["now", "minute", "five_minutes", "quarter", "hour"] }

    /// Among the newest deliveries and the newest calls, both by row number: no index on times is needed. What the
    /// provider tried again by itself without success does not come up by that, only with our next call.
    fileprivate func lastFailures(_ limit: Int) throws -> [QueueActivity.Failure] {
        try all(
            """
            SELECT delivery.id, endpoint.name, event_type, state, last_failed_ms, last_error
            FROM (
                SELECT id FROM (SELECT id FROM delivery ORDER BY id DESC LIMIT ?1) AS deliveries
                UNION
                SELECT delivery_id FROM (SELECT delivery_id FROM attempt ORDER BY id DESC LIMIT ?1) AS calls
            ) AS recent
            JOIN delivery ON delivery.id = recent.id
            JOIN endpoint ON endpoint.id = delivery.endpoint_id
            WHERE delivery.state <> 'delivered'
            ORDER BY last_failed_ms DESC, delivery.id DESC LIMIT ?2
            """,
            [Self.recentRows, limit]
        ) { row in
            QueueActivity.Failure(
                deliveryID: row.integer(), endpoint: row.text(), eventType: row.text(), state: try row.word(),
                failed: row.timestamp(), error: row.textIfAny())
        }
    }

    /// Enough for a screen of failures even where most calls go well, and read in a moment.
    private static let recentRows = 500
}
