extension RuledTransaction {
    /// Finds the delivery that an entry of the log is about; nil: none that we know.
    ///
    /// The entry's task id comes first: a delivery's own, then one that was matched before, then one that an answer
    /// named. An unknown one is matched by content: the webhook, event type, customer and body of a call that is not
    /// newer than the entry, nor than the first reading of its task id; not where `EndpointFacts.showsOwnNames`.
    ///
    /// - Parameter known: the stored entries of the same task.
    mutating func match(
        _ entry: LogObservation, _ body: inout HashedBody, known: [KnownEntry], of endpoint: EndpointFacts
    ) throws -> Delivery? {
        let endpointID = endpoint.id
        let candidates = try candidates(for: entry, endpointID: endpointID)
        if candidates.isKnown { return try delivery(endpointID: endpointID, taskID: entry.taskID) }
        if candidates.isNamed, let delivery = try named(entry, &body, of: endpointID) { return delivery }
        guard !endpoint.showsOwnNames(rules: rules, at: now) else { return nil }
        let latest = (known.map(\.found) + [(entry.changed ?? now) + RetryRules.clockTolerance]).min()
        return try matchByContent(entry, &body, candidates, latestCall: latest ?? now, endpointID)
    }

    private mutating func matchByContent(
        _ entry: LogObservation, _ body: inout HashedBody, _ candidates: MatchCandidates, latestCall: Timestamp,
        _ endpointID: String
    ) throws -> Delivery? {
        guard candidates.called || candidates.unconfirmed || candidates.final, !body.isMissing,
            let eventType = entry.eventType
        else { return nil }
        var event: Parameters = [
            "endpoint": endpointID, "type": eventType, "customer": entry.customerID, "webhook": entry.webhookID,
            "sha256": body.digest(), "latest_call": latestCall,
        ]
        var match = try candidates.called ? session.number(Matching.waiting, event) : nil
        event.add("judged_since", now - Matching.lateOutcome)
        if match == nil, candidates.unconfirmed { match = try session.number(Matching.unconfirmed, event) }
        if match == nil, candidates.called { match = try session.number(Matching.failed, event) }
        if match == nil, candidates.final, rules.confirmation == .answer, entry.outcome == .failed {
            match = try session.number(Matching.answered, event)
        }
        if match == nil, candidates.final { match = try endedSince(entry, event: event) }
        guard let match, let delivery = try delivery(id: match) else { return nil }
        try addAlias(entry.taskID, to: delivery, source: .matched)
        return delivery
    }

    private func candidates(for entry: LogObservation, endpointID: String) throws -> MatchCandidates {
        let parameters: Parameters = [
            "endpoint": endpointID, "type": entry.eventType, "customer": entry.customerID,
            "judged_since": now - Matching.lateOutcome, "ended_since": now - Matching.lateEnd, "task": entry.taskID,
        ]
        return try session.first(Matching.candidates, parameters) {
            MatchCandidates(
                called: $0.flag(), unconfirmed: $0.flag(), final: $0.flag(), isKnown: $0.flag(), isNamed: $0.flag())
        } ?? MatchCandidates()
    }

    /// Finds the final delivery that a failure is about; what ended it stood on the same page, or was read before.
    private func endedSince(_ entry: LogObservation, event: Parameters) throws -> Int64? {
        guard entry.outcome == .failed, let changed = entry.changed else { return nil }
        var event = event
        event.add("changed", changed)
        event.add("ended_since", now - Matching.lateEnd)
        return try session.number(Matching.ended, event)
    }

    // MARK: - Names

    /// Stores a further task id under which the provider logs this delivery. It shows that the log does not keep to the
    /// deliveries' own.
    package func addAlias(_ taskID: String, to delivery: Delivery, source: AliasSource) throws {
        guard taskID != delivery.taskID else { return }
        try session.run(
            """
            INSERT INTO task_alias (endpoint_id, task_id, delivery_id, source) VALUES (:endpoint, :task, :id, :source)
            ON CONFLICT (endpoint_id, task_id) DO UPDATE SET source = excluded.source
            WHERE task_alias.delivery_id = excluded.delivery_id AND excluded.source = 'named'
            """,
            ["endpoint": delivery.endpointID, "task": taskID, "id": delivery.id, "source": source])
        try forgetOwnNames(of: delivery.endpointID)
    }

    /// Resets the evidence that an endpoint's log shows retries under the deliveries' own task ids.
    func forgetOwnNames(of endpointID: String) throws {
        try session.run(
            "UPDATE endpoint SET own_names = 0, own_names_ms = NULL WHERE id = ? AND own_names > 0", [endpointID])
    }
}

/// How a further task id of a delivery became known.
package enum AliasSource: String, SQLWord {
    /// An answer named it.
    case named
    /// An entry's content matched.
    case matched
}

/// Which kinds of delivery an entry could be about.
private struct MatchCandidates: Equatable {
    /// Open deliveries of its endpoint, event type and customer that were called.
    var called = false
    /// Calls of any delivery that lately ended unconfirmed.
    var unconfirmed = false
    /// Deliveries of its customer that ended lately.
    var final = false
    /// A delivery that has its task id.
    var isKnown = false
    /// A call whose answer named its task id.
    var isNamed = false
}

/// The statements that match by content. Each runs only when the one before it found nothing, and finds the number of
/// the delivery.
enum Matching {
    /// How long after its attempt ended a call's own entry may still appear.
    static let lateOutcome = Duration.seconds(86_400)
    /// How long ago a final delivery may have ended when its attempts ended within `lateOutcome`.
    static let lateEnd = lateOutcome * 2

    private static let sameEvent = """
        delivery.endpoint_id = :endpoint AND delivery.event_type = :type
        AND delivery.customer_id IS NOT DISTINCT FROM :customer
        AND delivery.webhook_id = :webhook AND delivery_body.sha256 = :sha256
        """

    /// This query comes first: it tells for most new failures that they match none of them.
    static let candidates = """
        SELECT
            EXISTS (SELECT 1 FROM delivery
                    WHERE endpoint_id = :endpoint AND event_type = :type
                      AND customer_id IS NOT DISTINCT FROM :customer AND finalized_ms IS NULL AND lease_token > 0),
            EXISTS (SELECT 1 FROM attempt WHERE outcome = 'unconfirmed' AND settled_ms >= :judged_since),
            EXISTS (SELECT 1 FROM delivery \(Dialect.byCustomer)
                    WHERE customer_id = :customer AND finalized_ms >= :ended_since),
            EXISTS (SELECT 1 FROM delivery WHERE endpoint_id = :endpoint AND task_id = :task)
            OR EXISTS (SELECT 1 FROM task_alias WHERE endpoint_id = :endpoint AND task_id = :task),
            EXISTS (SELECT 1 FROM attempt WHERE named_task_id = :task)
        """

    /// A condition on an attempt: its outcome may stand under a task id that its answer did not name.
    private static let mayStandUnderAny = """
        (attempt.named_task_id IS NULL OR attempt.named_task_id = delivery.task_id
         OR NOT EXISTS (SELECT 1 FROM endpoint WHERE endpoint.id = delivery.endpoint_id AND names_tell = 1))
        """
    /// The same where also the delivery's own task id is a name that is kept to.
    private static let mayStandUnderNew = """
        \(mayStandUnderAny) AND attempt.named_task_id IS DISTINCT FROM delivery.task_id
        """

    /// The oldest open call. Where names tell, a call whose answer named another task id is left out: its outcome will
    /// stand under that.
    static let waiting = """
        SELECT delivery.id
        FROM delivery
        JOIN delivery_body ON delivery_body.delivery_id = delivery.id
        WHERE delivery.state IN ('attempting', 'awaiting')
          AND \(sameEvent)
          AND delivery.called_ms <= :latest_call
          AND EXISTS (
              SELECT 1 FROM attempt
              WHERE attempt.delivery_id = delivery.id AND attempt.lease_token = delivery.lease_token
                AND \(mayStandUnderAny))
        ORDER BY delivery.called_ms, delivery.id
        LIMIT 1
        """

    /// The oldest call that ended unconfirmed, in whatever state its delivery is: logs lag.
    static let unconfirmed = """
        SELECT delivery.id
        FROM attempt \(Dialect.byUnconfirmed)
        \(Dialect.joinInOrder) delivery ON delivery.id = attempt.delivery_id
        \(Dialect.joinInOrder) delivery_body ON delivery_body.delivery_id = delivery.id
        WHERE attempt.outcome = 'unconfirmed'
          AND \(sameEvent)
          AND attempt.intent_ms <= :latest_call
          AND attempt.settled_ms >= :judged_since
          AND \(mayStandUnderAny)
        ORDER BY attempt.intent_ms, attempt.id
        LIMIT 1
        """

    /// An open delivery with a call that counts as failed because the provider's own attempt failed at that time. The
    /// call's own entry may still appear, under another task id. No more entries match than there are calls whose
    /// answer named none.
    static let failed = """
        SELECT delivery.id
        FROM delivery
        JOIN delivery_body ON delivery_body.delivery_id = delivery.id
        WHERE delivery.finalized_ms IS NULL
          AND \(sameEvent)
          AND EXISTS (
              SELECT 1 FROM attempt
              WHERE attempt.delivery_id = delivery.id AND attempt.outcome = 'failed' AND \(mayStandUnderNew)
                AND attempt.intent_ms <= :latest_call AND attempt.settled_ms >= :judged_since)
          AND (SELECT COUNT(*) FROM attempt
               WHERE attempt.delivery_id = delivery.id AND attempt.outcome = 'failed' AND \(mayStandUnderNew))
              > (SELECT COUNT(*) FROM task_alias
                 WHERE task_alias.delivery_id = delivery.id AND task_alias.source = 'matched')
        ORDER BY delivery.id
        LIMIT 1
        """

    /// The newest call that an answer proved alone: a failure of it contradicts that.
    static let answered = """
        SELECT delivery.id
        FROM delivery \(Dialect.byCustomer)
        JOIN delivery_body ON delivery_body.delivery_id = delivery.id
        WHERE delivery.customer_id IS NOT NULL AND delivery.delivered_evidence = 'answer'
          AND \(sameEvent)
          AND EXISTS (
              SELECT 1 FROM attempt
              WHERE attempt.delivery_id = delivery.id AND attempt.lease_token = delivery.lease_token
                AND \(mayStandUnderNew) AND attempt.intent_ms <= :latest_call)
          AND delivery.finalized_ms >= :judged_since
        ORDER BY delivery.finalized_ms DESC
        LIMIT 1
        """

    /// As `failed`, for a final delivery whose provider's attempt arrived or failed later than the entry. A failure
    /// after that attempt is an event of its own, however alike.
    static let ended = """
        SELECT delivery.id
        FROM delivery \(Dialect.byCustomer)
        JOIN delivery_body ON delivery_body.delivery_id = delivery.id
        WHERE delivery.customer_id IS NOT NULL
          AND \(sameEvent)
          AND EXISTS (
              SELECT 1 FROM attempt
              WHERE attempt.delivery_id = delivery.id AND attempt.outcome IN ('failed', 'delivered')
                AND \(mayStandUnderNew) AND attempt.intent_ms <= :latest_call
                AND attempt.settled_ms >= :judged_since)
          AND EXISTS (
              SELECT 1 FROM log_entry
              WHERE log_entry.delivery_id = delivery.id AND log_entry.task_id = delivery.task_id
                AND log_entry.outcome <> 'in_progress' AND log_entry.logged_ms >= :changed)
          AND (SELECT COUNT(*) FROM attempt
               WHERE attempt.delivery_id = delivery.id AND \(mayStandUnderNew)
                 AND attempt.outcome IN ('failed', 'delivered'))
              > (SELECT COUNT(*) FROM task_alias
                 WHERE task_alias.delivery_id = delivery.id AND task_alias.source = 'matched')
          AND delivery.finalized_ms >= :ended_since
        ORDER BY delivery.finalized_ms, delivery.id
        LIMIT 1
        """
}
