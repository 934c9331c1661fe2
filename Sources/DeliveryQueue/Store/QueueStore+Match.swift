import GRDB

/// Which delivery an entry of the log is about.
extension Database {
    /// In the order of DESIGN 4: its own task id; a task id that an answer named or that was matched before; and for a
    /// task id that nothing names, by content: the webhook, event type, customer and body of a call that the entry is
    /// not older than. Not by content where `EndpointFacts.showsOwnNames`: there such an entry is an event of its own.
    func matchingDelivery(_ observation: Observation, endpointID: String, at now: Timestamp) throws -> Delivery? {
        if let delivery = try delivery(endpointID: endpointID, taskID: observation.taskID) { return delivery }
        guard let body = observation.body, let eventType = observation.eventType else { return nil }
        let latestCall = (observation.changed ?? now) + RetryRules.clockTolerance
        let event: StatementArguments = [
            endpointID, eventType, observation.customerID, observation.webhookID, BodyDigest.sha256(body).blob,
            latestCall.milliseconds,
        ]
        let late: StatementArguments = [(now - Matching.lateOutcome).milliseconds]
        let row =
            try firstRow(Matching.waiting, event)
            ?? firstRow(Matching.unconfirmed, event + late)
            ?? firstRow(Matching.failed, event + late)
            ?? endedSince(observation, event: event, late: late)
        guard let delivery = try row.map(Delivery.init(row:)) else { return nil }
        try addAlias(observation.taskID, to: delivery, source: "matched")
        return delivery
    }

    /// A failure of a call whose delivery is final by now: what ended it stood on the same page, or was read before.
    private func endedSince(
        _ observation: Observation, event: StatementArguments, late: StatementArguments
    ) throws -> Row? {
        guard observation.outcome == .failed, let changed = observation.changed else { return nil }
        return try firstRow(Matching.ended, event + late + [changed.milliseconds])
    }
}

/// The statements that match by content, each asked only when the one before it found nothing.
enum Matching {
    /// How long after a call was judged its own entry may still appear.
    static let lateOutcome = Duration.seconds(86_400)

    private static let sameEvent = """
        delivery.endpoint_id = ? AND delivery.event_type = ? AND delivery.customer_id IS ?
        AND delivery.webhook_id = ? AND delivery_body.sha256 = ?
        """

    /// The oldest call whose outcome is open. Not one whose answer named the task id under which that will stand.
    static let waiting = """
        SELECT \(Delivery.columns)
        FROM delivery
        JOIN delivery_body ON delivery_body.delivery_id = delivery.id
        WHERE delivery.state IN ('attempting', 'awaiting')
          AND \(sameEvent)
          AND delivery.called_ms <= ?
          AND NOT EXISTS (
              SELECT 1 FROM attempt
              WHERE attempt.delivery_id = delivery.id AND attempt.lease_token = delivery.lease_token
                AND attempt.named_task_id <> delivery.task_id)
        ORDER BY delivery.called_ms, delivery.id
        LIMIT 1
        """

    /// The oldest call that was given up as unconfirmed, whatever became of its delivery: logs lag. `CROSS JOIN` keeps
    /// SQLite from beginning with all deliveries of the endpoint; unconfirmed calls of a day are few.
    static let unconfirmed = """
        SELECT \(Delivery.columns)
        FROM attempt INDEXED BY attempt_unconfirmed
        CROSS JOIN delivery ON delivery.id = attempt.delivery_id
        CROSS JOIN delivery_body ON delivery_body.delivery_id = delivery.id
        WHERE attempt.outcome = 'unconfirmed'
          AND \(sameEvent)
          AND attempt.intent_ms <= ?
          AND attempt.settled_ms >= ?
          AND coalesce(attempt.named_task_id, delivery.task_id) = delivery.task_id
        ORDER BY attempt.intent_ms, attempt.id
        LIMIT 1
        """

    /// An open delivery whose last calls count as failed, because the provider's own attempt failed just then: such a
    /// call may leave a task id of its own behind. There are no more of those than calls whose answer named none.
    static let failed = """
        SELECT \(Delivery.columns)
        FROM delivery
        JOIN delivery_body ON delivery_body.delivery_id = delivery.id
        WHERE delivery.state IN ('scheduled', 'attempting', 'awaiting')
          AND \(sameEvent)
          AND EXISTS (
              SELECT 1 FROM attempt
              WHERE attempt.delivery_id = delivery.id AND attempt.outcome = 'failed' AND attempt.named_task_id IS NULL
                AND attempt.intent_ms <= ? AND attempt.settled_ms >= ?)
          AND (SELECT COUNT(*) FROM attempt
               WHERE attempt.delivery_id = delivery.id AND attempt.outcome = 'failed' AND attempt.named_task_id IS NULL)
              > (SELECT COUNT(*) FROM task_alias
                 WHERE task_alias.delivery_id = delivery.id AND task_alias.source = 'matched')
        ORDER BY delivery.id
        LIMIT 1
        """

    /// A final delivery whose last calls count as delivered or failed because the provider's own attempt arrived or failed just
    /// then, later than what the entry shows: such a call may have failed before it and leave a task id of its own behind. What
    /// fails after that is an event of its own, however alike. By the customer, whose deliveries are few.
    static let ended = """
        SELECT \(Delivery.columns)
        FROM delivery INDEXED BY delivery_customer
        JOIN delivery_body ON delivery_body.delivery_id = delivery.id
        WHERE delivery.customer_id IS NOT NULL AND delivery.state IN ('delivered', 'dead')
          AND \(sameEvent)
          AND EXISTS (
              SELECT 1 FROM attempt
              WHERE attempt.delivery_id = delivery.id AND attempt.outcome IN ('failed', 'delivered')
                AND attempt.named_task_id IS NULL AND attempt.intent_ms <= ? AND attempt.settled_ms >= ?)
          AND EXISTS (
              SELECT 1 FROM log_entry
              WHERE log_entry.delivery_id = delivery.id AND log_entry.task_id = delivery.task_id
                AND log_entry.outcome <> 'in_progress' AND log_entry.logged_ms >= ?)
          AND (SELECT COUNT(*) FROM attempt
               WHERE attempt.delivery_id = delivery.id AND attempt.named_task_id IS NULL
                 AND attempt.outcome IN ('failed', 'delivered'))
              > (SELECT COUNT(*) FROM task_alias
                 WHERE task_alias.delivery_id = delivery.id AND task_alias.source = 'matched')
        ORDER BY delivery.id
        LIMIT 1
        """
}
