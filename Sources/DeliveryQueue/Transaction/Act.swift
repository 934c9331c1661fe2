/// What an action on many deliveries did.
package struct ActionSummary: Sendable, Equatable {
    package var done = 0
    /// Deliveries in no state for it, which were skipped, by the reason.
    package var skipped: [OperatorAction.Refusal: Int] = [:]

    package init() {}
}

/// Who does something by hand, and why.
package struct OperatorNote: Sendable, Equatable {
    package let who: String
    package let reason: String

    package init(by who: String, reason: String) {
        self.who = who
        self.reason = reason
    }
}

extension QueueStore {
    /// How many deliveries one transaction changes at most, so that the daemon never waits long.
    private static let actionBatch = 500

    /// Does an action to one delivery, and notes who did it and why, in one transaction.
    ///
    /// - Parameter ignoresLog: whether a retry is sent although its log cannot be read.
    /// - Returns: false when there is no such delivery.
    /// - Throws: `refusedMove` with the reason why it cannot be done now.
    package func act(
        _ action: OperatorAction, on id: Int64, ignoresLog: Bool = false, by who: String, reason: String,
        at now: Timestamp
    ) async throws(StoreError) -> Bool {
        let operation = "\(action.rawValue) delivery \(id)"
        return try await change(operation, at: now) { queue in
            guard let delivery = try queue.delivery(id: id) else { return false }
            let note = OperatorNote(by: who, reason: reason)
            if let refusal = try queue.act(action, on: delivery, note, ignoresLog: ignoresLog, dueAt: now) {
                throw StoreError(.refusedMove, operation: operation, cause: refusal.rawValue)
            }
            return true
        }
    }

    /// Does an action to each of a fixed set of deliveries, in small transactions beside the daemon. A delivery in no
    /// state for it is skipped and counted; one that is gone is not counted.
    ///
    /// - Parameters:
    ///   - spacing: the time from one delivery's call to the next one's; zero: all are due at once.
    ///   - ignoresLog: whether a retry is sent although its log cannot be read.
    package func act(
        _ action: OperatorAction, on ids: [Int64], spacing: Duration, ignoresLog: Bool = false, by who: String,
        reason: String, at now: Timestamp
    ) async throws(StoreError) -> ActionSummary {
        var summary = ActionSummary()
        let note = OperatorNote(by: who, reason: reason)
        for start in stride(from: 0, to: ids.count, by: Self.actionBatch) {
            let batch = ids[start..<min(start + Self.actionBatch, ids.count)]
            let before = summary
            summary = try await change("\(action.rawValue) deliveries", at: now) { queue in
                var summary = before
                for id in batch {
                    guard let delivery = try queue.delivery(id: id) else { continue }
                    let due = now + spacing * summary.done
                    if let refusal = try queue.act(action, on: delivery, note, ignoresLog: ignoresLog, dueAt: due) {
                        summary.skipped[refusal, default: 0] += 1
                    } else {
                        summary.done += 1
                    }
                }
                return summary
            }
        }
        return summary
    }
}

extension QueueTransaction {
    /// Stores who did what by hand, and why.
    package func write(
        _ note: OperatorNote, _ action: NotedAction, of endpointID: String, deliveryID: Int64?
    ) throws {
        try session.run(
            """
            INSERT INTO operator_action (at_ms, who, action, endpoint_id, delivery_id, reason)
            VALUES (:now, :who, :action, :endpoint, :delivery, :reason)
            """,
            [
                "now": now, "who": note.who, "action": action, "endpoint": endpointID, "delivery": deliveryID,
                "reason": note.reason,
            ])
    }

    /// - Returns: why it was not done; nil when it was.
    fileprivate mutating func act(
        _ action: OperatorAction, on delivery: Delivery, _ note: OperatorNote, ignoresLog: Bool, dueAt time: Timestamp
    ) throws -> OperatorAction.Refusal? {
        let facts = try session.first(
            """
            SELECT delivery.dead_reason, endpoint.active, endpoint.hold_reason IS NOT DISTINCT FROM 'operator',
                EXISTS (SELECT 1 FROM delivery_body WHERE delivery_id = delivery.id AND body IS NOT NULL)
            FROM delivery JOIN endpoint ON endpoint.id = delivery.endpoint_id WHERE delivery.id = ?
            """,
            [delivery.id]
        ) {
            (
                deadReason: $0.wordIfAny(DeadReason.self), isConfigured: $0.flag(), isPaused: $0.flag(),
                hasBody: $0.flag()
            )
        }
        guard let facts else { return nil }
        let decision = action.decide(
            on: delivery,
            .init(hasBody: facts.hasBody, isConfigured: facts.isConfigured, isPaused: facts.isPaused),
            deadReason: facts.deadReason, ignoresLog: ignoresLog, at: now, dueAt: time)
        switch decision {
        case .failure(let refused): return refused.refusal
        case .success(let transition): try carryOut(transition, on: delivery)
        }
        if action == .requeue { try beginCycle(of: delivery, from: now) }
        try write(note, action.noted, of: delivery.endpointID, deliveryID: delivery.id)
        return nil
    }

    /// Carries out the transition of an action. A scheduled delivery that gets an operator's retry keeps its state.
    private mutating func carryOut(_ transition: Transition, on delivery: Delivery) throws {
        guard delivery.state == .scheduled, case .retry(let manual, let time) = transition else {
            return try move(delivery, transition)
        }
        try session.run(
            """
            UPDATE delivery
            SET manual_ms = :asked, kept_attempt_ms = :kept, kept_dead_reason = :reason, manual_ignores_log = :ignores_log,
                next_attempt_ms = :next, updated_ms = :now
            WHERE id = :id
            """,
            [
                "asked": manual.asked, "kept": manual.keptAttempt, "reason": manual.keptDeadReason,
                "ignores_log": manual.ignoresLog, "next": time, "now": now, "id": delivery.id,
            ])
    }

    /// Begins a new cycle of a delivery, whose age counts from then.
    func beginCycle(of delivery: Delivery, from time: Timestamp) throws {
        try session.run(
            """
            UPDATE delivery
            SET cycle = cycle + 1, cycle_started_ms = ?, attempts_used = 0,
                server_errors = 0, server_errors_since_ms = NULL, not_found_answers = 0,
                forbidden_since_ms = NULL, is_postponed = 0
            WHERE id = ?
            """,
            [time, delivery.id])
        try startAgeClock(of: delivery, from: time)
    }
}
