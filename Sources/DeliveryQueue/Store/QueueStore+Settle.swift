import GRDB

/// What the log proved about deliveries of ours, carried into the tables. Called by ingest, and by `record` for entries
/// that were read while the call was still in flight.
extension Database {
    /// The delivery with this task id, or the one for which it is a further task id.
    func delivery(endpointID: String, taskID: String) throws -> Delivery? {
        try first(
            """
            SELECT \(Delivery.columns) FROM delivery
            WHERE id = coalesce(
                (SELECT own.id FROM delivery AS own WHERE own.endpoint_id = ?1 AND own.task_id = ?2),
                (SELECT task_alias.delivery_id FROM task_alias
                 WHERE task_alias.endpoint_id = ?1 AND task_alias.task_id = ?2))
            """,
            [endpointID, taskID], Delivery.init)
    }

    /// Remembers a further task id under which the provider logs this delivery: so its log does not show retries under the
    /// deliveries' own.
    func addAlias(_ taskID: String, to delivery: Delivery, source: String) throws {
        guard taskID != delivery.taskID else { return }
        try run(
            """
            INSERT INTO task_alias (endpoint_id, task_id, delivery_id, source) VALUES (?, ?, ?, ?)
            ON CONFLICT (endpoint_id, task_id) DO UPDATE SET source = excluded.source
            WHERE task_alias.delivery_id = excluded.delivery_id AND excluded.source = 'named'
            """,
            [delivery.endpointID, taskID, delivery.id, source])
        try forgetOwnNames(of: delivery.endpointID)
    }

    /// What showed that an endpoint's log shows retries under the deliveries' own task ids counts no more.
    func forgetOwnNames(of endpointID: String) throws {
        try run(
            "UPDATE endpoint SET own_names = 0, own_names_ms = NULL WHERE id = ? AND own_names > 0", [endpointID])
    }

    /// Whether a log time belongs to the delivery's open call and not to what was before it. An entry without a time
    /// does: it was not there when the call began, or it would be known.
    func belongs(_ changed: Timestamp?, toCallOf delivery: Delivery) -> Bool {
        guard let changed, let called = delivery.called else { return true }
        return changed + RetryRules.clockTolerance >= called
    }

    /// A success in the log settles a delivery from any state.
    func settleDelivered(_ delivery: Delivery, by observation: Observation, at now: Timestamp) throws {
        let latestCall = try outcomeTime(of: observation, endpointID: delivery.endpointID) ?? now
        let attempt = try firstRow(
            """
            SELECT id, kind FROM attempt
            WHERE delivery_id = ? AND intent_ms <= ?
              AND (outcome IS NULL OR outcome = 'unconfirmed')
            ORDER BY lease_token DESC LIMIT 1
            """,
            [delivery.id, (latestCall + RetryRules.clockTolerance).milliseconds])
        var actor = Evidence.Actor.provider
        if let attempt {
            actor = attempt["kind"] == "manual" ? .operator : .worker
            try settleAttempt(id: attempt["id"], of: delivery, outcome: "delivered", at: now)
            try noteConfirmed(delivery, by: observation, at: now)
        }
        // A call that began after the success: what came of it no longer matters, but it may show in the log yet.
        try settleOpenAttempt(of: delivery, outcome: "unconfirmed", at: now)
        try move(
            delivery, .deliver(Evidence(actor: actor, source: .log, taskID: observation.taskID)), at: now)
        try lift([.logSilent], of: delivery.endpointID, at: now)
    }

    /// When the outcome that an entry shows came about; nil when nothing tells: it has no time, or it is a row that
    /// was read before with another outcome and was changed in place without a time of the change.
    func outcomeTime(of observation: Observation, endpointID: String) throws -> Timestamp? {
        guard let changed = observation.changed else { return nil }
        let before = try firstRow(
            "SELECT 1 FROM log_entry WHERE endpoint_id = ? AND task_id = ? AND logged_ms = ? AND outcome <> ?",
            [endpointID, observation.taskID, changed.milliseconds, observation.outcome.rawValue])
        return before == nil ? changed : nil
    }

    /// A failure that was logged for a call of ours only after the call was given up as unconfirmed.
    func settleLateFailure(of delivery: Delivery, by observation: Observation, at now: Timestamp) throws {
        let latestCall = (observation.changed ?? now) + RetryRules.clockTolerance
        let attempt = try firstRow(
            """
            SELECT id FROM attempt WHERE delivery_id = ? AND intent_ms <= ? AND outcome = 'unconfirmed'
            ORDER BY lease_token DESC LIMIT 1
            """,
            [delivery.id, latestCall.milliseconds])
        guard let attempt, delivery.called == nil else { return }
        try settleAttempt(id: attempt["id"], of: delivery, outcome: "failed", at: now)
        try noteConfirmed(delivery, by: observation, at: now)
    }

    /// The log shows that our retry failed again.
    ///
    /// - Parameter earliest: the next attempt waits until then at least; nil: as long as the policy says.
    func settleFailed(
        _ delivery: Delivery, by observation: Observation, at failed: Timestamp, rules: RetryRules,
        notBefore earliest: Timestamp? = nil, now: Timestamp
    ) throws {
        try settleOpenAttempt(of: delivery, outcome: "failed", at: now)
        try noteConfirmed(delivery, by: observation, at: now)
        try move(delivery, rules.retryFailed(delivery, at: failed).notBefore(earliest), at: now)
    }

    /// Closes the attempt of the delivery's open call with what became of it.
    func settleOpenAttempt(of delivery: Delivery, outcome: String, at now: Timestamp) throws {
        try run(
            """
            UPDATE attempt SET outcome = ?, settled_ms = ?
            WHERE delivery_id = ? AND lease_token = ? AND outcome IS NULL
            """,
            [outcome, now.milliseconds, delivery.id, delivery.leaseToken])
        guard changesCount > 0 else { return }
        if outcome == "unconfirmed" { try raise(Counter.unconfirmed) }
        if delivery.isTrial { try raise(Counter.trials, delivery.endpointID, outcome) }
    }

    /// A trial counts by what was first known of it.
    private func settleAttempt(id: Int64, of delivery: Delivery, outcome: String, at now: Timestamp) throws {
        let isFirst = try firstRow("SELECT is_trial AND outcome IS NULL AS is_first FROM attempt WHERE id = ?", [id])
        try run("UPDATE attempt SET outcome = ?, settled_ms = ? WHERE id = ?", [outcome, now.milliseconds, id])
        if isFirst?["is_first"] ?? false { try raise(Counter.trials, delivery.endpointID, outcome) }
    }

    /// The log does show our retries: silence is not to be feared, and we learn in which way it shows them, and under
    /// which task id.
    private func noteConfirmed(_ delivery: Delivery, by observation: Observation, at now: Timestamp) throws {
        let shows = try delivery.called.flatMap { called in
            try observation.logged.flatMap {
                try wayOfShowing(delivery, called: called, at: $0, as: observation.taskID)
            }
        }
        try run(
            """
            UPDATE endpoint
            SET last_confirmed_ms = :now, retry_shows = coalesce(:shows, retry_shows),
                own_names = CASE WHEN :own THEN own_names + 1 ELSE 0 END,
                own_names_ms = CASE WHEN :own THEN coalesce(own_names_ms, CASE WHEN :failed THEN :now END) END
            WHERE id = :id
            """,
            arguments: [
                "now": now.milliseconds, "shows": shows, "own": observation.taskID == delivery.taskID,
                "failed": observation.outcome == .failed,
                "id": delivery.endpointID,
            ])
    }

    /// How the log showed a retry: in the old row or in a new one. nil: after a call soon after the failure it may be
    /// either, and a wrong `new_entry` would keep us from reading back to the old rows.
    private func wayOfShowing(
        _ delivery: Delivery, called: Timestamp, at logged: Timestamp, as taskID: String
    ) throws -> String? {
        guard taskID == delivery.taskID else { return "new_entry" }
        if logged + RetryRules.clockTolerance < called { return "in_place" }
        let old = try firstRow("SELECT logged_ms FROM delivery WHERE id = ?", [delivery.id])
        return old.map { logged > $0.timestamp("logged_ms") } ?? true ? "new_entry" : nil
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
            arguments: ["failed": failed.milliseconds, "error": error, "id": delivery.id])
    }

    /// The log may have shown the outcome of a call before its answer came back: such entries are not read again.
    ///
    /// - Returns: the delivery as it is now.
    @discardableResult
    func settleFromKnownEntries(_ delivery: Delivery, rules: RetryRules, at now: Timestamp) throws -> Delivery {
        guard delivery.state == .awaiting, let called = delivery.called else { return delivery }
        let known = try all(
            """
            SELECT task_id, logged_ms, outcome = 'succeeded', error FROM log_entry
            WHERE delivery_id = ? AND lease_token = ? AND outcome IN ('succeeded', 'failed')
              AND (logged_ms = 0 OR logged_ms >= ?)
            """,
            [delivery.id, delivery.leaseToken, (called - RetryRules.clockTolerance).milliseconds]
        ) { (taskID: $0.text(), changed: $0.integer(), hasSucceeded: $0.flag(), error: $0.textIfAny()) }
        let newest = known.max { ($0.hasSucceeded ? 1 : 0, $0.changed) < ($1.hasSucceeded ? 1 : 0, $1.changed) }
        guard let newest else { return delivery }
        let time = newest.changed == 0 ? nil : Timestamp(milliseconds: newest.changed)
        // Without `logged`: the row keeps one time only, which does not tell a new row from one changed in place.
        let observation = Observation(
            taskID: newest.taskID, taskIDJSON: "", eventType: delivery.eventType, customerID: delivery.customerID,
            customerIDJSON: "", webhookID: delivery.webhookID, webhookIDJSON: "", body: nil,
            outcome: newest.hasSucceeded ? .succeeded : .failed, logged: nil, changed: time, error: newest.error)
        if observation.outcome == .succeeded {
            try noteArrival(observation, of: delivery)
            try settleDelivered(delivery, by: observation, at: now)
        } else {
            let failed = min(time ?? now, now)
            try noteFailure(of: delivery, at: failed, error: observation.error)
            try settleFailed(delivery, by: observation, at: failed, rules: rules, now: now)
        }
        return try Delivery.fetch(self, id: delivery.id) ?? delivery
    }
}
