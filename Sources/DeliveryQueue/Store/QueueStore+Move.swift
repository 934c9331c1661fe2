import GRDB

extension Database {
    /// Carries out a transition: the one statement by which a delivery changes its state.
    ///
    /// The `WHERE` names the state and the lease token that the decision was based on, so a decision that came too late
    /// changes nothing.
    ///
    /// - Throws: `refusedMove` for a move that `DeliveryState.next` does not have, or when the row is no longer there.
    func move(_ delivery: Delivery, _ transition: Transition, at now: Timestamp) throws {
        var counts = CounterTally()
        try move(delivery, transition, at: now, &counts)
        try counts.save(in: self)
    }

    /// Carries out a transition, as one of many in its transaction.
    ///
    /// - Parameter counts: to be saved before the transaction ends.
    /// - Throws: as the other.
    func move(
        _ delivery: Delivery, _ transition: Transition, at now: Timestamp, _ counts: inout CounterTally
    ) throws {
        guard delivery.state.next.contains(transition.target) else {
            throw StoreError(
                .refusedMove, operation: "move delivery \(delivery.id)",
                cause: "\(delivery.state.rawValue) → \(transition.target.rawValue) is no move of a delivery")
        }
        let changes = Changes(transition, of: delivery, at: now)
        // No `RETURNING`: SQLite makes a table of its own for what it returns, which takes longer than the change.
        try run(
            "UPDATE delivery SET \(changes.sql) WHERE id = ? AND state = ? AND lease_token = ?",
            changes.bindings + [delivery.id, delivery.state.rawValue, delivery.leaseToken])
        guard changesCount > 0 else {
            throw StoreError(
                .refusedMove, operation: "move delivery \(delivery.id)",
                cause: "it is no longer \(delivery.state.rawValue) under lease token \(delivery.leaseToken)")
        }
        counts.count(delivery, transition, at: now)
    }

    /// Carries out a transition.
    ///
    /// - Returns: the delivery as it is then.
    /// - Throws: as `move`.
    func moved(_ delivery: Delivery, _ transition: Transition, at now: Timestamp) throws -> Delivery {
        try move(delivery, transition, at: now)
        guard let moved = try Delivery.fetch(self, id: delivery.id) else {
            throw StoreError(.refusedMove, operation: "move delivery \(delivery.id)", cause: "it is no longer there")
        }
        return moved
    }
}

/// The columns that a move changes, each with its new value; the schema's `CHECK`s tie a state to its data. No other column is
/// named: SQLite writes anew every index that has one that is named, or a condition on it.
private struct Changes {
    private(set) var sql = "updated_ms = ?"
    private(set) var bindings: Bindings

    init(_ transition: Transition, of delivery: Delivery, at now: Timestamp) {
        bindings = [now.milliseconds]
        let (from, to) = (delivery.state, transition.target)
        set("state", to.rawValue)
        let data = StateData(transition, of: delivery, at: now)
        if [from, to].contains(.scheduled) { set("next_attempt_ms", data.nextAttempt?.milliseconds) }
        if [from, to].contains(.attempting) { set("lease_until_ms", data.leaseUntil?.milliseconds) }
        if to == .attempting { set("lease_token", delivery.leaseToken + 1) }
        if delivery.called != data.called { set("called_ms", data.called?.milliseconds) }
        if [from, to].contains(.awaiting) { set("confirm_by_ms", data.confirmBy?.milliseconds) }
        if delivery.isTrial != data.isTrial { set("is_trial", data.isTrial) }
        if delivery.manual != data.manual { set(data.manual) }
        if data.usesAttempt { set("attempts_used", delivery.attemptsUsed + 1) }
        if let turn = data.turn { set(turn: turn) }
        if !from.isOpen || !to.isOpen { set("finalized_ms", data.finalized?.milliseconds) }
        if [from, to].contains(.dead) { set("dead_reason", data.deadReason?.rawValue) }
        if [from, to].contains(.delivered) { set(data.evidence) }
    }

    private mutating func set(_ column: String, _ value: any Bindable) {
        sql += ", \(column) = ?"
        bindings += [value]
    }

    private mutating func set(_ manual: ManualRetry?) {
        set("manual_ms", manual?.asked.milliseconds)
        set("kept_attempt_ms", manual?.keptAttempt?.milliseconds)
        set("kept_dead_reason", manual?.keptDeadReason?.rawValue)
    }

    /// A clock that was set back must not make it due at once again and again.
    private mutating func set(turn: Timestamp) {
        sql += """
            , turn_ms = max(?, coalesce(
                (SELECT recovered_ms + 1 FROM endpoint WHERE endpoint.id = delivery.endpoint_id), ?))
            """
        bindings += [turn.milliseconds, turn.milliseconds]
    }

    private mutating func set(_ evidence: Evidence?) {
        set("delivered_by", evidence?.actor.rawValue)
        set("delivered_evidence", evidence?.source.rawValue)
        set("delivered_task_id", evidence?.taskID)
    }
}

/// What belongs to the state that a move leads to.
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

extension ManualRetry {
    var keptAttempt: Timestamp? {
        if case .attempt(let time) = kept { time } else { nil }
    }

    var keptDeadReason: DeadReason? {
        if case .dead(let reason) = kept { reason } else { nil }
    }
}
