import GRDB

/// What recording a batch of outcomes changed, in counts.
package struct RecordSummary: Sendable, Equatable {
    package var recorded = 0
    /// Outcomes whose lease had run out; kept on the attempt, otherwise without effect.
    package var late = 0
    /// Calls that the provider took on.
    package var accepted = 0

    package init() {}
}

extension QueueStore {
    /// Records what came of calls: the attempt and the delivery's new state, all of a batch in one transaction.
    package func record(
        _ outcomes: [AttemptOutcome], rules: RetryRules, at now: Timestamp
    ) async throws(StoreError) -> RecordSummary {
        try await write("record outcomes of retry calls") { db in
            var summary = RecordSummary()
            for outcome in outcomes {
                try db.record(outcome, rules: rules, at: now, into: &summary)
            }
            return summary
        }
    }
}

extension Database {
    fileprivate func record(
        _ outcome: AttemptOutcome, rules: RetryRules, at now: Timestamp, into summary: inout RecordSummary
    ) throws {
        summary.recorded += 1
        if outcome.meaning == .accepted { summary.accepted += 1 }
        try keepAnswer(outcome)
        guard let delivery = try Delivery.fetch(self, id: outcome.deliveryID) else { return }
        if let named = outcome.namedTaskID {
            try adopt(named, for: delivery, leaseToken: outcome.leaseToken)
        }
        guard delivery.leaseToken == outcome.leaseToken else { return summary.late += 1 }
        switch delivery.state {
        case .attempting:
            let moved = try apply(outcome, to: delivery, rules: rules, at: now)
            try settleFromKnownEntries(moved, rules: rules, at: now)
        case .awaiting:
            summary.late += 1
            let settled = try settleFromKnownEntries(delivery, rules: rules, at: now)
            if settled.state == .awaiting, outcome.meaning == .accepted, rules.confirmation == .answer {
                try settleOpenAttempt(of: delivery, outcome: "delivered", at: now)
                try move(
                    delivery, rules.answered(.accepted, for: delivery, at: now, othersPass: false), at: now)
                try noteArrival(byAnswerTo: delivery, rules: rules, at: now)
            }
        case .scheduled, .delivered, .dead:
            summary.late += 1
        }
    }

    /// From now on the log entries of the named task are the delivery's, and those that were read before the answer too.
    private func adopt(_ named: String, for delivery: Delivery, leaseToken: Int64) throws {
        guard named != delivery.taskID else { return }
        // A failed retry that was read first and whose body did not match became a delivery of its own.
        let twin = try firstRow(
            "SELECT id FROM delivery WHERE endpoint_id = ? AND task_id = ? AND state = 'scheduled' AND lease_token = 0",
            [delivery.endpointID, named])
        let twinID = twin?["id"] as Int64?
        try run(
            """
            UPDATE log_entry SET delivery_id = ?, lease_token = ?
            WHERE endpoint_id = ? AND task_id = ? AND (delivery_id IS NULL OR delivery_id IS ?)
            """,
            [delivery.id, leaseToken, delivery.endpointID, named, twinID])
        if let twinID { try run("DELETE FROM delivery WHERE id = ?", [twinID]) }
        try addAlias(named, to: delivery, source: "named")
    }

    private func keepAnswer(_ outcome: AttemptOutcome) throws {
        try run(
            """
            UPDATE attempt SET answered_ms = ?, answer = ?, http_status = ?, named_task_id = ?, detail = ?
            WHERE delivery_id = ? AND lease_token = ? AND (answered_ms IS NULL OR answer = 'interrupted')
            """,
            [
                outcome.answered.milliseconds, outcome.answer, outcome.status, outcome.namedTaskID, outcome.detail,
                outcome.deliveryID, outcome.leaseToken,
            ])
        try raise(Counter.retryRequests, outcome.answer)
        try observe(outcome.duration, in: Counter.requestDuration, bounds: Histogram.requestBounds)
    }

    private func apply(
        _ outcome: AttemptOutcome, to delivery: Delivery, rules: RetryRules, at now: Timestamp
    ) throws -> Delivery {
        try keepStreaks(outcome, of: delivery, at: now)
        let others = try firstRow("SELECT last_accepted_ms FROM endpoint WHERE id = ?", [delivery.endpointID])
        let othersPass = delivery.serverErrorsSince.map { since in
            others.map { $0.timestamp("last_accepted_ms") >= since } ?? false
        }
        let transition = rules.answered(
            outcome.meaning, for: delivery, at: outcome.answered, othersPass: othersPass ?? false)
        if let end = attemptOutcome(of: outcome.meaning, transition) {
            try settleOpenAttempt(of: delivery, outcome: end, at: now)
        }
        let moved = try move(delivery, transition, at: now)
        if moved.state == .delivered {
            try noteArrival(byAnswerTo: delivery, rules: rules, at: now)
        } else if delivery.isTrial, moved.state != .awaiting {
            try observe(.trialWasted, of: delivery.endpointID, rules: rules, at: now)
        }
        if outcome.meaning == .notFound { try putOff(moved.id) }
        try holdIfRefused(outcome, delivery, at: now)
        return moved
    }

    private func noteArrival(byAnswerTo delivery: Delivery, rules: RetryRules, at now: Timestamp) throws {
        try noteArrival(of: delivery)
        try observe(
            .arrived(at: nil, isRetry: true, isTrial: delivery.isTrial), of: delivery.endpointID, rules: rules, at: now)
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
    private func keepStreaks(_ outcome: AttemptOutcome, of delivery: Delivery, at now: Timestamp) throws {
        switch outcome.meaning {
        case .accepted:
            try run(
                """
                UPDATE delivery SET server_errors = 0, server_errors_since_ms = NULL, not_found_answers = 0
                WHERE id = ?
                """,
                [delivery.id])
            try run("UPDATE endpoint SET last_accepted_ms = ? WHERE id = ?", [now.milliseconds, delivery.endpointID])
            try lift([.rejected, .redirected], of: delivery.endpointID, at: now)
        case .serverError:
            try run(
                """
                UPDATE delivery
                SET server_errors = server_errors + 1,
                    server_errors_since_ms = coalesce(server_errors_since_ms, ?)
                WHERE id = ?
                """,
                [now.milliseconds, delivery.id])
        case .notFound:
            try run("UPDATE delivery SET not_found_answers = not_found_answers + 1 WHERE id = ?", [delivery.id])
        case .uncertain, .notExecuted, .rejected, .redirected:
            return
        }
    }

    private func holdIfRefused(_ outcome: AttemptOutcome, _ delivery: Delivery, at now: Timestamp) throws {
        switch outcome.meaning {
        case .redirected:
            try hold(delivery.endpointID, .redirected, until: now + RetryRules.holdPause, at: now)
        case .rejected:
            let refused = try firstRow(
                """
                SELECT COUNT(DISTINCT attempt.delivery_id) AS n
                FROM attempt JOIN delivery ON delivery.id = attempt.delivery_id
                WHERE attempt.outcome = 'refused' AND attempt.answer = 'rejected' AND delivery.endpoint_id = ?1
                  AND attempt.settled_ms > (SELECT max(last_accepted_ms, resumed_ms) FROM endpoint WHERE id = ?1)
                """,
                [delivery.endpointID])
            guard (refused?["n"] ?? 0) >= RetryRules.holdLimit else { return }
            try hold(delivery.endpointID, .rejected, until: now + RetryRules.holdPause, at: now)
        case .accepted, .uncertain, .serverError, .notExecuted, .notFound:
            return
        }
    }
}
