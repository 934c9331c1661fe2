import GRDB

/// What the log proved about deliveries of ours, carried into the tables. Called by ingest, and by `record` for entries
/// that were read while the call was still in flight.
extension Database {
    /// The delivery with this task id, or the one for which it is a further task id.
    func delivery(endpointID: String, taskID: String) throws -> Delivery? {
        let row =
            try firstRow(
                "SELECT \(Delivery.columns) FROM delivery WHERE endpoint_id = ? AND task_id = ?",
                [endpointID, taskID])
            ?? firstRow(
                """
                SELECT \(Delivery.columns) FROM task_alias
                JOIN delivery ON delivery.id = task_alias.delivery_id
                WHERE task_alias.endpoint_id = ? AND task_alias.task_id = ?
                """,
                [endpointID, taskID])
        return try row.map(Delivery.init(row:))
    }

    /// Remembers a further task id under which the provider logs this delivery.
    func addAlias(_ taskID: String, to delivery: Delivery, source: String) throws {
        guard taskID != delivery.taskID else { return }
        try run(
            """
            INSERT INTO task_alias (endpoint_id, task_id, delivery_id, source) VALUES (?, ?, ?, ?)
            ON CONFLICT (endpoint_id, task_id) DO NOTHING
            """,
            [delivery.endpointID, taskID, delivery.id, source])
    }

    /// Whether a log time belongs to the delivery's open call and not to what was before it. An entry without a time
    /// does: it was not there when the call began, or it would be known.
    func belongs(_ changed: Timestamp?, toCallOf delivery: Delivery) -> Bool {
        guard let changed, let called = delivery.called else { return true }
        return changed + RetryRules.clockTolerance >= called
    }

    /// A success in the log settles a delivery from any state.
    func settleDelivered(_ delivery: Delivery, by observation: Observation, at now: Timestamp) throws {
        let latestCall = (observation.changed ?? now) + RetryRules.clockTolerance
        let attempt = try firstRow(
            """
            SELECT id, kind FROM attempt
            WHERE delivery_id = ? AND intent_ms <= ?
              AND (outcome IS NULL OR outcome = 'unconfirmed')
            ORDER BY id DESC LIMIT 1
            """,
            [delivery.id, latestCall.milliseconds])
        var actor = Evidence.Actor.provider
        if let attempt {
            actor = attempt["kind"] == "manual" ? .operator : .worker
            try settleAttempt(id: attempt["id"], outcome: "delivered", at: now)
            try noteConfirmed(delivery, by: observation, at: now)
        }
        try move(
            delivery, .deliver(Evidence(actor: actor, source: .log, taskID: observation.taskID)), at: now)
        try run(
            """
            UPDATE endpoint SET hold_reason = NULL, hold_since_ms = NULL, hold_until_ms = NULL
            WHERE id = ? AND hold_reason = 'log_silent'
            """,
            [delivery.endpointID])
    }

    /// The log shows that our retry failed again.
    func settleFailed(
        _ delivery: Delivery, by observation: Observation, at failed: Timestamp, rules: RetryRules, now: Timestamp
    ) throws {
        try settleOpenAttempt(of: delivery, outcome: "failed", at: now)
        try noteConfirmed(delivery, by: observation, at: now)
        try move(delivery, rules.retryFailed(delivery, at: failed), at: now)
    }

    /// Closes the attempt of the delivery's open call with what became of it.
    func settleOpenAttempt(of delivery: Delivery, outcome: String, at now: Timestamp) throws {
        try run(
            """
            UPDATE attempt SET outcome = ?, settled_ms = ?
            WHERE delivery_id = ? AND lease_token = ? AND outcome IS NULL
            """,
            [outcome, now.milliseconds, delivery.id, delivery.leaseToken])
    }

    private func settleAttempt(id: Int64, outcome: String, at now: Timestamp) throws {
        try run("UPDATE attempt SET outcome = ?, settled_ms = ? WHERE id = ?", [outcome, now.milliseconds, id])
    }

    /// The log does show our retries: silence is not to be feared, and we learn in which way it shows them.
    private func noteConfirmed(_ delivery: Delivery, by observation: Observation, at now: Timestamp) throws {
        var shows: String?
        if let called = delivery.called, let logged = observation.logged {
            let inPlace =
                observation.taskID == delivery.taskID && logged + RetryRules.clockTolerance < called
            shows = inPlace ? "in_place" : "new_entry"
        }
        try run(
            "UPDATE endpoint SET last_confirmed_ms = ?, retry_shows = coalesce(?, retry_shows) WHERE id = ?",
            [now.milliseconds, shows, delivery.endpointID])
    }

    /// A failure entry about a delivery that we know: widens its time of failure and keeps the newest error text.
    func noteFailure(of delivery: Delivery, at failed: Timestamp, error: String?) throws {
        try run(
            """
            UPDATE delivery
            SET cycle_started_ms = CASE WHEN cycle = 1 THEN min(cycle_started_ms, :failed) ELSE cycle_started_ms END,
                first_failed_ms = min(first_failed_ms, :failed),
                last_error = CASE WHEN :failed >= last_failed_ms THEN coalesce(:error, last_error) ELSE last_error END,
                last_failed_ms = max(last_failed_ms, :failed)
            WHERE id = :id
            """,
            ["failed": failed.milliseconds, "error": error, "id": delivery.id])
    }

    /// Keeps the newest event that arrived for a webhook, customer and event type. Its time is the time of the event: an
    /// old delivery that arrives late does not supersede a younger one.
    func noteArrival(_ observation: Observation, of delivery: Delivery?) throws {
        guard let customerID = delivery?.customerID ?? observation.customerID,
            let eventType = delivery?.eventType ?? observation.eventType,
            let event = delivery?.firstFailed ?? observation.logged
        else { return }
        try run(
            """
            INSERT INTO latest_arrival (webhook_id, customer_id, event_type, task_id, event_ms)
            VALUES (?, ?, ?, ?, ?)
            ON CONFLICT (webhook_id, customer_id, event_type) DO UPDATE
            SET task_id = excluded.task_id, event_ms = excluded.event_ms
            WHERE excluded.event_ms > event_ms
            """,
            [
                delivery?.webhookID ?? observation.webhookID, customerID, eventType,
                delivery?.taskID ?? observation.taskID, event.milliseconds,
            ])
    }
}
