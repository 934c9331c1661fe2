import GRDB

/// Deliveries whose intents are committed; their calls may begin.
package struct ClaimedBatch: Sendable {
    package var deliveries: [ClaimedDelivery] = []
    /// Deliveries that ended dead instead, because a newer event has arrived and their policy says `skip`.
    package var superseded = 0

    package init() {}
}

extension QueueStore {
    /// Claims up to `limit` due deliveries, oldest turn first, and commits the intent of each call before it can begin.
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
            var due = try db.manualDue(of: endpoints, limit: limit, at: now)
            if !onlyManual { due += try db.due(of: endpoints, limit: limit - due.count, at: now) }
            for delivery in due {
                if try db.discardIfTest(delivery, at: now) { continue }
                if try delivery.manual == nil && db.isSuperseded(delivery, at: now, rules: rules) {
                    try db.move(delivery, .die(.superseded, usesAttempt: false), at: now)
                    batch.superseded += 1
                } else if let claimed = try db.claim(delivery, until: now + lease, at: now) {
                    batch.deliveries.append(claimed)
                }
            }
            return batch
        }
    }

    /// When the next delivery that is not held comes due; nil when none waits.
    package func nextDue(of endpoints: Set<String>? = nil, at now: Timestamp) async throws(StoreError) -> Timestamp? {
        try await read("find the next due delivery") { db in
            let manual = try db.manualDue(of: endpoints, limit: 1, at: nil).first?.nextAttempt
            let scheduled = try db.nextScheduled(of: endpoints)
            return [manual, scheduled].compactMap(\.self).min()
        }
    }

    /// When the next operator's retry comes due; nil when none is asked for.
    package func nextManualDue(of endpoints: Set<String>? = nil) async throws(StoreError) -> Timestamp? {
        try await read("find the next operator's retry") { db in
            try db.manualDue(of: endpoints, limit: 1, at: nil).first?.nextAttempt
        }
    }
}

extension Database {
    /// Operators' retries, soonest first: they pass every hold but an operator's own.
    ///
    /// - Parameter now: only what is due then; nil: all that is asked for.
    fileprivate func manualDue(of wanted: Set<String>?, limit: Int, at now: Timestamp?) throws -> [Delivery] {
        let endpoints = try rows("SELECT id FROM endpoint WHERE active = 1 AND hold_reason IS NOT 'operator'")
        var due: [Delivery] = []
        for endpoint in endpoints where wanted?.contains(endpoint["id"]) ?? true {
            due += try rows(
                """
                SELECT \(Delivery.columns) FROM delivery
                WHERE endpoint_id = ? AND state = 'scheduled' AND manual_ms IS NOT NULL AND next_attempt_ms <= ?
                ORDER BY next_attempt_ms, id LIMIT ?
                """,
                [endpoint["id"] as String, now?.milliseconds ?? .max, limit]
            ).map(Delivery.init(row:))
        }
        return Array(due.sorted(by: Delivery.isDueEarlier).prefix(limit))
    }

    /// The next attempt by schedule, of endpoints that are not held or whose hold ends by itself.
    fileprivate func nextScheduled(of endpoints: Set<String>?) throws -> Timestamp? {
        try rows("SELECT id, hold_reason, hold_until_ms FROM endpoint WHERE active = 1").compactMap {
            endpoint -> Timestamp? in
            guard endpoints?.contains(endpoint["id"]) ?? true else { return nil }
            let held: Bool = (endpoint["hold_reason"] as String?) != nil
            let until = endpoint.timestampIfAny("hold_until_ms")
            guard !held || until != nil else { return nil }
            let next = try firstRow(
                """
                SELECT next_attempt_ms FROM delivery
                WHERE endpoint_id = ? AND state = 'scheduled' AND manual_ms IS NULL
                ORDER BY next_attempt_ms LIMIT 1
                """,
                [endpoint["id"] as String])
            return next.map { max($0.timestamp("next_attempt_ms"), until ?? $0.timestamp("next_attempt_ms")) }
        }.min()
    }

    /// Due deliveries of all endpoints that are not held, by the time they came due. Asked endpoint by endpoint, so that
    /// a held backlog costs nothing.
    fileprivate func due(of wanted: Set<String>?, limit: Int, at now: Timestamp) throws -> [Delivery] {
        let endpoints = try rows(
            """
            SELECT id, hold_reason FROM endpoint
            WHERE active = 1 AND (hold_reason IS NULL OR hold_until_ms <= ?)
            """,
            [now.milliseconds])
        var due: [Delivery] = []
        var trials: Set<String> = []
        for endpoint in endpoints where wanted?.contains(endpoint["id"]) ?? true {
            let id: String = endpoint["id"]
            let isTrial = (endpoint["hold_reason"] as String?) != nil
            let found = try rows(
                """
                SELECT \(Delivery.columns) FROM delivery
                WHERE endpoint_id = ? AND state = 'scheduled' AND next_attempt_ms <= ? AND manual_ms IS NULL
                ORDER BY next_attempt_ms, id LIMIT ?
                """,
                [id, now.milliseconds, isTrial ? 1 : limit])
            if isTrial { trials.insert(id) }
            due += try found.map(Delivery.init(row:))
        }
        let chosen = Array(due.sorted(by: Delivery.isDueEarlier).prefix(limit))
        for id in trials.intersection(chosen.map(\.endpointID)) {
            // One try: the next one waits as long again, unless this one lifts the hold.
            try run(
                "UPDATE endpoint SET hold_until_ms = ? WHERE id = ?",
                [(now + RetryRules.holdPause).milliseconds, id])
        }
        return chosen
    }

    /// Marks a delivery when a newer event of its webhook, customer and type has arrived. An operator's requeue overrules
    /// what was newer until then.
    ///
    /// - Returns: whether its policy says to skip it for that.
    fileprivate func isSuperseded(_ delivery: Delivery, at now: Timestamp, rules: RetryRules) throws -> Bool {
        let known = delivery.cycle == 1 ? delivery.firstFailed : max(delivery.firstFailed, delivery.cycleStarted)
        guard let customerID = delivery.customerID,
            let newer = try firstRow(
                """
                SELECT task_id FROM latest_arrival
                WHERE webhook_id = ? AND customer_id = ? AND event_type = ? AND event_ms > ? AND task_id <> ?
                """,
                [
                    delivery.webhookID, customerID, delivery.eventType, known.milliseconds, delivery.taskID,
                ])
        else { return false }
        try run(
            "UPDATE delivery SET superseded_by_task_id = ? WHERE id = ?",
            [newer["task_id"] as String, delivery.id])
        return rules.policies.policy(for: delivery.eventType).policy.onSuperseded == .skip
    }

    /// Commits the intent of a call. A body that the disk no longer holds as it was stored is never sent.
    ///
    /// - Returns: nil when the delivery ended dead for that.
    fileprivate func claim(_ delivery: Delivery, until: Timestamp, at now: Timestamp) throws -> ClaimedDelivery? {
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
        let claimed = try move(delivery, .attempt(leaseUntil: until), at: now)
        try run(
            """
            INSERT INTO attempt (delivery_id, cycle, number, kind, lease_token, intent_ms)
            VALUES (?1, ?2, CASE ?4 WHEN 'manual'
                    THEN (SELECT COUNT(*) + 1 FROM attempt WHERE delivery_id = ?1 AND cycle = ?2 AND kind = 'manual')
                    ELSE ?3 END, ?4, ?5, ?6)
            """,
            [
                claimed.id, claimed.cycle, claimed.attemptsUsed + 1, claimed.manual == nil ? "scheduled" : "manual",
                claimed.leaseToken, now.milliseconds,
            ])
        return ClaimedDelivery(
            id: claimed.id, endpointID: claimed.endpointID, leaseToken: claimed.leaseToken, taskID: claimed.taskID,
            eventType: claimed.eventType, taskIDJSON: row["task_id_json"], customerIDJSON: row["customer_id_json"],
            webhookIDJSON: row["webhook_id_json"], body: row.bytes("body"))
    }
}

extension Delivery {
    /// The order in which scheduled deliveries are claimed.
    fileprivate static func isDueEarlier(_ left: Delivery, _ right: Delivery) -> Bool {
        let never = Timestamp(milliseconds: .max)
        return (left.nextAttempt ?? never, left.id) < (right.nextAttempt ?? never, right.id)
    }
}
