extension QueueTransaction {
    /// Carries out a transition. This is the one statement that changes a delivery's state.
    ///
    /// The `WHERE` names the state and the lease token that the decision was based on, so a late decision changes
    /// nothing.
    ///
    /// - Throws: `refusedMove` for a move that `DeliveryState.next` does not have, or when the row has changed.
    package mutating func move(_ delivery: Delivery, _ transition: Transition) throws {
        try move(delivery, transition, at: now)
    }

    /// Carries out a transition.
    ///
    /// - Parameter time: when it happened; earlier than now for what a restore repeats.
    /// - Returns: the delivery after it.
    /// - Throws: as `move`.
    package mutating func moved(
        _ delivery: Delivery, _ transition: Transition, at time: Timestamp? = nil
    ) throws -> Delivery {
        try move(delivery, transition, at: time ?? now)
        guard let moved = try self.delivery(id: delivery.id) else {
            throw StoreError(.refusedMove, operation: "move delivery \(delivery.id)", cause: "it is no longer there")
        }
        return moved
    }

    private mutating func move(_ delivery: Delivery, _ transition: Transition, at time: Timestamp) throws {
        guard delivery.state.next.contains(transition.target) else {
            throw StoreError(
                .refusedMove, operation: "move delivery \(delivery.id)",
                cause: "a delivery cannot move from \(delivery.state.rawValue) to \(transition.target.rawValue)")
        }
        let changes = Changes(transition, of: delivery, at: time)
        var parameters = changes.parameters
        parameters.add("id", delivery.id)
        parameters.add("from_state", delivery.state)
        parameters.add("from_token", delivery.leaseToken)
        // No `RETURNING`: SQLite makes a temporary table for it, which takes longer than the change.
        let moved = try session.change(
            "UPDATE delivery SET \(changes.sql) WHERE id = :id AND state = :from_state AND lease_token = :from_token",
            parameters)
        guard moved > 0 else {
            throw StoreError(
                .refusedMove, operation: "move delivery \(delivery.id)",
                cause: "it is no longer \(delivery.state.rawValue) under lease token \(delivery.leaseToken)")
        }
        counts.count(delivery, transition, at: time)
    }

    /// Sets the time of a scheduled delivery's next attempt; its state stays.
    func schedule(_ delivery: Delivery, at time: Timestamp) throws {
        try session.run(
            "UPDATE delivery SET next_attempt_ms = :next, updated_ms = :now WHERE id = :id",
            ["next": time, "now": now, "id": delivery.id])
    }
}

/// The columns that a move changes, each with its new value; the schema's `CHECK`s tie a state to its data. Columns
/// that stay are not named: SQLite rewrites every index that has one or a condition on it.
private struct Changes {
    private(set) var sql = "updated_ms = :updated_ms"
    private(set) var parameters: Parameters

    init(_ transition: Transition, of delivery: Delivery, at now: Timestamp) {
        parameters = ["updated_ms": now]
        let (from, to) = (delivery.state, transition.target)
        set("state", to)
        let data = StateData(transition, of: delivery, at: now)
        if from == .scheduled || to == .scheduled { set("next_attempt_ms", data.nextAttempt) }
        if from == .attempting || to == .attempting { set("lease_until_ms", data.leaseUntil) }
        if to == .attempting { set("lease_token", delivery.leaseToken + 1) }
        if to == .attempting, delivery.isPostponed { set("is_postponed", false) }
        if delivery.called != data.called { set("called_ms", data.called) }
        if from == .awaiting || to == .awaiting { set("confirm_by_ms", data.confirmBy) }
        if delivery.isTrial != data.isTrial { set("is_trial", data.isTrial) }
        if delivery.manual != data.manual { set(data.manual) }
        if data.usesAttempt { set("attempts_used", delivery.attemptsUsed + 1) }
        if let turn = data.turn { set(turn: turn) }
        if !from.isOpen || !to.isOpen { set("finalized_ms", data.finalized) }
        if from == .dead || to == .dead { set("dead_reason", data.deadReason) }
        if from == .delivered || to == .delivered { set(data.evidence) }
    }

    private mutating func set(_ column: StaticString, _ value: any SQLConvertible) {
        sql += ", \(column) = :\(column)"
        parameters.add(column, value)
    }

    private mutating func set(_ manual: ManualRetry?) {
        set("manual_ms", manual?.asked)
        set("kept_attempt_ms", manual?.keptAttempt)
        set("kept_dead_reason", manual?.keptDeadReason)
        set("manual_ignores_log", manual?.ignoresLog ?? false)
    }

    /// The place is behind the endpoint's recovery: a clock that was set back must not make it due at once again and
    /// again.
    private mutating func set(turn: Timestamp) {
        let recovery = "(SELECT recovered_ms + 1 FROM endpoint WHERE endpoint.id = delivery.endpoint_id)"
        sql += ", turn_ms = \(Dialect.greatest(":turn_ms", "coalesce(\(recovery), :turn_ms)"))"
        parameters.add("turn_ms", turn)
    }

    private mutating func set(_ evidence: Evidence?) {
        set("delivered_by", evidence?.actor)
        set("delivered_evidence", evidence?.source)
        set("delivered_task_id", evidence?.taskID)
    }
}

/// The data of the state that a move leads to.
private struct StateData {
    var nextAttempt: Timestamp?
    var leaseUntil: Timestamp?
    var called: Timestamp?
    var confirmBy: Timestamp?
    var usesAttempt = false
    var finalized: Timestamp?
    var deadReason: DeadReason?
    var evidence: Evidence?
    var manual: ManualRetry?
    var isTrial = false
    /// Its new place in its endpoint's line; nil: the old one.
    var turn: Timestamp?

    init(_ transition: Transition, of delivery: Delivery, at now: Timestamp) {
        switch transition {
        case .attempt(let leaseUntil, let isTrial):
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
            self.usesAttempt = usesAttempt
            turn = now
        case .standBack(let until):
            nextAttempt = until
        case .deliver(let evidence):
            finalized = now
            self.evidence = evidence
        case .die(let reason, let usesAttempt):
            finalized = now
            deadReason = reason
            self.usesAttempt = usesAttempt
        }
    }
}
