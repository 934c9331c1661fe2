import GRDB

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
        try read("read what is due and what failed last", since: 1) { db in
            QueueActivity(due: try db.due(at: now), failures: try db.lastFailures(failures))
        }
    }
}

extension Database {
    /// Asked endpoint by endpoint, because the index of what is due begins with the endpoint.
    fileprivate func due(at now: Timestamp) throws -> [String: QueueActivity.Due] {
        let limits = QueueActivity.horizons.map { (now + $0).milliseconds }
        let endpoints: [String] = try rows("SELECT id FROM endpoint").map { $0["id"] }
        return try endpoints.reduce(into: [:]) { due, id in
            let row = try firstRow(
                """
                SELECT \(limits.indices.map { "TOTAL(next_attempt_ms <= ?) AS within_\($0)" }.joined(separator: ", "))
                FROM delivery WHERE endpoint_id = ? AND state = 'scheduled' AND next_attempt_ms <= ?
                """,
                StatementArguments(limits) + [id, limits.max()])
            due[id] = QueueActivity.Due(counts: limits.indices.map { Int(row?["within_\($0)"] as Double? ?? 0) })
        }
    }

    /// Among the newest deliveries and the newest calls, both by row number: no index on times is needed. What the
    /// provider tried again by itself without success does not come up by that, only with our next call.
    fileprivate func lastFailures(_ limit: Int) throws -> [QueueActivity.Failure] {
        try rows(
            """
            SELECT delivery.id, endpoint.name, event_type, state, last_failed_ms, last_error
            FROM (
                SELECT id FROM (SELECT id FROM delivery ORDER BY id DESC LIMIT ?1)
                UNION
                SELECT delivery_id FROM (SELECT delivery_id FROM attempt ORDER BY id DESC LIMIT ?1)
            ) AS recent
            JOIN delivery ON delivery.id = recent.id
            JOIN endpoint ON endpoint.id = delivery.endpoint_id
            WHERE delivery.state <> 'delivered'
            ORDER BY last_failed_ms DESC, delivery.id DESC LIMIT ?2
            """,
            [Self.recentRows, limit]
        ).map { row in
            let word: String = row["state"]
            guard let state = DeliveryState(rawValue: word) else {
                throw StoreError(.storage, operation: "", cause: "unknown state \(word)")
            }
            return QueueActivity.Failure(
                deliveryID: row["id"], endpoint: row["name"], eventType: row["event_type"], state: state,
                failed: row.timestamp("last_failed_ms"), error: row["last_error"])
        }
    }

    /// Enough for a screen of failures even where most calls go well, and read in a moment.
    private static let recentRows = 500
}
