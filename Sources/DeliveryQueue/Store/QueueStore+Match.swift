import GRDB

/// Limits and conditions of matching by content.
private enum Matching {
    /// How long after a call was given up as unconfirmed its outcome may still be matched to it.
    static let lateOutcome = Duration.seconds(86_400)
    /// A delivery of the endpoint, event type, customer, webhook and body hash of an entry.
    static let sameEvent = """
        delivery.endpoint_id = ? AND delivery.event_type = ? AND delivery.customer_id IS ?
        AND delivery.webhook_id = ? AND delivery_body.sha256 = ?
        """
}

extension Database {
    /// The delivery that an entry is about, in the order of DESIGN 4: its own task id; a task id that an answer named or
    /// that was matched before; and for a task id that nothing names, the oldest waiting call with the same webhook,
    /// event type, customer and body that the entry is not older than, or else the oldest such call that ended
    /// unconfirmed: logs lag, and a late failure is no second delivery.
    func matchingDelivery(_ observation: Observation, endpointID: String, at now: Timestamp) throws -> Delivery? {
        if let delivery = try delivery(endpointID: endpointID, taskID: observation.taskID) { return delivery }
        guard let body = observation.body, let eventType = observation.eventType else { return nil }
        let latestCall = (observation.changed ?? now) + RetryRules.clockTolerance
        let event: StatementArguments = [
            endpointID, eventType, observation.customerID, observation.webhookID, BodyDigest.sha256(body).blob,
            latestCall.milliseconds,
        ]
        let waiting = try firstRow(
            """
            SELECT \(Delivery.columns)
            FROM delivery
            JOIN delivery_body ON delivery_body.delivery_id = delivery.id
            WHERE delivery.state IN ('attempting', 'awaiting')
              AND \(Matching.sameEvent)
              AND delivery.called_ms <= ?
            ORDER BY delivery.called_ms, delivery.id
            LIMIT 1
            """,
            event)
        let row =
            try waiting
            ?? firstRow(
                """
                SELECT \(Delivery.columns)
                FROM attempt
                JOIN delivery ON delivery.id = attempt.delivery_id
                JOIN delivery_body ON delivery_body.delivery_id = delivery.id
                WHERE attempt.outcome = 'unconfirmed'
                  AND \(Matching.sameEvent)
                  AND attempt.intent_ms <= ?
                  AND attempt.settled_ms >= ?
                ORDER BY attempt.intent_ms, attempt.id
                LIMIT 1
                """,
                event + [(now - Matching.lateOutcome).milliseconds])
        guard let delivery = try row.map(Delivery.init(row:)) else { return nil }
        try addAlias(observation.taskID, to: delivery, source: "matched")
        return delivery
    }
}
