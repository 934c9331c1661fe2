import GRDB

/// Which delivery an entry of the log is about.
extension Database {
    /// In the order of DESIGN 4: its own task id; a task id that an answer named or that was matched before; and for a
    /// task id that nothing names, by content: the webhook, event type, customer and body of a call that the entry is
    /// not older than. Not by content where `EndpointFacts.showsOwnNames`: there such an entry is an event of its own.
    func matchingDelivery(_ observation: Observation, endpointID: String, at now: Timestamp) throws -> Delivery? {
        let candidates = try candidates(for: observation, endpointID: endpointID, at: now)
        if candidates.isNamed { return try delivery(endpointID: endpointID, taskID: observation.taskID) }
        guard candidates != MatchCandidates(), let body = observation.body, let eventType = observation.eventType else {
            return nil
        }
        let latestCall = (observation.changed ?? now) + RetryRules.clockTolerance
        let event: Bindings = [
            endpointID, eventType, observation.customerID, observation.webhookID, BodyDigest.sha256(body),
            latestCall.milliseconds,
        ]
        let late: Bindings = [(now - Matching.lateOutcome).milliseconds]
        let match =
            try (candidates.called ? first(Matching.waiting, event, Delivery.init) : nil)
            ?? (candidates.unconfirmed ? first(Matching.unconfirmed, event + late, Delivery.init) : nil)
            ?? (candidates.called ? first(Matching.failed, event + late, Delivery.init) : nil)
            ?? (candidates.final ? endedSince(observation, event: event, late: late, at: now) : nil)
        guard let delivery = match else { return nil }
        try addAlias(observation.taskID, to: delivery, source: "matched")
        return delivery
    }

    private func candidates(
        for observation: Observation, endpointID: String, at now: Timestamp
    ) throws -> MatchCandidates {
        let bindings: Bindings = [
            endpointID, observation.eventType, observation.customerID, (now - Matching.lateOutcome).milliseconds,
            (now - Matching.lateEnd).milliseconds, observation.taskID,
        ]
        return try first(Matching.candidates, bindings) {
            MatchCandidates(called: $0.flag(), unconfirmed: $0.flag(), final: $0.flag(), isNamed: $0.flag())
        } ?? MatchCandidates()
    }

    /// A failure of a call whose delivery is final by now: what ended it stood on the same page, or was read before.
    private func endedSince(
        _ observation: Observation, event: Bindings, late: Bindings, at now: Timestamp
    ) throws -> Delivery? {
        guard observation.outcome == .failed, let changed = observation.changed else { return nil }
        return try first(
            Matching.ended, event + late + [changed.milliseconds, (now - Matching.lateEnd).milliseconds],
            Delivery.init)
    }
}

/// Which kinds of delivery an entry could be about.
private struct MatchCandidates: Equatable {
    /// Open ones of its endpoint, event type and customer that were called.
    var called = false
    /// Calls that were given up lately, of whichever delivery.
    var unconfirmed = false
    /// Ones of its customer that ended lately.
    var final = false
    /// The one that has its task id.
    var isNamed = false
}

/// The statements that match by content, each asked only when the one before it found nothing.
enum Matching {
    /// How long after a call was judged its own entry may still appear.
    static let lateOutcome = Duration.seconds(86_400)
    /// How long ago a final delivery may have ended whose calls were judged within `lateOutcome`.
    static let lateEnd = lateOutcome * 2

    private static let sameEvent = """
        delivery.endpoint_id = ? AND delivery.event_type = ? AND delivery.customer_id IS ?
        AND delivery.webhook_id = ? AND delivery_body.sha256 = ?
        """

    /// Asked first, because one query then tells that a new failure is about none of them.
    static let candidates = """
        SELECT
            EXISTS (SELECT 1 FROM delivery
                    WHERE endpoint_id = ?1 AND event_type = ?2 AND customer_id IS ?3 AND finalized_ms IS NULL
                      AND lease_token > 0),
            EXISTS (SELECT 1 FROM attempt WHERE outcome = 'unconfirmed' AND settled_ms >= ?4),
            EXISTS (SELECT 1 FROM delivery INDEXED BY delivery_customer
                    WHERE customer_id = ?3 AND finalized_ms >= ?5),
            EXISTS (SELECT 1 FROM delivery WHERE endpoint_id = ?1 AND task_id = ?6)
            OR EXISTS (SELECT 1 FROM task_alias WHERE endpoint_id = ?1 AND task_id = ?6)
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
        WHERE delivery.finalized_ms IS NULL
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
        WHERE delivery.customer_id IS NOT NULL
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
          AND delivery.finalized_ms >= ?
        ORDER BY delivery.finalized_ms, delivery.id
        LIMIT 1
        """
}
