import GRDB

extension Database {
    /// Carries out a transition: the one statement by which a delivery changes its state.
    ///
    /// The `WHERE` names the state and the lease token that the decision was based on, so a decision that came too late
    /// changes nothing.
    ///
    /// - Throws: `refusedMove` for a move that `DeliveryState.next` does not have, or when the row is no longer there.
    @discardableResult
    func move(_ delivery: Delivery, _ transition: Transition, at now: Timestamp) throws -> Delivery {
        guard delivery.state.next.contains(transition.target) else {
            throw StoreError(
                .refusedMove, operation: "move delivery \(delivery.id)",
                cause: "\(delivery.state.rawValue) → \(transition.target.rawValue) is no move of a delivery")
        }
        let columns = Columns(transition, of: delivery, at: now)
        let row = try firstRow(
            """
            UPDATE delivery
            SET state = :state,
                next_attempt_ms = :nextAttempt,
                lease_token = lease_token + :claims,
                lease_until_ms = :leaseUntil,
                called_ms = :called,
                confirm_by_ms = :confirmBy,
                manual_ms = :manual,
                kept_attempt_ms = :keptAttempt,
                kept_dead_reason = :keptDeadReason,
                attempts_used = attempts_used + :used,
                is_trial = :isTrial,
                turn_ms = CASE WHEN :turn IS NULL THEN turn_ms
                    -- a clock that was set back must not make it due at once again and again
                    ELSE max(:turn, coalesce(
                        (SELECT recovered_ms + 1 FROM endpoint WHERE endpoint.id = delivery.endpoint_id), :turn)) END,
                finalized_ms = :finalized,
                dead_reason = :deadReason,
                delivered_by = :deliveredBy,
                delivered_evidence = :evidence,
                delivered_task_id = :evidenceTask,
                updated_ms = :now
            WHERE id = :id
              AND state = :from
              AND lease_token = :token
            RETURNING \(Delivery.columns)
            """,
            columns.arguments(for: delivery, at: now))
        guard let row else {
            throw StoreError(
                .refusedMove, operation: "move delivery \(delivery.id)",
                cause: "it is no longer \(delivery.state.rawValue) under lease token \(delivery.leaseToken)")
        }
        try countFinal(delivery, transition, at: now)
        return try Delivery(row: row)
    }

    private func countFinal(_ delivery: Delivery, _ transition: Transition, at now: Timestamp) throws {
        guard transition.target.isOpen == false else { return }
        let label = try metricLabel(forEventType: delivery.eventType)
        try raise(Counter.finalized, label, transition.target.rawValue)
        if case .deliver = transition {
            try observe(
                now - delivery.firstFailed, in: Counter.recoveryDuration, bounds: Histogram.recoveryBounds)
        }
    }
}

/// The columns that tie a state to its data; the schema's `CHECK`s demand the same.
private struct Columns {
    var state: DeliveryState
    var nextAttempt: Timestamp?
    var claims = 0
    var leaseUntil: Timestamp?
    var called: Timestamp?
    var confirmBy: Timestamp?
    var attemptsUsed = 0
    var finalized: Timestamp?
    var deadReason: DeadReason?
    var evidence: Evidence?
    var manual: ManualRetry?
    var isTrial = false
    /// Its new place in its endpoint's line; nil: the old one.
    var turn: Timestamp?

    init(_ transition: Transition, of delivery: Delivery, at now: Timestamp) {
        state = transition.target
        switch transition {
        case .attempt(let leaseUntil, let isTrial):
            claims = 1
            self.isTrial = isTrial
            self.leaseUntil = leaseUntil
            called = now
            manual = delivery.manual
        case .await(let until):
            called = delivery.called
            confirmBy = until
            manual = delivery.manual
            isTrial = delivery.isTrial
        case .retry(let retry, let at):
            nextAttempt = at
            manual = retry
        case .schedule(let at, let usesAttempt):
            nextAttempt = at
            attemptsUsed = usesAttempt ? 1 : 0
            turn = now
        case .standBack(let until):
            nextAttempt = until
        case .deliver(let evidence):
            finalized = now
            self.evidence = evidence
        case .die(let reason, let usesAttempt):
            finalized = now
            deadReason = reason
            attemptsUsed = usesAttempt ? 1 : 0
        }
    }

    func arguments(for delivery: Delivery, at now: Timestamp) -> StatementArguments {
        [
            "state": state.rawValue, "nextAttempt": nextAttempt?.milliseconds, "claims": claims,
            "leaseUntil": leaseUntil?.milliseconds, "called": called?.milliseconds,
            "confirmBy": confirmBy?.milliseconds, "used": attemptsUsed, "finalized": finalized?.milliseconds,
            "deadReason": deadReason?.rawValue, "deliveredBy": evidence?.actor.rawValue,
            "manual": manual?.asked.milliseconds, "keptAttempt": manual?.keptAttempt?.milliseconds,
            "keptDeadReason": manual?.keptDeadReason?.rawValue, "evidence": evidence?.source.rawValue,
            "evidenceTask": evidence?.taskID, "isTrial": isTrial, "turn": turn?.milliseconds, "now": now.milliseconds,
            "id": delivery.id, "from": delivery.state.rawValue, "token": delivery.leaseToken,
        ]
    }
}

extension ManualRetry {
    var keptAttempt: Timestamp? {
        if case .attempt(let time) = kept { time } else { nil }
    }

    var keptDeadReason: DeadReason? {
        if case .dead(let reason) = kept { reason } else { nil }
    }
}
