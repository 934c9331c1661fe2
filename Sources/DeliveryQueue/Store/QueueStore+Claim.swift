import GRDB

/// Deliveries whose intents are committed; their calls may begin.
package struct ClaimedBatch: Sendable {
    package var deliveries: [ClaimedDelivery] = []
    /// Deliveries that ended dead instead, because a newer event has arrived and their policy says `skip`.
    package var superseded = 0

    package init() {}
}

extension QueueStore {
    /// Claims up to `limit` due deliveries, in the turns that `ClaimOrder` gives, and commits the intent of each call before it
    /// can begin.
    ///
    /// - Parameters:
    ///   - endpoints: only deliveries of these; nil: of all. A log that was not looked at since the start may already show
    ///     what arrived while we were away.
    ///   - onlyManual: only what operators asked for, for a command that works while no daemon runs.
    ///   - lease: longer than a call can last; a claim older than that counts as interrupted.
    package func claimDue(
        of endpoints: Set<String>? = nil, onlyManual: Bool = false, limit: Int, lease: Duration, rules: RetryRules,
        at now: Timestamp
    ) async throws(StoreError) -> ClaimedBatch {
        try await write("claim due deliveries") { db in
            var batch = ClaimedBatch()
            let manual = try db.manualDue(of: endpoints, limit: limit, at: now).map(\.id)
            let last = try db.lastCall()
            let shares =
                try onlyManual ? [] : db.shares(of: endpoints, limit: limit, after: last, rules: rules, at: now)
            let order = ClaimOrder(manual: manual, lines: shares.map(\.line), last: last)
            for id in order.first(limit) {
                guard let delivery = try Delivery.fetch(db, id: id) else { continue }
                let share = manual.contains(id) ? nil : shares.first { $0.line.endpointID == delivery.endpointID }
                if try db.isGivenUp(delivery, rules: rules, at: now, in: &batch) { continue }
                let transition = Transition.attempt(leaseUntil: now + lease, isTrial: share?.isTrial ?? false)
                guard let claimed = try db.claim(delivery, transition, at: now) else { continue }
                batch.deliveries.append(claimed)
                if let share { try db.note(share, claimed: delivery, rules: rules, at: now) }
            }
            return batch
        }
    }
}

extension Database {
    /// What may be called by schedule, endpoint by endpoint.
    fileprivate func shares(
        of endpoints: Set<String>?, limit: Int, after last: ClaimOrder.Last?, rules: RetryRules, at now: Timestamp
    ) throws -> [DueEndpoint.Share] {
        try DueEndpoint.all(self, of: endpoints).compactMap { endpoint in
            if try endpoint.isDrained(self) { try observe(.drained, of: endpoint.id, rules: rules, at: now) }
            return try endpoint.share(self, limit: limit, after: last, rules: rules, at: now)
        }
    }

    /// The one call of a share that is a trial, or a try of a hold that has passed: the next one waits as long again, unless
    /// this one ends the hold.
    fileprivate func note(
        _ share: DueEndpoint.Share, claimed delivery: Delivery, rules: RetryRules, at now: Timestamp
    ) throws {
        if share.isTrial {
            try observe(.trialBegan(delivery: delivery.id), of: delivery.endpointID, rules: rules, at: now)
        }
        if share.isTry {
            try run(
                "UPDATE endpoint SET hold_until_ms = ? WHERE id = ?",
                [(now + RetryRules.holdPause).milliseconds, delivery.endpointID])
        }
    }

    /// Ends a delivery that is not to be sent: a test, or one that a newer event has superseded.
    ///
    /// - Returns: whether it did.
    fileprivate func isGivenUp(
        _ delivery: Delivery, rules: RetryRules, at now: Timestamp, in batch: inout ClaimedBatch
    ) throws -> Bool {
        if try discardIfTest(delivery, at: now) { return true }
        guard try delivery.manual == nil && isSuperseded(delivery, at: now, rules: rules) else { return false }
        try move(delivery, .die(.superseded, usesAttempt: false), at: now)
        batch.superseded += 1
        return true
    }

    /// Marks a delivery when a newer event of its webhook, customer and type has arrived. An operator's requeue overrules
    /// what was newer until then.
    ///
    /// - Returns: whether its policy says to skip it for that.
    fileprivate func isSuperseded(_ delivery: Delivery, at now: Timestamp, rules: RetryRules) throws -> Bool {
        let failed = delivery.cycle == 1 ? delivery.firstFailed : max(delivery.firstFailed, delivery.cycleStarted)
        guard let customerID = delivery.customerID,
            let newer = try firstRow(
                """
                SELECT task_id FROM latest_arrival
                WHERE webhook_id = ? AND customer_id = ? AND event_type = ? AND event_ms > ? AND task_id <> ?
                """,
                [
                    delivery.webhookID, customerID, delivery.eventType, failed.milliseconds, delivery.taskID,
                ])
        else { return false }
        let action = rules.policies.policy(for: delivery.eventType).policy.onSuperseded
        let known = try firstRow(
            "SELECT superseded_by_task_id IS NOT NULL AS is_marked FROM delivery WHERE id = ?", [delivery.id])
        try run(
            "UPDATE delivery SET superseded_by_task_id = ? WHERE id = ?", [newer["task_id"] as String, delivery.id])
        // One that is retried is noticed at every attempt and counts at the first.
        if action == .skip || known?["is_marked"] != true {
            try raise(Counter.superseded, try metricLabel(forEventType: delivery.eventType), action.rawValue)
        }
        return action == .skip
    }

    /// Commits the intent of a call. A body that the disk no longer holds as it was stored is never sent.
    ///
    /// - Returns: nil when the delivery ended dead for that.
    fileprivate func claim(
        _ delivery: Delivery, _ attempt: Transition, at now: Timestamp
    ) throws -> ClaimedDelivery? {
        let row = try firstRow(
            """
            SELECT body, sha256, task_id_json, customer_id_json, webhook_id_json
            FROM delivery_body WHERE delivery_id = ? AND body IS NOT NULL
            """,
            [delivery.id])
        guard let row, BodyDigest.sha256(row.bytes("body")) == row.bytes("sha256") else {
            try run(
                "UPDATE delivery SET last_error = ? WHERE id = ?",
                ["the stored body is missing or no longer matches its SHA-256", delivery.id])
            try move(delivery, .die(.rejected, usesAttempt: false), at: now)
            return nil
        }
        let claimed = try move(delivery, attempt, at: now)
        try run(
            """
            INSERT INTO attempt (delivery_id, cycle, number, kind, lease_token, intent_ms, is_trial)
            VALUES (?1, ?2, CASE ?4 WHEN 'manual'
                    THEN (SELECT COUNT(*) + 1 FROM attempt WHERE delivery_id = ?1 AND cycle = ?2 AND kind = 'manual')
                    ELSE ?3 END, ?4, ?5, ?6, ?7)
            """,
            [
                claimed.id, claimed.cycle, claimed.attemptsUsed + 1, claimed.manual == nil ? "scheduled" : "manual",
                claimed.leaseToken, now.milliseconds, claimed.isTrial,
            ])
        return ClaimedDelivery(
            id: claimed.id, endpointID: claimed.endpointID, leaseToken: claimed.leaseToken, taskID: claimed.taskID,
            eventType: claimed.eventType, taskIDJSON: row["task_id_json"], customerIDJSON: row["customer_id_json"],
            webhookIDJSON: row["webhook_id_json"], body: row.bytes("body"))
    }
}
