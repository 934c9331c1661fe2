import GRDB

extension QueueStore {
    /// Gives a dead delivery a new cycle with all its attempts, due at once; history stays.
    ///
    /// - Returns: false when there is no such delivery.
    /// - Throws: `refusedMove` when it is not dead, or its body is already dropped.
    package func requeue(
        id: Int64, by who: String, reason: String, at now: Timestamp
    ) async throws(StoreError) -> Bool {
        try await write("requeue delivery \(id)") { db in
            guard let delivery = try Delivery.fetch(db, id: id) else { return false }
            guard delivery.state == .dead else {
                throw StoreError(
                    .refusedMove, operation: "requeue delivery \(id)",
                    cause: "it is \(delivery.state.rawValue), only dead deliveries are requeued")
            }
            guard try db.firstRow("SELECT 1 FROM delivery_body WHERE delivery_id = ? AND body IS NOT NULL", [id]) != nil
            else {
                throw StoreError(
                    .refusedMove, operation: "requeue delivery \(id)",
                    cause: "its body is no longer stored, so there is nothing to send")
            }
            try db.move(delivery, .schedule(at: now, usesAttempt: false), at: now)
            try db.run(
                """
                UPDATE delivery
                SET cycle = cycle + 1, cycle_started_ms = ?, attempts_used = 0,
                    server_errors = 0, server_errors_since_ms = NULL, not_found_answers = 0
                WHERE id = ?
                """,
                [now.milliseconds, id])
            try db.note("requeue", of: delivery.endpointID, deliveryID: id, by: who, reason: reason, at: now)
            return true
        }
    }

    /// Ends the hold of an endpoint, whatever its reason.
    ///
    /// - Returns: false when there is no such endpoint.
    package func resume(
        endpoint id: String, by who: String, reason: String, at now: Timestamp
    ) async throws(StoreError) -> Bool {
        try await write("resume endpoint \(id)") { db in
            guard try db.firstRow("SELECT 1 FROM endpoint WHERE id = ?", [id]) != nil else { return false }
            // The rows that led to the hold begin anew, or the next settled delivery would hold it again. Nothing was
            // accepted or confirmed by this: a delivery with 5xx answers must not look like poison.
            try db.run(
                """
                UPDATE endpoint SET hold_reason = NULL, hold_since_ms = NULL, hold_until_ms = NULL, resumed_ms = ?
                WHERE id = ?
                """,
                [now.milliseconds, id])
            try db.note("resume", of: id, deliveryID: nil, by: who, reason: reason, at: now)
            return true
        }
    }
}

extension Database {
    fileprivate func note(
        _ action: String, of endpointID: String, deliveryID: Int64?, by who: String, reason: String, at now: Timestamp
    ) throws {
        try run(
            """
            INSERT INTO operator_action (at_ms, who, action, endpoint_id, delivery_id, reason)
            VALUES (?, ?, ?, ?, ?, ?)
            """,
            [now.milliseconds, who, action, endpointID, deliveryID, reason])
    }
}
