/// What a clock that was ahead did to calls: they seem to have begun after their outcome was logged.
extension RuledTransaction {
    /// An SQL condition on `attempt`: the log may still show its outcome.
    private static let isUndecided = "(attempt.outcome IS NULL OR attempt.outcome = 'unconfirmed')"

    /// Forgets what such a clock found in the log and judged wrongly: entries that it could match to nothing, and those
    /// that it took for older than the call that they are about.
    ///
    /// Entries that were found before the call stay. Read once more, a failure before the call would end the call.
    ///
    /// - Returns: provider time of the oldest of them; nil: none has one.
    func forgetEntries(foundAfter latest: Timestamp, of endpointID: String) throws -> Timestamp? {
        let parameters: Parameters = ["latest": latest, "endpoint": endpointID]
        let wrong =
            ["delivery WHERE \(Self.isTwin)"] + [Self.isUnrelated, Self.isRefused].map { "log_entry WHERE \($0)" }
        var oldest: [Timestamp] = []
        for rows in wrong {
            if let logged = try session.number("SELECT MIN(logged_ms) FROM \(rows) AND logged_ms > 0", parameters) {
                oldest.append(Timestamp(milliseconds: logged))
            }
            try session.run("DELETE FROM \(rows)", parameters)
        }
        return oldest.min()
    }

    // What was read in the future was seen in the future too, and that column has an index. A success of no call of
    // ours was judged rightly.
    private static let isUnrelated = """
        delivery_id IS NULL AND seen_ms > :latest AND found_ms > :latest AND endpoint_id = :endpoint
        AND (outcome = 'failed' OR EXISTS (
            SELECT 1 FROM attempt \(Dialect.joinInOrder) delivery ON delivery.id = attempt.delivery_id
            WHERE attempt.intent_ms > :latest AND \(isUndecided) AND delivery.endpoint_id = :endpoint))
        """

    private static let isRefused = """
        \(Dialect.unindexed("endpoint_id")) = :endpoint AND found_ms > :latest
        AND delivery_id IN (SELECT delivery_id FROM attempt WHERE intent_ms > :latest AND \(isUndecided))
        AND found_ms > (SELECT MIN(attempt.intent_ms) FROM attempt
                        WHERE attempt.delivery_id = log_entry.delivery_id AND attempt.intent_ms > :latest AND \(isUndecided))
        """

    // Deliveries that may be failed retries of such calls under other task ids: of the same event, found since the
    // call, and never called. Read again, they are matched; where they cannot be read, the call counts as unconfirmed,
    // and its delivery is still there.
    private static let isTwin = """
        endpoint_id = :endpoint AND state = 'scheduled' AND lease_token = 0 AND manual_ms IS NULL AND cycle = 1
        AND created_ms > :latest
        AND EXISTS (
            SELECT 1 FROM attempt
            \(Dialect.joinInOrder) delivery AS called ON called.id = attempt.delivery_id
            \(Dialect.joinInOrder) delivery_body ON delivery_body.delivery_id = called.id
            WHERE attempt.intent_ms > :latest AND \(isUndecided) AND attempt.intent_ms < delivery.created_ms
              AND called.endpoint_id = delivery.endpoint_id AND called.event_type = delivery.event_type
              AND called.customer_id IS NOT DISTINCT FROM delivery.customer_id
              AND called.webhook_id = delivery.webhook_id AND called.id <> delivery.id
              AND delivery_body.sha256
                  = (SELECT sha256 FROM delivery_body AS own WHERE own.delivery_id = delivery.id))
        """

    /// Gives calls that seem to be made in the future times that lie before their outcome, and waits that such a clock
    /// began the length that they were to have.
    ///
    /// Nobody knows how far ahead the clock was. But a call is made after the last failure that was read before it, and
    /// everything up to there was read before the call: what was logged since may be its outcome.
    func putCallsRight(of endpointID: String) throws {
        let latest = now + RetryRules.clockTolerance
        let parameters: Parameters = ["latest": latest, "now": now, "endpoint": endpointID]
        let failed = """
            coalesce(
                (SELECT MAX(logged_ms) FROM log_entry
                 WHERE log_entry.delivery_id = attempt.delivery_id AND outcome = 'failed' AND logged_ms > 0
                   AND found_ms <= attempt.intent_ms),
                (SELECT last_failed_ms FROM delivery WHERE delivery.id = attempt.delivery_id))
            """
        func cut(_ column: String) -> String { "\(column) = \(Dialect.least(column, ":now"))" }
        try session.run(
            """
            UPDATE attempt
            SET intent_ms = \(Dialect.least("\(failed) + :tolerance", ":now")), \(cut("answered_ms")), \(cut("settled_ms"))
            WHERE intent_ms > :latest AND EXISTS (
                SELECT 1 FROM delivery WHERE delivery.id = attempt.delivery_id AND endpoint_id = :endpoint)
            """,
            parameters + ["tolerance": RetryRules.clockTolerance.wholeMilliseconds])
        try session.run(
            """
            UPDATE delivery
            SET lease_until_ms = CASE WHEN lease_until_ms IS NOT NULL THEN :now + (lease_until_ms - called_ms) END,
                confirm_by_ms = \(Dialect.least("confirm_by_ms", ":confirm_by")), \(cut("updated_ms")),
                called_ms = (
                    SELECT intent_ms FROM attempt
                    WHERE attempt.delivery_id = delivery.id AND attempt.lease_token = delivery.lease_token)
            WHERE endpoint_id = :endpoint AND state IN ('attempting', 'awaiting') AND called_ms > :latest
            """,
            parameters + ["confirm_by": now + rules.confirmWithin])
        try session.run(
            """
            UPDATE delivery
            SET next_attempt_ms = :now + \(Dialect.greatest("0", "next_attempt_ms - updated_ms")), \(cut("turn_ms")),
                \(cut("updated_ms"))
            WHERE endpoint_id = :endpoint AND state = 'scheduled' AND next_attempt_ms > :latest AND updated_ms > :latest
            """, parameters)
    }

    /// Schedules again what such a clock has ended because of its age.
    mutating func reviveAged(of endpointID: String) throws {
        let dead = try session.all(
            """
            SELECT \(Delivery.columns) FROM delivery_standing AS delivery
            WHERE delivery.state = 'dead' AND delivery.dead_reason = 'age' AND delivery.finalized_ms > :latest
              AND delivery.endpoint_id = :endpoint
            """,
            ["latest": now + RetryRules.clockTolerance, "endpoint": endpointID], Delivery.init)
        for delivery in dead { try move(delivery, .schedule(at: now, usesAttempt: false)) }
    }

    /// Cuts what such a clock noted about the endpoint itself: when it was last accepted and confirmed, and how long it
    /// is held.
    func putHoldsRight(of endpointID: String) throws {
        func cut(_ column: String, _ limit: String = ":now") -> String {
            "\(column) = \(Dialect.least(column, limit))"
        }
        try session.run(
            """
            UPDATE endpoint
            SET \(cut("last_accepted_ms")), \(cut("last_confirmed_ms")), \(cut("resumed_ms")), \(cut("stopped_ms")), \(cut("own_names_ms")),
                \(cut("hold_since_ms")), \(cut("hold_until_ms", ":try")), \(cut("circuit_next_trial_ms", ":trial"))
            WHERE id = :id
            """,
            [
                "now": now, "try": now + AnswerTable.holdPause, "trial": now + rules.circuit.longestDelay,
                "id": endpointID,
            ])
    }
}
