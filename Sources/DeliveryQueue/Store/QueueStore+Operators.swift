import GRDB

/// What an action on many deliveries did.
package struct ActionSummary: Sendable, Equatable {
    package var done = 0
    /// Those that were no longer in a state for it, by the reason.
    package var skipped: [OperatorAction.Refusal: Int] = [:]

    package init() {}
}

/// What an operator's pausing or resuming of an endpoint came to.
package enum HoldChange: Sendable {
    case made
    /// It was paused already, or nothing held it: nothing was changed and nothing noted.
    case needless
    case noEndpoint
}

extension QueueStore {
    /// Deliveries that one transaction changes at most, so that the daemon is never kept waiting for long.
    private static let actionBatch = 500

    /// Does an action to one delivery, and notes who did it and why, in one transaction.
    ///
    /// - Returns: false when there is no such delivery.
    /// - Throws: `refusedMove` with the reason why it cannot be done now.
    package func act(
        _ action: OperatorAction, on id: Int64, by who: String, reason: String, at now: Timestamp
    ) async throws(StoreError) -> Bool {
        let operation = "\(action.rawValue) delivery \(id)"
        return try await write(operation) { db in
            guard let delivery = try Delivery.fetch(db, id: id) else { return false }
            let note = OperatorNote(who: who, reason: reason, at: now)
            if let refusal = try db.act(action, on: delivery, note, dueAt: now) {
                throw StoreError(.refusedMove, operation: operation, cause: refusal.rawValue)
            }
            return true
        }
    }

    /// Does an action to each of a fixed set of deliveries, in small transactions beside the daemon. One that is in no
    /// state for it is skipped and counted; one that is gone is not counted.
    ///
    /// - Parameter spacing: the time from one delivery's call to the next one's; zero: all are due at once.
    package func act(
        _ action: OperatorAction, on ids: [Int64], spacing: Duration, by who: String, reason: String, at now: Timestamp
    ) async throws(StoreError) -> ActionSummary {
        var summary = ActionSummary()
        let note = OperatorNote(who: who, reason: reason, at: now)
        for start in stride(from: 0, to: ids.count, by: Self.actionBatch) {
            let batch = ids[start..<min(start + Self.actionBatch, ids.count)]
            let before = summary
            summary = try await write("\(action.rawValue) deliveries") { db in
                var summary = before
                for id in batch {
                    guard let delivery = try Delivery.fetch(db, id: id) else { continue }
                    let due = now + spacing * summary.done
                    if let refusal = try db.act(action, on: delivery, note, dueAt: due) {
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

    /// Holds an endpoint until an operator resumes it: nothing of it is retried, nothing of it is lost. Noted when it changes
    /// something.
    package func pause(
        endpoint id: String, by who: String, reason: String, at now: Timestamp
    ) async throws(StoreError) -> HoldChange {
        try await write("pause endpoint \(id)") { db in
            guard let standing = try db.holdStanding(of: id) else { return .noEndpoint }
            guard standing.reason != .operator else { return .needless }
            try db.hold(id, .operator, until: nil, at: now)
            try OperatorNote(who: who, reason: reason, at: now).write("pause", of: id, deliveryID: nil, in: db)
            return .made
        }
    }

    /// Ends the hold of an endpoint, whatever its reason, and closes its circuit. The age clock of what waited stood still while
    /// it was held. Noted when it changes something.
    package func resume(
        endpoint id: String, by who: String, reason: String, at now: Timestamp
    ) async throws(StoreError) -> HoldChange {
        try await write("resume endpoint \(id)") { db in
            guard let standing = try db.holdStanding(of: id) else { return .noEndpoint }
            guard standing.reason != nil || standing.circuit != .closed else { return .needless }
            try db.endHold(of: id, at: now)
            try db.observe(.resumed, of: id, rules: RetryRules(), at: now)
            try OperatorNote(who: who, reason: reason, at: now).write("resume", of: id, deliveryID: nil, in: db)
            return .made
        }
    }

    /// The number of the newest operator's action, 0 before the first: a greater one tells the daemon to look at once.
    package func newestOperatorAction() async throws(StoreError) -> Int64 {
        try await read("look for operators' actions") { db in
            try db.firstRow("SELECT max(id) AS id FROM operator_action")?["id"] ?? 0
        }
    }

    /// The endpoints of which an operator asked for retries.
    package func endpointsWithManualRetries() async throws(StoreError) -> Set<String> {
        try await read("look for operators' retries") { db in
            Set(
                try db.rows(
                    "SELECT DISTINCT endpoint_id FROM delivery WHERE state = 'scheduled' AND manual_ms IS NOT NULL"
                ).map { $0["endpoint_id"] as String })
        }
    }
}

/// Who did something by hand, when and why.
struct OperatorNote: Sendable {
    let who: String
    let reason: String
    let at: Timestamp

    func write(_ action: String, of endpointID: String, deliveryID: Int64?, in db: Database) throws {
        try db.run(
            """
            INSERT INTO operator_action (at_ms, who, action, endpoint_id, delivery_id, reason)
            VALUES (?, ?, ?, ?, ?, ?)
            """,
            [at.milliseconds, who, action, endpointID, deliveryID, reason])
    }
}

extension Database {
    func isEndpoint(_ id: String) throws -> Bool {
        try firstRow("SELECT 1 FROM endpoint WHERE id = ?", [id]) != nil
    }

    /// What holds an endpoint now; nil: there is no such endpoint.
    fileprivate func holdStanding(of id: String) throws -> (reason: HoldReason?, circuit: EndpointCircuit.Phase)? {
        try firstRow(
            "SELECT hold_reason, circuit_open_ms, circuit_next_trial_ms, circuit_limit FROM endpoint WHERE id = ?", [id]
        ).map { row in
            ((row["hold_reason"] as String?).flatMap(HoldReason.init(rawValue:)), EndpointCircuit.Phase(row: row))
        }
    }

    /// - Returns: why it was not done; nil when it was.
    fileprivate func act(
        _ action: OperatorAction, on delivery: Delivery, _ note: OperatorNote, dueAt time: Timestamp
    ) throws -> OperatorAction.Refusal? {
        let facts = try firstRow(
            """
            SELECT delivery.dead_reason, endpoint.active, endpoint.hold_reason IS 'operator' AS paused,
                EXISTS (SELECT 1 FROM delivery_body WHERE delivery_id = delivery.id AND body IS NOT NULL) AS has_body
            FROM delivery JOIN endpoint ON endpoint.id = delivery.endpoint_id WHERE delivery.id = ?
            """,
            [delivery.id])
        guard let facts else { return nil }
        let decision = action.decide(
            on: delivery,
            .init(hasBody: facts["has_body"], isConfigured: facts["active"], isPaused: facts["paused"]),
            deadReason: (facts["dead_reason"] as String?).flatMap(DeadReason.init(rawValue:)), at: note.at, dueAt: time)
        switch decision {
        case .failure(let refused): return refused.refusal
        case .success(let transition): try carryOut(transition, on: delivery, at: note.at)
        }
        if action == .requeue { try beginCycle(of: delivery, at: note.at) }
        try note.write(action.rawValue, of: delivery.endpointID, deliveryID: delivery.id, in: self)
        return nil
    }

    /// A delivery that waits already makes no move of its state when a retry is put before its schedule.
    private func carryOut(_ transition: Transition, on delivery: Delivery, at now: Timestamp) throws {
        guard delivery.state == .scheduled, case .retry(let manual, let time) = transition else {
            try move(delivery, transition, at: now)
            return
        }
        try run(
            """
            UPDATE delivery
            SET manual_ms = ?, kept_attempt_ms = ?, kept_dead_reason = ?, next_attempt_ms = ?, updated_ms = ?
            WHERE id = ?
            """,
            [
                manual.asked.milliseconds, manual.keptAttempt?.milliseconds, manual.keptDeadReason?.rawValue,
                time.milliseconds, now.milliseconds, delivery.id,
            ])
    }

    private func beginCycle(of delivery: Delivery, at now: Timestamp) throws {
        try run(
            """
            UPDATE delivery
            SET cycle = cycle + 1, cycle_started_ms = ?, attempts_used = 0,
                server_errors = 0, server_errors_since_ms = NULL, not_found_answers = 0
            WHERE id = ?
            """,
            [now.milliseconds, delivery.id])
        try startAgeClock(of: delivery, from: now)
    }
}
