/// What a claim returns: deliveries whose intents are committed, so that their calls may begin.
package struct ClaimedBatch: Sendable {
    package var deliveries: [ClaimedDelivery] = []
    /// How many deliveries died instead, because a newer event has arrived and their policy says `skip`.
    package var superseded = 0
    /// Endpoints whose log must be read before more of them can be called, in the order of their turns.
    package var unread: [String] = []
    /// What recording the given results changed.
    package var recorded = RecordSummary()

    package init() {}
}

extension QueueStore {
    /// Claims up to `limit` due deliveries, in the turns that `ClaimOrder` gives, and commits the intent of each call
    /// before it can begin.
    ///
    /// - Parameters:
    ///   - results: of ended calls. They are recorded first, in the same transaction: the disk is waited for once, and
    ///     each page is written once. When it fails, none is recorded.
    ///   - readings: how the endpoints' logs were read, of those that were read lately enough; nil: as if all were. A
    ///     log may already show what has arrived since a delivery failed.
    ///   - wanted: endpoints whose log is to be read already; `unread` does not name them again.
    ///   - onlyManual: only operators' retries, for a command that works while no daemon runs.
    ///   - lease: longer than a call can last; a claim older than that counts as interrupted.
    package func claimDue(
        after results: [CallResult] = [], of readings: [String: LogReading]? = nil, besides wanted: Set<String> = [],
        onlyManual: Bool = false, limit: Int, lease: Duration, rules: RetryRules, at now: Timestamp
    ) async throws(StoreError) -> ClaimedBatch {
        let operation = results.isEmpty ? "claim due deliveries" : "record results and claim due deliveries"
        return try await change(operation, rules: rules, at: now) { queue in
            var batch = ClaimedBatch()
            if !results.isEmpty { batch.recorded = try queue.record(results) }
            try queue.claim(
                limit: limit, of: readings, besides: wanted, onlyManual: onlyManual, lease: lease, into: &batch)
            return batch
        }
    }
}

extension RuledTransaction {
    /// So many endpoints are named at least whose log must be read.
    private static let leastUnread = 8

    fileprivate mutating func claim(
        limit: Int, of readings: [String: LogReading]?, besides wanted: Set<String>, onlyManual: Bool, lease: Duration,
        into batch: inout ClaimedBatch
    ) throws {
        let endpoints = try DueEndpoint.all(session, readings: readings, rules: rules)
        let manual = try endpoints.manualDue(session, limit: limit, at: now).map(\.id)
        let last = try lastCall()
        let turns = ClaimOrder.inTurn(endpoints, by: \.id, after: last)
        let shares = try onlyManual ? [] : shares(of: turns, limit: limit, after: last)
        let order = ClaimOrder(manual: manual, lines: shares.map(\.line), last: last)
        for id in order.first(limit) {
            guard let due = try DueDelivery.fetch(session, id: id), try !isGivenUp(due, in: &batch) else { continue }
            let share = manual.contains(id) ? nil : shares.first { $0.line.endpointID == due.delivery.endpointID }
            guard let claimed = try claim(due, lease: lease, isTrial: share?.isTrial ?? false) else { continue }
            batch.deliveries.append(claimed)
            if let share { try note(share, claimed: due.delivery) }
        }
        if readings != nil {
            // Some at least, or endpoints that are called without a break would keep all others unread.
            let free = max(Self.leastUnread, limit - batch.deliveries.count)
            let others = turns.filter { !wanted.contains($0.id) }
            batch.unread = try unread(of: others[...], limit: free, onlyManual: onlyManual, after: last)
        }
    }

    /// Endpoints that have a delivery to call as soon as their log is read, at most `limit`.
    private func unread(
        of turns: ArraySlice<DueEndpoint>, limit: Int, onlyManual: Bool, after last: ClaimOrder.Last?
    ) throws -> [String] {
        var unread: [String] = []
        for endpoint in turns where unread.count < limit {
            guard endpoint.read.mayBeLate else { continue }
            let read = endpoint.asIfRead
            let isDue =
                try !read.manualDue(session, limit: 1, at: now).isEmpty
                || (!onlyManual
                    && !(read.share(session, limit: 1, after: last, rules: rules, at: now)?.line.isEmpty ?? true))
            if isDue { unread.append(endpoint.id) }
        }
        return unread
    }

    /// What may be called by schedule, of at most `limit` endpoints; the others get their turn with the next claim.
    private mutating func shares(
        of turns: ArraySlice<DueEndpoint>, limit: Int, after last: ClaimOrder.Last?
    ) throws -> [DueEndpoint.Share] {
        var shares: [DueEndpoint.Share] = []
        for endpoint in turns where shares.count < limit {
            if try endpoint.isDrained(session) { try signal(.drained, of: endpoint.id) }
            let share = try endpoint.share(session, limit: limit, after: last, rules: rules, at: now)
            if let share, !share.line.isEmpty { shares.append(share) }
        }
        return shares.sorted { $0.line.endpointID < $1.line.endpointID }
    }

    /// Notes the one call of a trial, or the one try after a hold's pause. The next one waits as long again, unless
    /// this one ends the hold.
    private mutating func note(_ share: DueEndpoint.Share, claimed delivery: Delivery) throws {
        if share.isTrial { try signal(.trialBegan(delivery: delivery.id), of: delivery.endpointID) }
        if share.isTry {
            try session.run(
                "UPDATE endpoint SET hold_until_ms = ? WHERE id = ?",
                [now + AnswerTable.holdPause, delivery.endpointID])
        }
    }

    /// Ends a delivery that must not be sent: a test, or one that a newer event has superseded.
    ///
    /// - Returns: whether it did.
    private mutating func isGivenUp(_ due: DueDelivery, in batch: inout ClaimedBatch) throws -> Bool {
        if due.isTest, try discardIfTest(due.delivery) { return true }
        guard due.delivery.manual == nil, let newer = due.supersededBy else { return false }
        let action = rules.policies.policy(for: due.delivery.eventType).policy.onSuperseded
        try session.run("UPDATE delivery SET superseded_by_task_id = ? WHERE id = ?", [newer, due.delivery.id])
        // A superseded delivery that is retried all the same is counted at its first attempt only.
        if action == .skip || !due.isMarkedSuperseded {
            counts.raise(Counter.superseded, eventType: due.delivery.eventType, action.rawValue)
        }
        guard action == .skip else { return false }
        try move(due.delivery, .die(.superseded, usesAttempt: false))
        batch.superseded += 1
        return true
    }

    /// Claims a delivery and stores the intent of its call. A body that no longer matches its SHA-256 is never sent.
    ///
    /// - Returns: nil when the delivery died of that.
    private mutating func claim(_ due: DueDelivery, lease: Duration, isTrial: Bool) throws -> ClaimedDelivery? {
        let delivery = due.delivery
        guard let body = due.body else {
            try session.run(
                "UPDATE delivery SET last_error = ? WHERE id = ?",
                ["the stored body is missing or no longer matches its SHA-256", delivery.id])
            try move(delivery, .die(.rejected, usesAttempt: false))
            return nil
        }
        try move(delivery, .attempt(leaseUntil: now + lease, isTrial: isTrial))
        try recordIntent(of: delivery, isTrial: isTrial)
        return ClaimedDelivery(
            id: delivery.id, endpointID: delivery.endpointID, leaseToken: delivery.leaseToken + 1,
            taskID: delivery.taskID, eventType: delivery.eventType, ignoresLog: delivery.manual?.ignoresLog ?? false,
            taskIDJSON: due.taskIDJSON,
            customerIDJSON: due.customerIDJSON, webhookIDJSON: due.webhookIDJSON, body: body)
    }

    /// Inserts the attempt of a call; operators' retries have numbers of their own.
    private func recordIntent(of delivery: Delivery, isTrial: Bool) throws {
        let isManual = delivery.manual != nil
        let number =
            try isManual
            ? session.number(
                "SELECT COUNT(*) FROM attempt WHERE delivery_id = ? AND cycle = ? AND kind = 'manual'",
                [delivery.id, delivery.cycle]) : Int64(delivery.attemptsUsed)
        let kind: AttemptKind = isManual ? .manual : .scheduled
        try session.run(
            """
            INSERT INTO attempt (delivery_id, cycle, number, kind, lease_token, intent_ms, is_trial, head_ms)
            VALUES (:delivery, :cycle, :number, :kind, :token, :now, :trial,
                (SELECT head_ms FROM endpoint WHERE id = :endpoint))
            """,
            [
                "delivery": delivery.id, "cycle": delivery.cycle, "number": (number ?? 0) + 1, "kind": kind,
                "token": delivery.leaseToken + 1, "now": now, "trial": isTrial, "endpoint": delivery.endpointID,
            ])
    }

    /// The newest call; nil: there was none. Operators' retries alternate with the schedule, so one of the newest 8 is
    /// by schedule, or nothing else was due.
    private func lastCall() throws -> ClaimOrder.Last? {
        let newest = try session.all(
            """
            SELECT attempt.id, attempt.kind, delivery.endpoint_id
            FROM attempt JOIN delivery ON delivery.id = attempt.delivery_id
            ORDER BY attempt.id DESC LIMIT 8
            """
        ) { row in (number: row.integer(), kind: try row.word(AttemptKind.self), endpointID: row.text()) }
        guard let last = newest.first else { return nil }
        let scheduled = newest.first { $0.kind == .scheduled } ?? last
        return .init(endpointID: scheduled.endpointID, isManual: last.kind == .manual, number: last.number)
    }
}

/// A due delivery with everything that its claim needs, read in one query.
private struct DueDelivery {
    let delivery: Delivery
    /// The body as the disk has it; nil when it was dropped.
    private let storedBody: [UInt8]?
    let taskIDJSON: String
    let customerIDJSON: String
    let webhookIDJSON: String
    private let sha256: [UInt8]
    /// Whether an operator made the provider send it as a test.
    let isTest: Bool
    /// The task id of a newer event of its webhook, customer and type that has arrived; nil: there is none.
    let supersededBy: String?
    /// Whether a newer event was noticed at an earlier attempt.
    let isMarkedSuperseded: Bool

    /// Reads a delivery; nil when there is none with this number.
    static func fetch(_ session: Session, id: Int64) throws -> DueDelivery? {
        try session.first(sql, [id], DueDelivery.init)
    }

    /// The body to send; nil when it is missing or does not match its SHA-256.
    var body: [UInt8]? { storedBody.flatMap { BodyDigest.sha256($0) == sha256 ? $0 : nil } }

    /// An event that was newer before an operator's requeue no longer supersedes the delivery.
    private static let sql = """
        SELECT \(Delivery.columns), delivery_body.body, delivery_body.task_id_json, delivery_body.customer_id_json,
            delivery_body.webhook_id_json, delivery_body.sha256,
            EXISTS (SELECT 1 FROM test_event
                    WHERE test_event.endpoint_id = delivery.endpoint_id AND test_event.task_id = delivery.task_id),
            (SELECT newer.task_id FROM latest_arrival AS newer
             WHERE newer.webhook_id = delivery.webhook_id AND newer.customer_id = delivery.customer_id
               AND newer.event_type = delivery.event_type AND newer.task_id <> delivery.task_id
               AND newer.event_ms > CASE delivery.cycle WHEN 1 THEN delivery.first_failed_ms
                   ELSE \(Dialect.greatest("delivery.first_failed_ms", "delivery.cycle_started_ms")) END),
            delivery.superseded_by_task_id IS NOT NULL
        FROM delivery_standing AS delivery LEFT JOIN delivery_body ON delivery_body.delivery_id = delivery.id
        WHERE delivery.id = ?
        """

    private init(_ row: inout SQLRow) throws {
        delivery = try Delivery(&row)
        storedBody = row.bytesIfAny()
        taskIDJSON = row.text()
        customerIDJSON = row.text()
        webhookIDJSON = row.text()
        sha256 = row.bytes()
        isTest = row.flag()
        supersededBy = row.textIfAny()
        isMarkedSuperseded = row.flag()
    }
}
