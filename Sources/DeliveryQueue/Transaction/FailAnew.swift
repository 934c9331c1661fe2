/// A task that arrived and fails again with another body: a new failure under an old id, not the old one.
extension RuledTransaction {
    /// Whether a failure of a delivered delivery is a new one: logged later than the success, and with another body.
    /// While a call is unconfirmed it may be that call's own failure, and stays one.
    func isNewFailure(_ entry: LogObservation, of delivery: Delivery) throws -> Bool {
        guard delivery.state == .delivered, entry.outcome == .failed, entry.taskID == delivery.taskID,
            let bytes = entry.body, entry.eventType != nil, let changed = entry.changed
        else { return false }
        let facts = try session.first(
            """
            SELECT
                coalesce(
                    (SELECT MAX(logged_ms) FROM log_entry
                     WHERE log_entry.delivery_id = delivery.id AND outcome = 'succeeded' AND logged_ms > 0),
                    delivery.finalized_ms),
                delivery_body.sha256,
                EXISTS (SELECT 1 FROM attempt
                        WHERE attempt.delivery_id = delivery.id
                          AND (outcome IS NULL OR (outcome = 'unconfirmed' AND settled_ms >= :since)))
            FROM delivery JOIN delivery_body ON delivery_body.delivery_id = delivery.id WHERE delivery.id = :id
            """,
            ["id": delivery.id, "since": now - Matching.lateOutcome]
        ) { (arrived: $0.timestamp(), sha256: $0.bytes(), hasOpenCall: $0.flag()) }
        guard let facts, changed > facts.arrived, !facts.hasOpenCall else { return false }
        return BodyDigest.sha256(bytes) != facts.sha256
    }

    /// Begins a new cycle of a delivered delivery with what the entry says: its ids, its event type and its body.
    mutating func failAnew(_ delivery: Delivery, by entry: LogObservation, notBefore earliest: Timestamp?) throws {
        guard let eventType = entry.eventType, let changed = entry.changed else { return }
        let failed = min(changed, now)
        // What it keeps for other endpoints is of the event that it is about so far.
        try giveUpShares(of: delivery)
        try session.run(
            """
            UPDATE delivery
            SET event_type = :type, customer_id = :customer, webhook_id = :webhook, logged_ms = :logged,
                first_failed_ms = :failed, last_failed_ms = :failed, last_error = :error, superseded_by_task_id = NULL
            WHERE id = :id
            """,
            [
                "type": eventType, "customer": entry.customerID, "webhook": entry.webhookID,
                "logged": min(entry.logged ?? failed, failed), "failed": failed, "error": entry.error,
                "id": delivery.id,
            ])
        try beginCycle(of: delivery, from: failed)
        var body = HashedBody(entry.body)
        try session.run(
            """
            UPDATE delivery_body
            SET body = :body, sha256 = :sha256, task_id_json = :task, customer_id_json = :customer, webhook_id_json = :webhook
            WHERE delivery_id = :id
            """,
            [
                "body": body.bytes, "sha256": body.digest(), "task": entry.taskIDJSON, "customer": entry.customerIDJSON,
                "webhook": entry.webhookIDJSON, "id": delivery.id,
            ])
        guard let again = try self.delivery(id: delivery.id) else { return }
        let decision = rules.discovered(again).notBefore(earliest)
        guard case .schedule = decision else {
            return try move(try moved(again, .schedule(at: now, usesAttempt: false)), decision)
        }
        try move(again, decision)
    }

    /// Whether a success is of an earlier event under the same task id: older than the failure that a delivery is
    /// about, and with another body. A delivery that was never called has no retry that could have another one.
    func isOfEarlierEvent(_ entry: LogObservation, _ delivery: Delivery) throws -> Bool {
        guard entry.outcome == .succeeded, entry.taskID == delivery.taskID,
            let changed = entry.changed, changed < delivery.firstFailed, let bytes = entry.body
        else { return false }
        let sha256 = BodyDigest.sha256(bytes)
        return try session.exists(
            """
            SELECT 1 FROM delivery JOIN delivery_body ON delivery_body.delivery_id = delivery.id
            WHERE delivery.id = :id AND delivery_body.sha256 <> :sha256
              AND NOT EXISTS (
                  SELECT 1 FROM attempt WHERE attempt.delivery_id = delivery.id AND attempt.cycle = delivery.cycle)
            """,
            ["id": delivery.id, "sha256": sha256])
    }
}

extension [KnownEntry] {
    /// Whether a success of the task that was read before is about this failure. One that is older and had another body
    /// is about an earlier event.
    func mend(_ failure: LogObservation, _ body: inout HashedBody) -> Bool {
        for entry in self where entry.outcome == .succeeded {
            guard let changed = failure.changed, entry.logged > 0, changed.milliseconds > entry.logged,
                let mark = entry.bodyMark, !body.isMissing, mark != body.mark()
            else { return true }
        }
        return false
    }
}
