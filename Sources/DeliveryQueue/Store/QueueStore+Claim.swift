import GRDB

/// Deliveries whose intents are committed; their calls may begin.
package struct ClaimedBatch: Sendable {
    package var deliveries: [ClaimedDelivery] = []
    /// Deliveries that ended dead instead, because a newer event has arrived and their policy says `skip`.
    package var superseded = 0
    /// What came of the calls that were recorded before.
    package var recorded = RecordSummary()

    package init() {}
}

extension QueueStore {
    /// Claims up to `limit` due deliveries, in the turns that `ClaimOrder` gives, and commits the intent of each call before it
    /// can begin.
    ///
    /// - Parameters:
    ///   - outcomes: calls that have ended, recorded before anything is claimed, in the same transaction: the disk is waited
    ///     for once, and each page is written once. When it fails, none is recorded; see `record`.
    ///   - endpoints: only deliveries of these; nil: of all. A log that was not looked at since the start may already show
    ///     what arrived while we were away.
    ///   - onlyManual: only what operators asked for, for a command that works while no daemon runs.
    ///   - lease: longer than a call can last; a claim older than that counts as interrupted.
    package func claimDue(
        after outcomes: [AttemptOutcome] = [], of endpoints: Set<String>? = nil, onlyManual: Bool = false, limit: Int,
        lease: Duration, rules: RetryRules, at now: Timestamp
    ) async throws(StoreError) -> ClaimedBatch {
        let operation = outcomes.isEmpty ? "claim due deliveries" : "record outcomes and claim due deliveries"
        return try await write(operation) { db in
            var batch = ClaimedBatch()
            if !outcomes.isEmpty { batch.recorded = try db.record(outcomes, rules: rules, at: now) }
            let manual = try db.manualDue(of: endpoints, limit: limit, at: now).map(\.id)
            let last = try db.lastCall()
            let shares =
                try onlyManual ? [] : db.shares(of: endpoints, limit: limit, after: last, rules: rules, at: now)
            let order = ClaimOrder(manual: manual, lines: shares.map(\.line), last: last)
            for id in order.first(limit) {
                guard let due = try DueDelivery.fetch(db, id: id) else { continue }
                let share = manual.contains(id) ? nil : shares.first { $0.line.endpointID == due.delivery.endpointID }
                if try db.isGivenUp(due, rules: rules, at: now, in: &batch) { continue }
                let attempt = (leaseUntil: now + lease, isTrial: share?.isTrial ?? false)
                guard let claimed = try db.claim(due, attempt, at: now) else { continue }
                batch.deliveries.append(claimed)
                if let share { try db.note(share, claimed: due.delivery, rules: rules, at: now) }
            }
            return batch
        }
    }
}

extension Database {
    /// What may be called by schedule, of as many endpoints as are called at all: the others' turn comes with the next claim.
    fileprivate func shares(
        of endpoints: Set<String>?, limit: Int, after last: ClaimOrder.Last?, rules: RetryRules, at now: Timestamp
    ) throws -> [DueEndpoint.Share] {
        var shares: [DueEndpoint.Share] = []
        for endpoint in ClaimOrder.inTurn(try DueEndpoint.all(self, of: endpoints), by: \.id, after: last)
        where shares.count < limit {
            if try endpoint.isDrained(self) { try observe(.drained, of: endpoint.id, rules: rules, at: now) }
            let share = try endpoint.share(self, limit: limit, after: last, rules: rules, at: now)
            if let share, !share.line.isEmpty { shares.append(share) }
        }
        return shares.sorted { $0.line.endpointID < $1.line.endpointID }
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
        _ due: DueDelivery, rules: RetryRules, at now: Timestamp, in batch: inout ClaimedBatch
    ) throws -> Bool {
        if due.isTest, try discardIfTest(due.delivery, at: now) { return true }
        guard due.delivery.manual == nil, let newer = due.supersededBy else { return false }
        let action = rules.policies.policy(for: due.delivery.eventType).policy.onSuperseded
        try run("UPDATE delivery SET superseded_by_task_id = ? WHERE id = ?", [newer, due.delivery.id])
        // One that is retried is noticed at every attempt and counts at the first.
        if action == .skip || !due.isMarkedSuperseded {
            try raise(Counter.superseded, try metricLabel(forEventType: due.delivery.eventType), action.rawValue)
        }
        guard action == .skip else { return false }
        try move(due.delivery, .die(.superseded, usesAttempt: false), at: now)
        batch.superseded += 1
        return true
    }

    /// Commits the intent of a call. A body that the disk no longer holds as it was stored is never sent.
    ///
    /// - Returns: nil when the delivery ended dead for that.
    fileprivate func claim(
        _ due: DueDelivery, _ attempt: (leaseUntil: Timestamp, isTrial: Bool), at now: Timestamp
    ) throws -> ClaimedDelivery? {
        let delivery = due.delivery
        guard let body = due.body else {
            try run(
                "UPDATE delivery SET last_error = ? WHERE id = ?",
                ["the stored body is missing or no longer matches its SHA-256", delivery.id])
            try move(delivery, .die(.rejected, usesAttempt: false), at: now)
            return nil
        }
        try move(delivery, .attempt(leaseUntil: attempt.leaseUntil, isTrial: attempt.isTrial), at: now)
        let leaseToken = delivery.leaseToken + 1
        try run(
            """
            INSERT INTO attempt (delivery_id, cycle, number, kind, lease_token, intent_ms, is_trial)
            VALUES (?1, ?2, CASE ?4 WHEN 'manual'
                    THEN (SELECT COUNT(*) + 1 FROM attempt WHERE delivery_id = ?1 AND cycle = ?2 AND kind = 'manual')
                    ELSE ?3 END, ?4, ?5, ?6, ?7)
            """,
            [
                delivery.id, delivery.cycle, delivery.attemptsUsed + 1, delivery.manual == nil ? "scheduled" : "manual",
                leaseToken, now.milliseconds, attempt.isTrial,
            ])
        return ClaimedDelivery(
            id: delivery.id, endpointID: delivery.endpointID, leaseToken: leaseToken, taskID: delivery.taskID,
            eventType: delivery.eventType, taskIDJSON: due.taskIDJSON, customerIDJSON: due.customerIDJSON,
            webhookIDJSON: due.webhookIDJSON, body: body)
    }
}

/// A delivery that is due, with all that its claim asks of the database, in one query.
private struct DueDelivery {
    let delivery: Delivery
    /// What a retry sends, as the disk has it; nil when the body was dropped.
    private let storedBody: [UInt8]?
    let taskIDJSON: String
    let customerIDJSON: String
    let webhookIDJSON: String
    private let sha256: [UInt8]
    /// An operator made the provider send it as a test.
    let isTest: Bool
    /// The task id of a newer event of its webhook, customer and type that has arrived; nil: there is none.
    let supersededBy: String?
    /// Such a one was noticed at an earlier attempt.
    let isMarkedSuperseded: Bool

    /// nil when there is no such delivery.
    static func fetch(_ db: Database, id: Int64) throws -> DueDelivery? {
        try db.first(sql, [id], DueDelivery.init)
    }

    /// Its body; nil when it is not there, or not what was stored.
    var body: [UInt8]? { storedBody.flatMap { BodyDigest.sha256($0) == sha256 ? $0 : nil } }

    /// An operator's requeue overrules what was newer until then.
    private static let sql = """
        SELECT \(Delivery.columns), delivery_body.body, delivery_body.task_id_json, delivery_body.customer_id_json,
            delivery_body.webhook_id_json, delivery_body.sha256,
            EXISTS (SELECT 1 FROM test_event
                    WHERE test_event.endpoint_id = delivery.endpoint_id AND test_event.task_id = delivery.task_id),
            (SELECT newer.task_id FROM latest_arrival AS newer
             WHERE newer.webhook_id = delivery.webhook_id AND newer.customer_id = delivery.customer_id
               AND newer.event_type = delivery.event_type AND newer.task_id <> delivery.task_id
               AND newer.event_ms > CASE delivery.cycle WHEN 1 THEN delivery.first_failed_ms
                   ELSE max(delivery.first_failed_ms, delivery.cycle_started_ms) END),
            delivery.superseded_by_task_id IS NOT NULL
        FROM delivery LEFT JOIN delivery_body ON delivery_body.delivery_id = delivery.id
        WHERE delivery.id = ?
        """

    private init(_ columns: inout ColumnReader) throws {
        delivery = try Delivery(&columns)
        storedBody = columns.bytesIfAny()
        taskIDJSON = columns.text()
        customerIDJSON = columns.text()
        webhookIDJSON = columns.text()
        sha256 = columns.bytes()
        isTest = columns.flag()
        supersededBy = columns.textIfAny()
        isMarkedSuperseded = columns.flag()
    }
}
