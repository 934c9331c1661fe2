/// Arrivals that only an answer proved (`confirm.by: answer`) and that the log contradicts. The log decides: such a
/// delivery is scheduled again, as if the answer had only said that the call was taken on.
extension RuledTransaction {
    /// Takes an arrival back because the log shows that its call has failed. Does nothing where the log or an operator
    /// proved it, where the failure is older than the call, and where the body is gone.
    ///
    /// - Parameter earliest: no next attempt before this time; nil: the policy alone decides.
    mutating func takeBack(
        _ delivery: Delivery, by sighting: Sighting, notBefore earliest: Timestamp?
    ) throws -> Settlement {
        let call = try session.first(
            """
            SELECT attempt.id, attempt.intent_ms
            FROM delivery
            JOIN delivery_body ON delivery_body.delivery_id = delivery.id
            JOIN attempt ON attempt.delivery_id = delivery.id AND attempt.lease_token = delivery.lease_token
            WHERE delivery.id = :id AND delivery.delivered_evidence = 'answer' AND delivery_body.body IS NOT NULL
              AND attempt.outcome = 'delivered' AND attempt.intent_ms <= :latest
            """,
            ["id": delivery.id, "latest": (sighting.changed ?? now) + RetryRules.clockTolerance]
        ) { (id: $0.integer(), began: $0.timestamp()) }
        guard let call else { return .nothing }
        try endAttempt(call.id, of: delivery, as: .failed, isOpenTrial: false)
        var called = delivery
        called.called = call.began
        try noteConfirmed(called, by: sighting)
        let failed = max(min(sighting.changed ?? now, now), call.began)
        try move(delivery, rules.retryFailed(delivery, at: failed).notBefore(earliest))
        return .failed
    }

    /// The delivery whose arrival only an answer proved, `confirm.within` ago or longer, while its own row still says
    /// failure in a log that changes its rows; nil: there is none.
    func contradicted(by entry: LogObservation, _ known: [KnownEntry], of endpoint: EndpointFacts) throws -> Delivery? {
        guard rules.confirmation == .answer, endpoint.changesRows, entry.outcome == .failed,
            !known.contains(where: { $0.outcome == .succeeded }),
            let delivery = try delivery(endpointID: endpoint.id, taskID: entry.taskID), delivery.state == .delivered,
            try session.exists(
                "SELECT 1 FROM delivery WHERE id = ? AND delivered_evidence = 'answer' AND finalized_ms <= ?",
                [delivery.id, now - rules.confirmWithin])
        else { return nil }
        return delivery
    }

    /// Lets a success in the log prove what an answer has proved so far.
    func proveByLog(_ delivery: Delivery, _ sighting: Sighting) throws {
        try session.run(
            """
            UPDATE delivery SET delivered_evidence = 'log', delivered_task_id = :task
            WHERE id = :id AND delivered_evidence = 'answer'
            """,
            ["task": sighting.taskID, "id": delivery.id])
    }

    /// Learns from a row that has another outcome under its old id and time that the log changes its rows.
    func learnChange(_ entry: LogObservation, _ known: [KnownEntry], of endpoint: EndpointFacts) throws {
        guard entry.outcome != .inProgress, endpoint.shows == .unknown, known.contains(where: { $0.isRow(of: entry) })
        else { return }
        try session.run(
            "UPDATE endpoint SET retry_shows = :shows WHERE id = :id AND retry_shows = :unknown",
            ["shows": RetryShows.inPlace, "id": endpoint.id, "unknown": RetryShows.unknown])
    }
}

extension Session {
    /// For how long the row of an arrival that only an answer proved is read again, where rows change.
    private static let answerWatch = Duration.seconds(3_600)

    /// When the oldest delivery was logged whose arrival only an answer proved, so long ago that its row must show it;
    /// nil: there is none.
    func oldestAnswered(of endpointID: String, rules: RetryRules, at now: Timestamp) throws -> Timestamp? {
        let latest = now - rules.confirmWithin
        return try number(
            """
            SELECT MIN(logged_ms) FROM delivery
            WHERE state = 'delivered' AND finalized_ms > :from AND finalized_ms <= :latest AND endpoint_id = :endpoint
              AND delivered_evidence = 'answer'
            """,
            ["from": latest - Self.answerWatch, "latest": latest, "endpoint": endpointID]
        ).map { Timestamp(milliseconds: $0) - RetryRules.clockTolerance }
    }
}
