/// Failures that the logs of two configured endpoints show, where no name told whose they are. The endpoint that has
/// read one first keeps it, also when the one that is named is configured later. For the other one it is no delivery,
/// unless the logs turn out to be two: then it becomes one, and nothing is lost.
extension RuledTransaction {
    /// For so long after its end a delivery is still taken for the keeper of a failure.
    private static let keepsAfterEnd = Duration.seconds(86_400)

    /// Leaves a failure to the delivery of another endpoint that seems to be about the same row.
    ///
    /// - Returns: false when there is none.
    func isKeptElsewhere(
        _ entry: LogObservation, _ body: inout HashedBody, eventType: String, _ reading: inout PageReading
    ) throws -> Bool {
        // Where answers prove an arrival, the logs never tell whether they are the same.
        guard rules.confirmation == .log, let logged = entry.logged else { return false }
        let failed = min(entry.changed ?? now, now)
        let event: Parameters = [
            "endpoint": reading.endpoint.id, "type": eventType, "customer": entry.customerID,
            "webhook": entry.namesWebhook ? entry.webhookID : nil, "sha256": body.digest(),
        ]
        guard let keeper = try keeper(of: event, entry, logged: logged) else { return false }
        try session.run(
            """
            INSERT INTO shared_failure (
                endpoint_id, task_id, delivery_id, task_id_json, webhook_id, webhook_id_json, logged_ms, failed_ms, error)
            VALUES (:endpoint, :task, :delivery, :task_json, :webhook, :webhook_json, :logged, :failed, :error)
            ON CONFLICT (endpoint_id, task_id) DO UPDATE
            SET delivery_id = excluded.delivery_id, logged_ms = excluded.logged_ms, failed_ms = excluded.failed_ms,
                error = excluded.error, is_open = 1
            WHERE excluded.failed_ms > shared_failure.failed_ms AND shared_failure.is_open = 0
            """,
            [
                "endpoint": reading.endpoint.id, "task": entry.taskID, "delivery": keeper.deliveryID,
                "task_json": entry.taskIDJSON, "webhook": entry.webhookID, "webhook_json": entry.webhookIDJSON,
                "logged": logged, "failed": failed, "error": entry.error,
            ])
        reading.shared[keeper.endpointID, default: 0] += 1
        return true
    }

    /// The delivery of another endpoint that seems to be about the same failure; nil: none is. The task id was kept
    /// before, or the same task failed at the same time, or, where the logs are suspected to be the same, the entry may
    /// be the outcome of a call.
    private func keeper(
        of event: Parameters, _ entry: LogObservation, logged: Timestamp
    ) throws -> (deliveryID: Int64, endpointID: String)? {
        let task: Parameters = ["task": entry.taskID]
        let time: Parameters = [
            "logged": logged, "changed": entry.key, "ended_since": now - Self.keepsAfterEnd,
        ]
        let call: Parameters = [
            "latest_call": (entry.changed ?? now) + RetryRules.clockTolerance,
            "judged_since": now - Matching.lateOutcome, "ended_since": now - Self.keepsAfterEnd,
            "earliest_end": (entry.changed ?? now) - RetryRules.clockTolerance,
        ]
        let ways: [(sql: String, more: Parameters)] = [
            (SharedRows.known, task), (SharedRows.sameRow, task + time), (SharedRows.retry, call),
        ]
        for way in ways {
            let found = try session.first(way.sql, event + way.more) {
                (deliveryID: $0.integer(), endpointID: $0.text())
            }
            if let found { return found }
        }
        return nil
    }

    // MARK: - The end

    /// Ends what is shared with deliveries of other endpoints, as far as that is known by now.
    ///
    /// - Returns: how many became deliveries of their own.
    mutating func endShared() throws -> Int {
        let open = try session.all(SharedRows.open, ["late": rules.confirmWithin.wholeMilliseconds]) { row in
            OpenShare(
                endpointID: row.text(), taskID: row.text(), keeperEndpointID: row.text(),
                failure: SharedFailure(
                    keeper: try row.word(), isKeeperConfigured: row.flag(),
                    arrival: .init(isAlone: row.flag(), isSame: row.flag(), isShown: row.flag()),
                    isReadSince: row.flag(), areSame: row.integerIfAny().map { $0 != 0 }))
        }
        var taken = 0
        for share in open {
            switch share.failure.end {
            case .waits: continue
            case .closed(let areSame):
                try learn(areSame, share)
                // It stays while the keeper does: later entries of the task are no new failures.
                try session.run(
                    "UPDATE shared_failure SET is_open = 0 WHERE endpoint_id = ? AND task_id = ?",
                    [share.endpointID, share.taskID])
            case .taken(let areSame):
                try learn(areSame, share)
                try take(share.taskID, of: share.endpointID)
                try session.run(
                    "DELETE FROM shared_failure WHERE endpoint_id = ? AND task_id = ?",
                    [share.endpointID, share.taskID])
                taken += 1
            }
        }
        return taken
    }

    /// Makes deliveries of all that a delivery still keeps for other endpoints.
    mutating func giveUpShares(of keeper: Delivery) throws {
        let shares = try session.all(
            "SELECT endpoint_id, task_id FROM shared_failure WHERE delivery_id = ? AND is_open = 1", [keeper.id]
        ) { (endpointID: $0.text(), taskID: $0.text()) }
        for share in shares {
            try take(share.taskID, of: share.endpointID)
            try session.run(
                "DELETE FROM shared_failure WHERE endpoint_id = ? AND task_id = ?", [share.endpointID, share.taskID])
        }
    }

    /// Notes whether the logs of two endpoints are the same; nil: nothing shows it. That they are two is never taken
    /// back.
    private func learn(_ areSame: Bool?, _ share: OpenShare) throws {
        guard let areSame else { return }
        try session.run(
            """
            UPDATE shared_log SET are_same = CASE WHEN are_same = 0 THEN 0 ELSE :same END
            WHERE is_named = 0 AND (endpoint_id = :one AND other_id = :other OR endpoint_id = :other AND other_id = :one)
            """,
            ["same": areSame, "one": share.endpointID, "other": share.keeperEndpointID])
    }

    /// Makes a delivery of what another one kept. Its age counts from now, because it could not be called before.
    private mutating func take(_ taskID: String, of endpointID: String) throws {
        let entry = try session.first(SharedRows.entry, [endpointID, taskID]) { row in
            LogObservation(
                taskID: taskID, taskIDJSON: row.text(), eventType: row.text(), customerID: row.textIfAny(),
                customerIDJSON: row.text(), webhookID: row.text(), webhookIDJSON: row.text(), body: row.bytesIfAny(),
                outcome: .failed, logged: row.timestamp(), changed: row.timestamp(), error: row.textIfAny())
        }
        guard let entry, let eventType = entry.eventType else { return }
        var body = HashedBody(entry.body)
        var reading = try PageReading(self, endpointID: endpointID, read: now)
        let known = try entries(ofTask: taskID, of: endpointID)
        guard !body.isMissing, try delivery(endpointID: endpointID, taskID: taskID) == nil else { return }
        try makeDelivery(of: entry, &body, eventType: eventType, known, &reading, cycleStarted: now)
    }
}

/// A failure that is shared with the delivery of another endpoint.
private struct OpenShare {
    let endpointID: String
    let taskID: String
    let keeperEndpointID: String
    let failure: SharedFailure
}

extension SharedFailure.Arrival {
    fileprivate init(isAlone: Bool, isSame: Bool, isShown: Bool) {
        self = isAlone ? .alone : isSame ? .same : isShown ? .shown : .none
    }
}

/// The statements about shared failures.
private enum SharedRows {
    private static let sameEvent = """
        delivery.event_type = :type AND delivery.customer_id IS NOT DISTINCT FROM :customer
        AND delivery_body.sha256 = :sha256 AND delivery_body.body IS NOT NULL
        AND delivery.webhook_id = coalesce(:webhook, endpoint.webhook_id, endpoint.id)
        """
    private static let notTwoLogs = """
        NOT EXISTS (SELECT 1 FROM shared_log
                    WHERE is_named = 0 AND are_same = 0
                      AND (endpoint_id = :endpoint AND other_id = delivery.endpoint_id
                           OR endpoint_id = delivery.endpoint_id AND other_id = :endpoint))
        """

    /// The keeper of the task's earlier rows.
    static let known = """
        SELECT delivery.id, delivery.endpoint_id
        FROM shared_failure
        JOIN delivery ON delivery.id = shared_failure.delivery_id
        JOIN delivery_body ON delivery_body.delivery_id = delivery.id
        JOIN endpoint ON endpoint.id = delivery.endpoint_id
        WHERE shared_failure.endpoint_id = :endpoint AND shared_failure.task_id = :task AND endpoint.active = 1
          AND \(sameEvent) AND \(notTwoLogs)
        """

    /// Task ids may be per endpoint: then something else differs.
    static let sameRow = """
        SELECT delivery.id, delivery.endpoint_id
        FROM delivery
        JOIN delivery_body ON delivery_body.delivery_id = delivery.id
        JOIN endpoint ON endpoint.id = delivery.endpoint_id
        WHERE delivery.task_id = :task AND delivery.endpoint_id <> :endpoint
          -- a time that was ahead of our clock is in the entry only
          AND (delivery.logged_ms = :logged OR EXISTS (
              SELECT 1 FROM log_entry
              WHERE log_entry.endpoint_id = delivery.endpoint_id AND log_entry.task_id = :task
                AND log_entry.logged_ms = :changed AND log_entry.outcome = 'failed'))
          AND endpoint.active = 1 AND (delivery.finalized_ms IS NULL OR delivery.finalized_ms >= :ended_since)
          AND \(sameEvent) AND \(notTwoLogs)
        ORDER BY delivery.id LIMIT 1
        """

    /// A call whose outcome the entry may be, under another task id. It may have ended its delivery.
    static let retry = """
        SELECT delivery.id, delivery.endpoint_id
        FROM shared_log
        JOIN delivery
            ON delivery.endpoint_id
                = CASE WHEN shared_log.endpoint_id = :endpoint THEN shared_log.other_id ELSE shared_log.endpoint_id END
        JOIN delivery_body ON delivery_body.delivery_id = delivery.id
        JOIN endpoint ON endpoint.id = delivery.endpoint_id
        WHERE shared_log.is_named = 0 AND (shared_log.endpoint_id = :endpoint OR shared_log.other_id = :endpoint)
          AND delivery.lease_token > 0 AND endpoint.active = 1
          AND (delivery.finalized_ms IS NULL
               OR delivery.finalized_ms >= :ended_since AND delivery.finalized_ms >= :earliest_end)
          AND \(sameEvent) AND \(notTwoLogs)
          AND EXISTS (
              SELECT 1 FROM attempt
              WHERE attempt.delivery_id = delivery.id AND attempt.intent_ms <= :latest_call
                AND (attempt.settled_ms IS NULL OR attempt.settled_ms >= :judged_since))
        ORDER BY delivery.id LIMIT 1
        """

    /// An SQL condition on `log_entry`: the log that shows the failure shows a success.
    private static let isArrival =
        "log_entry.endpoint_id = shared_failure.endpoint_id AND log_entry.outcome = 'succeeded'"

    /// An SQL condition on `log_entry`: it is not older than the failure. An older one is of an earlier event.
    private static let isSince = "(log_entry.logged_ms = 0 OR log_entry.logged_ms >= shared_failure.failed_ms)"

    /// What the end of each open one depends on. A log has `:late` to show what another one shows.
    static let open = """
        SELECT
            shared_failure.endpoint_id, shared_failure.task_id, delivery.endpoint_id, delivery.state, keeper.active,
            delivery.finalized_ms IS NULL AND EXISTS (
                SELECT 1 FROM log_entry
                WHERE \(isArrival) AND log_entry.task_id = shared_failure.task_id AND \(isSince)
                  AND log_entry.found_ms + :late <= keeper.last_scan_ms)
            AND NOT EXISTS (
                SELECT 1 FROM unread_gap
                WHERE unread_gap.endpoint_id = keeper.id AND unread_gap.until_ms > shared_failure.failed_ms),
            delivery.delivered_by <> 'provider' AND EXISTS (
                SELECT 1 FROM log_entry
                JOIN log_entry AS kept ON kept.task_id = log_entry.task_id AND kept.logged_ms = log_entry.logged_ms
                WHERE \(isArrival) AND log_entry.task_id = delivery.delivered_task_id AND log_entry.logged_ms > 0
                  AND kept.endpoint_id = delivery.endpoint_id AND kept.outcome = 'succeeded'
                  -- a row that changed in place without a time of the change
                  AND NOT EXISTS (
                      SELECT 1 FROM log_entry AS other
                      WHERE other.endpoint_id = kept.endpoint_id AND other.task_id = kept.task_id
                        AND other.logged_ms = kept.logged_ms AND other.outcome <> kept.outcome)),
            EXISTS (
                SELECT 1 FROM log_entry
                WHERE \(isArrival) AND (log_entry.task_id = shared_failure.task_id AND \(isSince)
                    OR delivery.state = 'delivered'
                        AND (log_entry.task_id = delivery.task_id OR log_entry.task_id = delivery.delivered_task_id))),
            reader.last_scan_ms >= coalesce(delivery.finalized_ms, delivery.called_ms) + :late AND NOT EXISTS (
                SELECT 1 FROM unread_gap
                WHERE unread_gap.endpoint_id = shared_failure.endpoint_id
                  AND unread_gap.until_ms > shared_failure.failed_ms),
            (SELECT MIN(are_same) FROM shared_log
             WHERE is_named = 0
               AND (endpoint_id = shared_failure.endpoint_id AND other_id = delivery.endpoint_id
                    OR endpoint_id = delivery.endpoint_id AND other_id = shared_failure.endpoint_id))
        FROM shared_failure
        JOIN delivery ON delivery.id = shared_failure.delivery_id
        JOIN endpoint AS keeper ON keeper.id = delivery.endpoint_id
        JOIN endpoint AS reader ON reader.id = shared_failure.endpoint_id
        WHERE shared_failure.is_open = 1 AND reader.active = 1
        """

    static let entry = """
        SELECT
            shared_failure.task_id_json, delivery.event_type, delivery.customer_id, delivery_body.customer_id_json,
            shared_failure.webhook_id, shared_failure.webhook_id_json, delivery_body.body, shared_failure.logged_ms,
            shared_failure.failed_ms, shared_failure.error
        FROM shared_failure
        JOIN delivery ON delivery.id = shared_failure.delivery_id
        JOIN delivery_body ON delivery_body.delivery_id = delivery.id
        WHERE shared_failure.endpoint_id = ? AND shared_failure.task_id = ?
        """
}
