/// What a proof did to its delivery.
package enum Settlement: Equatable {
    case delivered
    /// The retry failed again.
    case failed
    /// The log stayed silent about the call.
    case unconfirmed
    /// The proof changed no state: the delivery is final, or the entry is older than its call.
    case nothing
}

extension RuledTransaction {
    /// Settles a delivery by a proof. Every proof, whatever its source, comes through here.
    ///
    /// - Parameter earliest: no next attempt before this time; nil: the policy alone decides.
    @discardableResult
    package mutating func settle(
        _ delivery: Delivery, by proof: Proof, notBefore earliest: Timestamp? = nil
    ) throws -> Settlement {
        switch proof {
        case .entry(let sighting) where sighting.isSuccess: return try settleDelivered(delivery, by: sighting)
        case .entry(let sighting): return try settleFailed(delivery, by: sighting, notBefore: earliest)
        case .silence: return try settleUnconfirmed(delivery)
        case .answer:
            try endOpenAttempt(of: delivery, as: .delivered)
            let actor: Evidence.Actor = delivery.manual == nil ? .worker : .operator
            try move(delivery, .deliver(Evidence(actor: actor, source: .answer, taskID: nil)))
            try noteArrival(of: delivery)
            return .delivered
        case .kept(let evidence):
            try move(delivery, .deliver(evidence))
            return .delivered
        case .keptEnd(let end, let kind):
            try endOpenAttempt(of: delivery, as: end)
            try move(delivery, .schedule(at: now, usesAttempt: end != .notExecuted && kind == .scheduled))
            return end == .failed ? .failed : .unconfirmed
        }
    }

    // MARK: - An entry of the log

    /// A success in the log settles a delivery from any state.
    private mutating func settleDelivered(_ delivery: Delivery, by sighting: Sighting) throws -> Settlement {
        try noteArrival(of: delivery)
        guard delivery.state != .delivered else {
            try proveByLog(delivery, sighting)
            return .nothing
        }
        let latestCall = (sighting.came ?? now) + RetryRules.clockTolerance
        let attempt = try session.first(
            """
            SELECT id, kind, is_trial = 1 AND outcome IS NULL FROM attempt
            WHERE delivery_id = ? AND intent_ms <= ? AND (outcome IS NULL OR outcome = 'unconfirmed')
            ORDER BY lease_token DESC LIMIT 1
            """,
            [delivery.id, latestCall]
        ) { row in (id: row.integer(), kind: try row.word(AttemptKind.self), isOpenTrial: row.flag()) }
        var actor = Evidence.Actor.provider
        if let attempt {
            actor = attempt.kind == .manual ? .operator : .worker
            try endAttempt(attempt.id, of: delivery, as: .delivered, isOpenTrial: attempt.isOpenTrial)
            try noteConfirmed(delivery, by: sighting)
        }
        // A call that began after the success no longer matters, but the log may still show it.
        try endOpenAttempt(of: delivery, as: .unconfirmed)
        try move(delivery, .deliver(Evidence(actor: actor, source: .log, taskID: sighting.taskID)))
        try release(delivery.endpointID, from: [.logSilent])
        return .delivered
    }

    /// A failure in the log settles the open call that it belongs to.
    private mutating func settleFailed(
        _ delivery: Delivery, by sighting: Sighting, notBefore earliest: Timestamp?
    ) throws -> Settlement {
        guard delivery.state != .delivered else { return try takeBack(delivery, by: sighting, notBefore: earliest) }
        let failed = min(sighting.changed ?? now, now)
        try noteFailure(of: delivery, at: failed, error: sighting.error)
        if delivery.called == nil { try settleLateFailure(of: delivery, by: sighting) }
        guard delivery.state == .awaiting, delivery.isOfOpenCall(sighting.changed) else { return .nothing }
        try endOpenAttempt(of: delivery, as: .failed)
        try noteConfirmed(delivery, by: sighting)
        // A log of whole seconds shows the failure of a call before the call itself.
        let since = max(failed, delivery.called ?? failed)
        try move(delivery, rules.retryFailed(delivery, at: since).notBefore(earliest))
        return .failed
    }

    /// Extends the time from a delivery's first to its last failure, and keeps the newest error text.
    private func noteFailure(of delivery: Delivery, at failed: Timestamp, error: String?) throws {
        let began = Dialect.least("cycle_started_ms", ":failed")
        try session.run(
            """
            UPDATE delivery
            SET cycle_started_ms = CASE WHEN cycle = 1 THEN \(began) ELSE cycle_started_ms END,
                first_failed_ms = \(Dialect.least("first_failed_ms", ":failed")),
                last_error = CASE WHEN :failed >= last_failed_ms THEN coalesce(:error, last_error) ELSE last_error END,
                last_failed_ms = \(Dialect.greatest("last_failed_ms", ":failed"))
            WHERE id = :id
            """,
            ["failed": failed, "error": error, "id": delivery.id])
    }

    /// Ends an unconfirmed attempt as failed, because its failure was logged late.
    private mutating func settleLateFailure(of delivery: Delivery, by sighting: Sighting) throws {
        let latestCall = (sighting.changed ?? now) + RetryRules.clockTolerance
        let attempt = try session.number(
            """
            SELECT id FROM attempt WHERE delivery_id = ? AND intent_ms <= ? AND outcome = 'unconfirmed'
            ORDER BY lease_token DESC LIMIT 1
            """,
            [delivery.id, latestCall])
        guard let attempt else { return }
        try endAttempt(attempt, of: delivery, as: .failed, isOpenTrial: false)
        try noteConfirmed(delivery, by: sighting)
    }

    /// Settles an open call by entries that were stored before its answer came: they are not read again.
    ///
    /// - Returns: whether one of them settled it.
    @discardableResult
    mutating func settleFromStoredEntries(_ delivery: Delivery) throws -> Bool {
        guard delivery.state == .awaiting, let called = delivery.called else { return false }
        let stored = try session.all(
            """
            SELECT task_id, outcome = 'succeeded', logged_ms, error,
                EXISTS (SELECT 1 FROM log_entry AS other
                        WHERE other.endpoint_id = log_entry.endpoint_id AND other.task_id = log_entry.task_id
                          AND other.logged_ms = log_entry.logged_ms AND other.outcome <> log_entry.outcome)
            FROM log_entry
            WHERE delivery_id = :delivery AND lease_token = :token AND outcome IN ('succeeded', 'failed')
              AND (logged_ms = 0 OR logged_ms >= :earliest)
            """,
            [
                "delivery": delivery.id, "token": delivery.leaseToken,
                "earliest": called - RetryRules.clockTolerance,
            ], Sighting.init(stored:))
        let newest = stored.max {
            ($0.isSuccess ? 1 : 0, $0.changed?.milliseconds ?? 0) < (
                $1.isSuccess ? 1 : 0, $1.changed?.milliseconds ?? 0
            )
        }
        guard let newest else { return false }
        return try settle(delivery, by: .entry(newest)) != .nothing
    }

    // MARK: - Silence

    /// Settles a call about which the log stayed silent for its whole time.
    private mutating func settleUnconfirmed(_ delivery: Delivery) throws -> Settlement {
        if let success = try successUnderName(of: delivery) {
            try session.run(
                "UPDATE log_entry SET delivery_id = ? WHERE endpoint_id = ? AND task_id = ? AND delivery_id IS NULL",
                [delivery.id, delivery.endpointID, success.taskID])
            try addAlias(success.taskID, to: delivery, source: .named)
            return try settle(delivery, by: .entry(success))
        }
        let call = try callFacts(of: delivery)
        try endOpenAttempt(of: delivery, as: .unconfirmed)
        // The log never showed this accepted call under a task id that we know, so perhaps under another.
        if call.wasAccepted {
            try forgetOwnNames(of: delivery.endpointID)
            try setNames(of: delivery.endpointID, areTrue: false)
        }
        try move(
            delivery,
            call.isOutage ? rules.retryLost(delivery, at: now) : rules.retryFailed(delivery, at: now))
        if delivery.isTrial { try signal(.trialWasted, of: delivery.endpointID) }
        return .unconfirmed
    }

    /// Whether the provider accepted the call, and whether an outage lost it: no call of its endpoint got a 2xx since,
    /// or it is one of `AnswerTable.outageLimit` in a row without one. An outage costs the delivery nothing.
    private func callFacts(of delivery: Delivery) throws -> (wasAccepted: Bool, isOutage: Bool) {
        let call = try session.first(
            """
            SELECT id, answer IN \(AnswerTable.takenOn), intent_ms > (SELECT last_accepted_ms FROM endpoint WHERE id = :endpoint)
            FROM attempt WHERE delivery_id = :delivery AND lease_token = :token AND answer IS NOT NULL
            """,
            ["endpoint": delivery.endpointID, "delivery": delivery.id, "token": delivery.leaseToken]
        ) { (id: $0.integer(), wasAccepted: $0.flag(), isNewest: $0.flag()) }
        guard let call else { return (false, false) }
        guard !call.wasAccepted else { return (true, false) }
        return (false, try call.isNewest || callsInARow(around: call.id) >= AnswerTable.outageLimit)
    }

    /// How many calls in a row around this one, over all endpoints, got no 2xx. By now a provider that is back has long
    /// accepted others.
    private func callsInARow(around id: Int64) throws -> Int64 {
        try session.number(
            """
            SELECT COUNT(*) FROM attempt
            WHERE answer IS NOT NULL
              AND id > coalesce((SELECT id FROM attempt WHERE id < :id AND answer IN \(AnswerTable.takenOn) ORDER BY id DESC LIMIT 1), 0)
              AND id < coalesce(
                  (SELECT id FROM attempt WHERE id > :id AND answer IN \(AnswerTable.takenOn) ORDER BY id LIMIT 1), 9223372036854775807)
            """,
            ["id": id]) ?? 0
    }

    // MARK: - The attempt

    /// Ends the attempt of the delivery's open call; does nothing where there is none.
    package mutating func endOpenAttempt(of delivery: Delivery, as end: AttemptEnd) throws {
        let ended = try session.change(
            """
            UPDATE attempt SET outcome = :end, settled_ms = :now
            WHERE delivery_id = :delivery AND lease_token = :token AND outcome IS NULL
            """,
            ["end": end, "now": now, "delivery": delivery.id, "token": delivery.leaseToken])
        guard ended > 0 else { return }
        if end == .unconfirmed { counts.raise(Counter.unconfirmed) }
        if delivery.isTrial { counts.raise(Counter.trials, delivery.endpointID, end.rawValue) }
    }

    /// Ends an attempt.
    ///
    /// - Parameter isOpenTrial: whether it is a trial without an end: a trial counts by its first end only.
    mutating func endAttempt(
        _ id: Int64, of delivery: Delivery, as end: AttemptEnd, isOpenTrial: Bool
    ) throws {
        try session.run(
            "UPDATE attempt SET outcome = :end, settled_ms = :now WHERE id = :id", ["end": end, "now": now, "id": id])
        if isOpenTrial { counts.raise(Counter.trials, delivery.endpointID, end.rawValue) }
    }

    /// Notes that the log shows our retries, which resets the evidence of silence, and learns how and under which task
    /// id.
    func noteConfirmed(_ delivery: Delivery, by sighting: Sighting) throws {
        let shows = try wayOfShowing(delivery, by: sighting)
        try session.run(
            """
            UPDATE endpoint
            SET last_confirmed_ms = :now, retry_shows = coalesce(:shows, retry_shows),
                own_names = CASE WHEN :own = 1 THEN own_names + 1 ELSE 0 END,
                own_names_ms = CASE WHEN :own = 1 THEN coalesce(own_names_ms, CASE WHEN :failed = 1 THEN :now END) END
            WHERE id = :id
            """,
            [
                "now": now, "shows": shows, "own": sighting.taskID == delivery.taskID, "failed": !sighting.isSuccess,
                "id": delivery.endpointID,
            ])
    }

    /// How the log showed a retry, in the old row or in a new one; nil: unknown. After a call soon after the failure it
    /// may be either, and a wrong `new_entry` would keep us from reading back to the old rows.
    private func wayOfShowing(_ delivery: Delivery, by sighting: Sighting) throws -> RetryShows? {
        guard let called = delivery.called, let logged = sighting.logged else { return nil }
        guard sighting.taskID == delivery.taskID else { return .newEntry }
        if logged + RetryRules.clockTolerance < called { return .inPlace }
        let old = try session.number("SELECT logged_ms FROM delivery WHERE id = ?", [delivery.id])
        return old.map { logged.milliseconds > $0 } ?? true ? .newEntry : nil
    }
}

extension Sighting {
    /// Reads a stored entry. It keeps one time only, which does not tell a new row from one changed in place.
    fileprivate init(stored row: inout SQLRow) {
        let (taskID, isSuccess, time, error) = (row.text(), row.flag(), row.timestamp(), row.textIfAny())
        let changed = time.milliseconds == 0 ? nil : time
        self.init(
            taskID: taskID, isSuccess: isSuccess, logged: nil, changed: changed, came: row.flag() ? nil : changed,
            error: error)
    }
}
