import GRDB

/// What recording a batch of outcomes changed, in counts.
package struct RecordSummary: Sendable, Equatable {
    package var recorded = 0
    /// Outcomes whose lease had run out; kept on the attempt, otherwise without effect.
    package var late = 0
    /// Calls that the provider took on.
    package var accepted = 0
    /// Endpoints of which the log is to show an outcome now.
    package var awaiting: Set<String> = []

    package init() {}
}

extension QueueStore {
    /// Records what came of calls: the attempt and the delivery's new state, all of a batch in one transaction.
    package func record(
        _ outcomes: [AttemptOutcome], rules: RetryRules, at now: Timestamp
    ) async throws(StoreError) -> RecordSummary {
        try await write("record outcomes of retry calls") { try $0.record(outcomes, rules: rules, at: now) }
    }
}

extension Database {
    /// `QueueStore.record`, in a transaction that others may have a part in.
    func record(_ outcomes: [AttemptOutcome], rules: RetryRules, at now: Timestamp) throws -> RecordSummary {
        var batch = OutcomeBatch(db: self, rules: rules, now: now)
        for outcome in outcomes { try batch.record(outcome) }
        try batch.save()
        return batch.summary
    }
}

/// Outcomes on their way into the database, inside one transaction.
private struct OutcomeBatch {
    let db: Database
    let rules: RetryRules
    let now: Timestamp
    var summary = RecordSummary()
    /// To be saved when all are recorded.
    var counts = CounterTally()
    /// Endpoints of which a call of this batch was taken on, with no hold after it: there is nothing more to note of them.
    private var passing: Set<String> = []
    /// Of endpoints that this batch has something to show to, by their ids; to be saved when all are recorded.
    private var circuits: [String: CircuitKeeper] = [:]

    init(db: Database, rules: RetryRules, now: Timestamp) {
        self.db = db
        self.rules = rules
        self.now = now
    }

    /// Writes what stands for the batch as a whole.
    func save() throws {
        for circuit in circuits.values { try circuit.save(at: now) }
        try counts.save(in: db)
    }

    private mutating func observe(_ observation: EndpointCircuit.Observation, of endpointID: String) throws {
        var circuit = try circuits[endpointID] ?? CircuitKeeper(db, endpointID: endpointID, settings: rules.circuit)
        circuit.observe(observation, at: now)
        circuits[endpointID] = circuit
        guard circuit.action == .release else { return }
        // What is scheduled from here on has its place behind the recovery, which the database has to know for that.
        try circuit.save(at: now)
        circuits[endpointID] = nil
    }

    mutating func record(_ outcome: AttemptOutcome) throws {
        summary.recorded += 1
        if outcome.meaning == .accepted { summary.accepted += 1 }
        counts.raise(Counter.retryRequests, outcome.answer)
        counts.observe(outcome.duration, in: Counter.requestDuration, bounds: Histogram.requestBounds)
        guard let delivery = try Delivery.fetch(db, id: outcome.deliveryID) else { return }
        if let named = outcome.namedTaskID {
            try adopt(named, for: delivery, leaseToken: outcome.leaseToken)
        }
        guard delivery.leaseToken == outcome.leaseToken, delivery.state == .attempting else {
            return try recordLate(outcome, of: delivery)
        }
        try apply(outcome, to: delivery)
    }

    /// The lease had run out: the answer is kept, and has an effect only while the log is still waited for.
    private mutating func recordLate(_ outcome: AttemptOutcome, of delivery: Delivery) throws {
        summary.late += 1
        try keepAnswer(outcome, end: nil)
        guard delivery.leaseToken == outcome.leaseToken, delivery.state == .awaiting else { return }
        let settled = try db.settleFromKnownEntries(delivery, rules: rules, at: now)
        guard settled.state == .awaiting, outcome.meaning == .accepted, rules.confirmation == .answer else { return }
        try db.settleOpenAttempt(of: delivery, outcome: "delivered", at: now)
        try db.move(delivery, rules.answered(.accepted, for: delivery, at: now, othersPass: false), at: now, &counts)
        try noteArrival(byAnswerTo: delivery)
    }

    /// From now on the log entries of the named task are the delivery's, and those that were read before the answer too.
    private func adopt(_ named: String, for delivery: Delivery, leaseToken: Int64) throws {
        guard named != delivery.taskID else { return }
        // A failed retry that was read first and whose body did not match became a delivery of its own.
        let twinID = try db.first(
            "SELECT id FROM delivery WHERE endpoint_id = ? AND task_id = ? AND state = 'scheduled' AND lease_token = 0",
            [delivery.endpointID, named]
        ) { $0.integer() }
        try db.run(
            """
            UPDATE log_entry SET delivery_id = ?, lease_token = ?
            WHERE endpoint_id = ? AND task_id = ? AND (delivery_id IS NULL OR delivery_id IS ?)
            """,
            [delivery.id, leaseToken, delivery.endpointID, named, twinID])
        if let twinID { try db.run("DELETE FROM delivery WHERE id = ?", [twinID]) }
        try db.addAlias(named, to: delivery, source: "named")
    }

    /// - Parameter end: what became of the attempt, where the answer alone tells; nil: the log has to.
    private func keepAnswer(_ outcome: AttemptOutcome, end: String?) throws {
        let settled: Bindings = if let end { [end, now.milliseconds] } else { [] }
        try db.run(
            """
            UPDATE attempt SET answered_ms = ?, answer = ?, http_status = ?, named_task_id = ?, detail = ?
            \(end == nil ? "" : ", outcome = ?, settled_ms = ?")
            WHERE delivery_id = ? AND lease_token = ? AND (answered_ms IS NULL OR answer = 'interrupted')
            """,
            [outcome.answered.milliseconds, outcome.answer, outcome.status, outcome.namedTaskID, outcome.detail]
                + settled + [outcome.deliveryID, outcome.leaseToken])
    }

    private mutating func apply(_ outcome: AttemptOutcome, to delivery: Delivery) throws {
        try keepStreaks(outcome, of: delivery)
        let transition = rules.answered(
            outcome.meaning, for: delivery, at: outcome.answered, othersPass: try othersPass(delivery))
        let end = attemptOutcome(of: outcome.meaning, transition)
        try keepAnswer(outcome, end: end)
        if let end, delivery.isTrial { try db.raise(Counter.trials, delivery.endpointID, end) }
        try db.move(delivery, transition, at: now, &counts)
        switch transition {
        case .await(let until):
            summary.awaiting.insert(delivery.endpointID)
            var awaiting = delivery
            awaiting.state = .awaiting
            awaiting.confirmBy = until
            try db.settleFromKnownEntries(awaiting, rules: rules, at: now)
        case .deliver: try noteArrival(byAnswerTo: delivery)
        default: if delivery.isTrial { try observe(.trialWasted, of: delivery.endpointID) }
        }
        if outcome.meaning == .notFound { try db.putOff(delivery.id) }
        try holdIfRefused(outcome, delivery)
    }

    /// Whether the provider took on a call of the endpoint since the delivery's first bad answer in a row.
    private func othersPass(_ delivery: Delivery) throws -> Bool {
        guard let since = delivery.serverErrorsSince else { return false }
        return try db.exists(
            "SELECT 1 FROM endpoint WHERE id = ? AND last_accepted_ms >= ?", [delivery.endpointID, since.milliseconds])
    }

    private mutating func noteArrival(byAnswerTo delivery: Delivery) throws {
        try db.noteArrival(of: delivery)
        try observe(.arrived(at: nil, isRetry: true, isTrial: delivery.isTrial), of: delivery.endpointID)
    }

    /// What the answer alone says of the attempt; nil when the log has to tell.
    private func attemptOutcome(of meaning: AttemptOutcome.Meaning, _ transition: Transition) -> String? {
        switch (meaning, transition.target) {
        case (_, .awaiting): nil
        case (_, .delivered): "delivered"
        case (_, .dead): "refused"
        case (.notExecuted, _), (.notFound, _), (.redirected, _): "not_executed"
        case (.accepted, _), (.uncertain, _), (.serverError, _), (.rejected, _): nil
        }
    }

    /// Counts of bad answers in a row, which `RetryRules.answered` judges by, and the endpoint's newest good one.
    private mutating func keepStreaks(_ outcome: AttemptOutcome, of delivery: Delivery) throws {
        switch outcome.meaning {
        case .accepted:
            if delivery.serverErrors > 0 || delivery.notFoundAnswers > 0 {
                try db.run(
                    """
                    UPDATE delivery SET server_errors = 0, server_errors_since_ms = NULL, not_found_answers = 0
                    WHERE id = ?
                    """,
                    [delivery.id])
            }
            guard passing.insert(delivery.endpointID).inserted else { return }
            try db.run(
                "UPDATE endpoint SET last_accepted_ms = ? WHERE id = ?", [now.milliseconds, delivery.endpointID])
            try db.lift([.rejected, .redirected], of: delivery.endpointID, at: now)
        case .serverError:
            try db.run(
                """
                UPDATE delivery
                SET server_errors = server_errors + 1,
                    server_errors_since_ms = coalesce(server_errors_since_ms, ?)
                WHERE id = ?
                """,
                [now.milliseconds, delivery.id])
        case .notFound:
            try db.run("UPDATE delivery SET not_found_answers = not_found_answers + 1 WHERE id = ?", [delivery.id])
        case .uncertain, .notExecuted, .rejected, .redirected:
            return
        }
    }

    private mutating func holdIfRefused(_ outcome: AttemptOutcome, _ delivery: Delivery) throws {
        switch outcome.meaning {
        case .redirected:
            try hold(delivery.endpointID, .redirected)
        case .rejected:
            let refused = try db.first(
                """
                SELECT COUNT(DISTINCT attempt.delivery_id)
                FROM attempt JOIN delivery ON delivery.id = attempt.delivery_id
                WHERE attempt.outcome = 'refused' AND attempt.answer = 'rejected' AND delivery.endpoint_id = ?1
                  AND attempt.settled_ms > (SELECT max(last_accepted_ms, resumed_ms) FROM endpoint WHERE id = ?1)
                """,
                [delivery.endpointID]
            ) { $0.integer() }
            guard (refused ?? 0) >= RetryRules.holdLimit else { return }
            try hold(delivery.endpointID, .rejected)
        case .accepted, .uncertain, .serverError, .notExecuted, .notFound:
            return
        }
    }

    private mutating func hold(_ endpointID: String, _ reason: HoldReason) throws {
        passing.remove(endpointID)
        try db.hold(endpointID, reason, until: now + RetryRules.holdPause, at: now)
    }
}
