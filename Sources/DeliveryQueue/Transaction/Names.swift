/// Task ids that answers name. An answer may name anything, a job's number for one, so a name is a candidate only. The
/// entry that appears under it decides (docs/design.md, "Which delivery a log entry is about").
extension RuledTransaction {
    /// Finds the delivery whose call an entry is about because the call's answer named the entry's task id; nil: none.
    ///
    /// A success whose body differs proves its call only when the log has had its time: until then it is noted on the
    /// attempt.
    mutating func named(_ entry: LogObservation, _ body: inout HashedBody, of endpointID: String) throws -> Delivery? {
        let calls = try namingCalls(of: entry, endpointID: endpointID)
        var fits: [(call: NamingCall, fit: NamingCall.Fit)] = []
        for call in calls {
            if let fit = call.fit(entry, &body) { fits.append((call, fit)) }
        }
        guard let best = fits.first(where: { $0.fit == .whole }) ?? (fits.count == 1 ? fits.first : nil) else {
            return nil
        }
        if best.fit == .otherBody {
            guard entry.outcome != .failed else { return nil }
            guard best.call.end == .unconfirmed, entry.outcome == .succeeded else {
                try note(entry, of: best.call)
                return nil
            }
        }
        guard let delivery = try delivery(id: best.call.deliveryID) else { return nil }
        try addAlias(entry.taskID, to: delivery, source: .named)
        if best.fit == .whole { try setNames(of: endpointID, areTrue: true) }
        return delivery
    }

    /// Gives an entry that was read before its call's answer to the delivery that the answer named.
    mutating func takeNamed(_ entry: LogObservation, of endpointID: String) throws -> Delivery? {
        var body = HashedBody(entry.body)
        guard let delivery = try named(entry, &body, of: endpointID) else { return nil }
        try session.run(
            """
            UPDATE log_entry SET delivery_id = :delivery, lease_token = :token
            WHERE endpoint_id = :endpoint AND task_id = :task AND delivery_id IS NULL
            """,
            [
                "delivery": delivery.id, "token": delivery.leaseToken, "endpoint": endpointID, "task": entry.taskID,
            ])
        return delivery
    }

    /// The success that proves a call although its body differs, now that nothing better came; nil: there is none.
    func successUnderName(of delivery: Delivery) throws -> Sighting? {
        try session.first(
            """
            SELECT log_entry.task_id, log_entry.logged_ms
            FROM attempt JOIN log_entry ON log_entry.task_id = attempt.named_task_id
            WHERE attempt.delivery_id = :delivery AND attempt.lease_token = :token AND attempt.name_seen_ms IS NOT NULL
              AND log_entry.endpoint_id = :endpoint AND log_entry.outcome = 'succeeded' AND log_entry.delivery_id IS NULL
            ORDER BY log_entry.logged_ms LIMIT 1
            """,
            ["delivery": delivery.id, "token": delivery.leaseToken, "endpoint": delivery.endpointID]
        ) { row in
            let (taskID, time) = (row.text(), row.timestamp())
            let changed = time.milliseconds == 0 ? nil : time
            return Sighting(
                taskID: taskID, isSuccess: true, logged: nil, changed: changed, came: changed, error: nil)
        }
    }

    /// Notes whether the endpoint's log shows retries under the task ids that answers name. Then a call whose answer
    /// named one is shown under no other.
    func setNames(of endpointID: String, areTrue: Bool) throws {
        try session.run(
            "UPDATE endpoint SET names_tell = :tell WHERE id = :id AND names_tell <> :tell",
            ["tell": areTrue, "id": endpointID])
    }

    private func note(_ entry: LogObservation, of call: NamingCall) throws {
        guard call.end == nil, let delivery = try delivery(id: call.deliveryID) else { return }
        if entry.outcome == .inProgress { return try waitLonger(entry, delivery) }
        try session.run(
            "UPDATE attempt SET name_seen_ms = coalesce(name_seen_ms, ?) WHERE id = ?", [now, call.attemptID])
    }

    /// The calls whose answers named the task id of an entry that can be their own: it was never read before the call,
    /// and is not older than what had been read by then. Calls without an outcome come first.
    private func namingCalls(of entry: LogObservation, endpointID: String) throws -> [NamingCall] {
        try session.all(
            """
            SELECT attempt.id, attempt.outcome, delivery.id, delivery.event_type, delivery.customer_id,
                delivery.webhook_id, delivery_body.sha256
            FROM attempt
            JOIN delivery ON delivery.id = attempt.delivery_id
            JOIN delivery_body ON delivery_body.delivery_id = delivery.id
            WHERE attempt.named_task_id = :task AND delivery.endpoint_id = :endpoint AND delivery.task_id <> :task
              AND (attempt.settled_ms IS NULL OR attempt.settled_ms >= :judged_since)
              AND attempt.intent_ms <= :latest_call
              AND (attempt.head_ms IS NULL OR :logged IS NULL OR attempt.head_ms <= :logged)
              AND NOT EXISTS (
                  SELECT 1 FROM log_entry
                  WHERE log_entry.endpoint_id = :endpoint AND log_entry.task_id = :task
                    AND log_entry.found_ms <= attempt.intent_ms)
            ORDER BY attempt.id
            """,
            [
                "task": entry.taskID, "endpoint": endpointID, "judged_since": now - Matching.lateOutcome,
                "latest_call": (entry.changed ?? now) + RetryRules.clockTolerance,
                "logged": entry.logged.map { $0 + RetryRules.clockTolerance },
            ]
        ) { row in
            NamingCall(
                attemptID: row.integer(), end: row.wordIfAny(), deliveryID: row.integer(), eventType: row.text(),
                customerID: row.textIfAny(), webhookID: row.text(), sha256: row.bytes())
        }
        .sorted { ($0.end == nil ? 0 : 1, $0.attemptID) < ($1.end == nil ? 0 : 1, $1.attemptID) }
    }
}

/// A call whose answer named a task id, with what an entry under that id must not contradict.
private struct NamingCall {
    enum Fit {
        case whole
        /// Only the body differs.
        case otherBody
    }

    let attemptID: Int64
    /// How it ended; nil: that is not known yet.
    let end: AttemptEnd?
    let deliveryID: Int64
    let eventType: String
    let customerID: String?
    let webhookID: String
    let sha256: [UInt8]

    /// How an entry fits; nil: it contradicts the call in something that it says.
    func fit(_ entry: LogObservation, _ body: inout HashedBody) -> Fit? {
        guard entry.webhookID == webhookID, entry.eventType.map({ $0 == eventType }) ?? true,
            entry.customerID.map({ $0 == customerID }) ?? true
        else { return nil }
        return body.isMissing || body.digest() == sha256 ? .whole : .otherBody
    }
}
