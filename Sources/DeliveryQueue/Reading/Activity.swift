/// What happens in the queue now: which deliveries come due, and which failed last.
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
        /// The log's error text, shortened; never a body. nil when the log gave none.
        package let error: String?
    }

    /// How far ahead due deliveries are counted; zero counts those that are due already.
    package static let horizons: [Duration] = [.zero, .seconds(60), .seconds(300), .seconds(900), .seconds(3_600)]

    /// By endpoint id.
    package let due: [String: Due]
    /// Newest first.
    package let failures: [Failure]
}

extension QueueReader {
    /// Reads what comes due and what failed last. The cost does not grow with the deliveries that are over.
    ///
    /// - Parameter failures: how many of the last failures at most.
    package func activity(failures: Int, at now: Timestamp) throws(StoreError) -> QueueActivity {
        try read("read what is due and what failed last") { session in
            QueueActivity(due: try session.due(at: now), failures: try session.lastFailures(failures))
        }
    }
}

extension Session {
    /// Counts due deliveries endpoint by endpoint, because the index for it begins with the endpoint. The rule is that
    /// of the view `delivery_standing`: a delivery that its endpoint's recovery released is due whatever its own time
    /// says.
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

    /// The last failures among the newest deliveries and the newest calls, both by row number: no index on times is
    /// needed. A failed attempt of the provider's own shows up only with our next call.
    fileprivate func lastFailures(_ limit: Int) throws -> [QueueActivity.Failure] {
        try all(
            """
            SELECT delivery.id, endpoint.name, event_type, state, last_failed_ms, last_error
            FROM (
                SELECT id FROM (SELECT id FROM delivery ORDER BY id DESC LIMIT :recent) AS deliveries
                UNION
                SELECT delivery_id FROM (SELECT delivery_id FROM attempt ORDER BY id DESC LIMIT :recent) AS calls
            ) AS recent
            JOIN delivery ON delivery.id = recent.id
            JOIN endpoint ON endpoint.id = delivery.endpoint_id
            WHERE delivery.state <> 'delivered'
            ORDER BY last_failed_ms DESC, delivery.id DESC LIMIT :limit
            """,
            ["recent": Self.recentRows, "limit": limit]
        ) { row in
            QueueActivity.Failure(
                deliveryID: row.integer(), endpoint: row.text(), eventType: row.text(), state: try row.word(),
                failed: row.timestamp(), error: row.textIfAny())
        }
    }

    /// How many rows of each are looked at: enough for a screen of failures even where most calls go well.
    private static let recentRows = 500
}
