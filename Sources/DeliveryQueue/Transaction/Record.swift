/// What recording a batch of results changed, in counts.
package struct RecordSummary: Sendable, Equatable {
    package var recorded = 0
    /// Results whose lease had run out. They are kept on the attempt, and move the delivery only while it awaits the
    /// log.
    package var late = 0
    /// Calls that the provider accepted.
    package var accepted = 0
    /// Endpoints whose logs have to show an outcome now.
    package var awaiting: Set<String> = []

    package init() {}
}

extension QueueStore {
    /// Records results of calls: each attempt's answer and its delivery's new state, the whole batch in one
    /// transaction.
    package func record(
        _ results: [CallResult], rules: RetryRules, at now: Timestamp
    ) async throws(StoreError) -> RecordSummary {
        try await change("record results of retry calls", rules: rules, at: now) { try $0.record(results) }
    }
}

extension RuledTransaction {
    /// Carries out what `AnswerTable` says of each result.
    mutating func record(_ results: [CallResult]) throws -> RecordSummary {
        var batch = ResultBatch()
        for result in results { try record(result, &batch) }
        // A claim in the same transaction reads them.
        try saveCircuits()
        return batch.summary
    }

    private mutating func record(_ result: CallResult, _ batch: inout ResultBatch) throws {
        batch.summary.recorded += 1
        if AnswerTable.row(result.answer).execution == .yes { batch.summary.accepted += 1 }
        counts.raise(Counter.retryRequests, result.answer.rawValue)
        counts.observe(result.duration, in: Counter.requestDuration, bounds: Histogram.requestBounds)
        guard let delivery = try delivery(id: result.deliveryID) else { return }
        guard delivery.leaseToken == result.leaseToken, delivery.state == .attempting else {
            return try recordLate(result, of: delivery, &batch)
        }
        try apply(result, to: delivery, &batch)
    }

    private mutating func apply(_ result: CallResult, to delivery: Delivery, _ batch: inout ResultBatch) throws {
        let row = AnswerTable.row(result.answer)
        try keepAnswer(result)
        try keepStreak(row.streak, of: delivery)
        if row.endpoint == .endsHolds { try noteAccepted(by: delivery.endpointID, &batch) }
        guard !rules.answerProves(result.answer) else {
            return try settleByAnswer(delivery)
        }
        let (transition, end) = rules.answered(
            result.answer, for: delivery, pause: result.pause, at: result.answered,
            othersPass: try othersPass(delivery, since: row.streak, result))
        if let end { try endOpenAttempt(of: delivery, as: end) }
        try move(delivery, transition)
        if case .await(let until) = transition {
            batch.summary.awaiting.insert(delivery.endpointID)
            var awaiting = delivery
            awaiting.state = .awaiting
            awaiting.confirmBy = until
            try settleFromStoredEntries(awaiting)
        } else if row.execution == .notSent {
            try repeatTry(with: delivery)
        } else if delivery.isTrial {
            try signal(.trialWasted, of: delivery.endpointID)
        }
        if row.effect.putsOff { try putOff(delivery.id) }
        if try holdIfRefused(delivery.endpointID, by: result.answer) { batch.passing.remove(delivery.endpointID) }
    }

    /// Keeps the answer of a call whose lease had run out. It moves the delivery only while that awaits the log.
    private mutating func recordLate(
        _ result: CallResult, of delivery: Delivery, _ batch: inout ResultBatch
    ) throws {
        batch.summary.late += 1
        try keepAnswer(result)
        guard delivery.leaseToken == result.leaseToken, delivery.state == .awaiting else { return }
        guard try !settleFromStoredEntries(delivery), rules.answerProves(result.answer) else { return }
        try settleByAnswer(delivery)
    }

    private mutating func settleByAnswer(_ delivery: Delivery) throws {
        try settle(delivery, by: .answer)
        let action = try signal(.arrived(at: nil, isRetry: true, isTrial: delivery.isTrial), of: delivery.endpointID)
        // Deliveries scheduled from here on stand behind the recovery in line, so the database has to know it.
        if action == .release { try saveCircuit(of: delivery.endpointID) }
    }

    /// Stores an answer on its attempt.
    private func keepAnswer(_ result: CallResult) throws {
        try session.run(
            """
            UPDATE attempt
            SET answered_ms = :answered, answer = :answer, http_status = :status, named_task_id = :named, detail = :detail
            WHERE delivery_id = :delivery AND lease_token = :token
              AND (answered_ms IS NULL OR answer = '\(Answer.interrupted)')
            """,
            [
                "answered": result.answered, "answer": result.answer, "status": result.status,
                "named": result.namedTaskID, "detail": result.detail, "delivery": result.deliveryID,
                "token": result.leaseToken,
            ])
    }

    // MARK: - Answers in a row

    /// Whether the provider took on another call since the delivery's first answer of this streak: one of its endpoint
    /// after a 5xx, one with the same credential after a 403.
    private func othersPass(
        _ delivery: Delivery, since streak: AnswerRow.Streak, _ result: CallResult
    ) throws -> Bool {
        switch streak {
        case .none, .ends, .notFound: return false
        case .forbidden:
            guard let since = delivery.forbiddenSince, let last = result.lastTakenOn else { return false }
            return last >= since
        case .serverErrors:
            guard let since = delivery.serverErrorsSince else { return false }
            return try session.exists(
                "SELECT 1 FROM endpoint WHERE id = ? AND last_accepted_ms >= ?", [delivery.endpointID, since])
        }
    }

    private func keepStreak(_ streak: AnswerRow.Streak, of delivery: Delivery) throws {
        switch streak {
        case .none: return
        case .ends:
            guard delivery.serverErrors > 0 || delivery.notFoundAnswers > 0 || delivery.forbiddenSince != nil else {
                return
            }
            try session.run(
                """
                UPDATE delivery
                SET server_errors = 0, server_errors_since_ms = NULL, not_found_answers = 0, forbidden_since_ms = NULL
                WHERE id = ?
                """,
                [delivery.id])
        case .serverErrors:
            try session.run(
                """
                UPDATE delivery
                SET server_errors = server_errors + 1, server_errors_since_ms = coalesce(server_errors_since_ms, ?)
                WHERE id = ?
                """,
                [now, delivery.id])
        case .notFound:
            try session.run(
                "UPDATE delivery SET not_found_answers = not_found_answers + 1 WHERE id = ?", [delivery.id])
        case .forbidden:
            try session.run(
                "UPDATE delivery SET forbidden_since_ms = coalesce(forbidden_since_ms, ?) WHERE id = ?",
                [now, delivery.id])
        }
    }

    // MARK: - The endpoint

    /// Lets the trial of a circuit, or the try after a hold's pause, be made at once: its call was never sent.
    private mutating func repeatTry(with delivery: Delivery) throws {
        if delivery.isTrial { try signal(.trialNotSent, of: delivery.endpointID) }
        guard delivery.manual == nil, let called = delivery.called else { return }
        // What was called while the endpoint was held was the one try.
        try session.run(
            "UPDATE endpoint SET hold_until_ms = :now WHERE id = :id AND hold_until_ms > :now AND hold_since_ms <= :called",
            ["now": now, "id": delivery.endpointID, "called": called])
    }

    /// Notes that the endpoint's calls are accepted, once for a batch.
    private mutating func noteAccepted(by endpointID: String, _ batch: inout ResultBatch) throws {
        guard batch.passing.insert(endpointID).inserted else { return }
        try session.run("UPDATE endpoint SET last_accepted_ms = ? WHERE id = ?", [now, endpointID])
        try release(endpointID, from: HoldReason.byAnswer)
    }
}

extension AnswerRow.Effect {
    /// Whether the delivery waits for its own time, whatever its endpoint does meanwhile.
    fileprivate var putsOff: Bool {
        switch self {
        case .onceMore, .onceMoreIfOthersPass: true
        case .awaits, .awaitsUnlessPoison, .again, .dies: false
        }
    }
}

/// What the results of one batch share while they are recorded.
private struct ResultBatch {
    var summary = RecordSummary()
    /// Endpoints with an accepted call in this batch and no hold after it: no more need be noted of them.
    var passing: Set<String> = []
}
