/// Holds of endpoints, and the age clock that stands still meanwhile.
extension QueueTransaction {
    /// Holds an endpoint's deliveries without loss. An operator's hold is never replaced.
    ///
    /// - Parameters:
    ///   - until: when one call is tried; nil: the hold lasts until a success in the log, or an operator.
    ///   - since: our time at which the hold began.
    package func hold(_ endpointID: String, _ reason: HoldReason, until: Timestamp?, since: Timestamp) throws {
        try session.run(
            """
            UPDATE endpoint
            SET hold_since_ms = CASE WHEN hold_reason IS NOT DISTINCT FROM :reason THEN hold_since_ms ELSE :since END,
                hold_reason = :reason, hold_until_ms = :until
            WHERE id = :id AND hold_reason IS DISTINCT FROM 'operator'
            """,
            ["reason": reason, "since": since, "until": until, "id": endpointID])
        try setAgeClock(of: endpointID, from: since)
    }

    /// Holds an endpoint as `AnswerTable` says of an answer to one of its calls.
    ///
    /// - Returns: whether it is held now.
    func holdIfRefused(_ endpointID: String, by answer: Answer) throws -> Bool {
        switch AnswerTable.row(answer).endpoint {
        case .none, .endsHolds: return false
        case .heldAfter(let limit, let reason, let pause):
            guard try refused(of: endpointID, by: answer) >= limit else { return false }
            try hold(endpointID, reason, until: now + pause, since: now)
        case .held(let reason, let pause):
            try hold(endpointID, reason, until: now + pause, since: now)
        }
        return true
    }

    /// How many different deliveries of the endpoint were refused since it last accepted one, or an operator resumed
    /// it. The answer stands in the statement, or SQLite would not use the index of these answers.
    private func refused(of endpointID: String, by answer: Answer) throws -> Int64 {
        try session.number(
            """
            SELECT COUNT(DISTINCT attempt.delivery_id)
            FROM attempt JOIN delivery ON delivery.id = attempt.delivery_id
            WHERE attempt.answer = '\(answer.rawValue)' AND attempt.outcome IN ('refused', 'not_executed')
              AND delivery.endpoint_id = :endpoint
              AND attempt.settled_ms
                  > (SELECT \(Dialect.greatest("last_accepted_ms", "resumed_ms")) FROM endpoint WHERE id = :endpoint)
            """,
            ["endpoint": endpointID]) ?? 0
    }

    /// Holds an endpoint when the log shows nothing of three different deliveries in a row, or nothing of two calls of
    /// this one while entries appear that may be theirs: matching is broken or the log lags. Only accepted calls count.
    /// The log is rightly silent about a call that was never executed (lost, or we died), and a hold for that would
    /// wait for an operator.
    ///
    /// - Returns: whether it is held now.
    func holdIfSilent(about delivery: Delivery) throws -> Bool {
        let endpointID = delivery.endpointID
        let silent = try session.number(
            """
            SELECT COUNT(DISTINCT attempt.delivery_id)
            FROM attempt JOIN delivery ON delivery.id = attempt.delivery_id
            WHERE attempt.outcome = 'unconfirmed' AND attempt.answer IN \(AnswerTable.takenOn)
              AND delivery.endpoint_id = :endpoint AND delivery.state <> 'delivered'
              AND attempt.settled_ms
                  > (SELECT \(Dialect.greatest("last_confirmed_ms", "resumed_ms")) FROM endpoint WHERE id = :endpoint)
              AND (SELECT hold_reason FROM endpoint WHERE id = :endpoint) IS NULL
            """,
            ["endpoint": endpointID])
        guard try silent ?? 0 >= RetryRules.silentLimit || showsAsOthers(delivery) else { return false }
        try hold(endpointID, .logSilent, until: nil, since: now)
        return true
    }

    /// Whether two accepted calls of a delivery stayed unconfirmed, and something of its customer and event type
    /// appeared after the last that is of no call. Then the log may show our retries with other bodies, each as an
    /// event of its own.
    private func showsAsOthers(_ delivery: Delivery) throws -> Bool {
        let last = try session.first(
            """
            SELECT COUNT(*), MAX(attempt.intent_ms)
            FROM attempt
            WHERE attempt.delivery_id = :id AND attempt.outcome = 'unconfirmed' AND attempt.answer IN \(AnswerTable.takenOn)
              AND attempt.settled_ms
                  > (SELECT \(Dialect.greatest("last_confirmed_ms", "resumed_ms")) FROM endpoint WHERE id = :endpoint)
              AND (SELECT hold_reason FROM endpoint WHERE id = :endpoint) IS NULL
            """,
            ["id": delivery.id, "endpoint": delivery.endpointID]
        ) { (calls: $0.int(), called: $0.timestampIfAny()) }
        guard let last, last.calls >= 2, let called = last.called else { return false }
        return try session.exists(
            """
            SELECT 1 FROM delivery
            WHERE endpoint_id = :endpoint AND event_type = :type AND customer_id IS NOT DISTINCT FROM :customer
              AND finalized_ms IS NULL AND id > :id AND created_ms >= :called
            UNION ALL
            SELECT 1 FROM latest_arrival
            WHERE webhook_id = :webhook AND customer_id = :customer AND event_type = :type AND task_id <> :task
              AND event_ms >= :earliest
            """,
            [
                "endpoint": delivery.endpointID, "type": delivery.eventType, "customer": delivery.customerID,
                "id": delivery.id, "called": called, "webhook": delivery.webhookID, "task": delivery.taskID,
                "earliest": called - RetryRules.clockTolerance,
            ])
    }

    /// Ends the hold of an endpoint, if it is held for one of these reasons.
    func release(_ endpointID: String, from reasons: [HoldReason]) throws {
        // A list of more than two makes SQLite build a table for each call.
        let isOne = reasons.map { "hold_reason = '\($0.rawValue)'" }.joined(separator: " OR ")
        let released = try session.change(
            """
            UPDATE endpoint
            SET hold_reason = NULL, hold_since_ms = NULL, hold_until_ms = NULL, openings = openings + 1
            WHERE id = ? AND (\(isOne))
            """,
            [endpointID])
        if released > 0 { try setAgeClock(of: endpointID) }
    }

    /// Ends the hold of an endpoint by hand. The streaks that led to it begin again, or the next settled delivery would
    /// bring it back. No call counts as accepted by this: a delivery with 5xx answers must not look like poison.
    package func endHold(of endpointID: String) throws {
        try release(endpointID, from: HoldReason.allCases)
        try session.run("UPDATE endpoint SET resumed_ms = ?, openings = openings + 1 WHERE id = ?", [now, endpointID])
    }

    /// Stops the age clock of a held endpoint. Lets it run again when nothing holds the endpoint, or its circuit has
    /// been open for longer than `maxHold`. A second call changes nothing.
    ///
    /// - Parameter time: when the hold began or ended; nil: now.
    func setAgeClock(of endpointID: String, from time: Timestamp? = nil) throws {
        let stands = "(hold_reason IS NOT NULL OR (circuit_open_ms IS NOT NULL AND circuit_ages = 0))"
        let stopped = Dialect.greatest("0", ":time - coalesce(stopped_ms, :time)")
        try session.run(
            """
            UPDATE endpoint
            SET held_ms = held_ms + CASE WHEN \(stands) THEN 0 ELSE \(stopped) END,
                stopped_ms = CASE WHEN \(stands) THEN coalesce(stopped_ms, :time) END
            WHERE id = :id
            """,
            ["time": time ?? now, "id": endpointID])
    }

    /// Starts a delivery's age clock at the beginning of its cycle: holds before that do not count.
    package func startAgeClock(of delivery: Delivery, from began: Timestamp) throws {
        try session.run(
            """
            UPDATE delivery
            SET held_before_ms = (SELECT \(Self.heldBefore(":began")) FROM endpoint WHERE endpoint.id = delivery.endpoint_id)
            WHERE id = :id
            """,
            ["began": began, "id": delivery.id])
    }

    /// An SQL expression on an endpoint's row: how long it had been held until `time`, in milliseconds.
    static func heldBefore(_ time: String) -> String {
        "held_ms + \(Dialect.greatest("0", "\(time) - coalesce(stopped_ms, \(time))"))"
    }
}
