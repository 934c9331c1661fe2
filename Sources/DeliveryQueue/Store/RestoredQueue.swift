import GRDB

/// What a restore did to the deliveries of a backup, in counts.
package struct RestoreSummary: Sendable, Equatable {
    /// Retry calls made since the backup, taken over from the database that is replaced.
    package var calls = 0
    /// Deliveries that were found and retried since the backup, taken over with their bodies.
    package var newDeliveries = 0
    /// Deliveries that the replaced database has proof of: delivered.
    package var delivered = 0
    /// Deliveries whose calls the log has to tell about before anything is sent again.
    package var awaiting = 0
    /// Whether the replaced database told which calls were made; if not, every scheduled delivery counts as called.
    package var knowsCalls = false

    package init() {}
}

/// A backup's queue on its way back into service: nothing may be sent again that may have been sent since the backup.
///
/// Works inside one transaction. Whatever it cannot know, the provider's log tells: a delivery that may have been called
/// awaits its outcome like any other call, and failures from before the restore get no attempt until the log had
/// `confirm.within` to show what became of them (`endpoint.restored_ms`).
struct RestoredQueue {
    let db: Database
    let rules: RetryRules
    let now: Timestamp
    var summary = RestoreSummary()

    init(_ db: Database, rules: RetryRules, now: Timestamp) {
        self.db = db
        self.rules = rules
        self.now = now
    }

    /// How far before the backup's newest time a call can lie that the backup does not know: the clock may have been set
    /// back.
    private static let clockSlack = Duration.seconds(86_400)

    /// - Parameters:
    ///   - newest: the backup's newest time; nil when nothing happened in it.
    ///   - present: the database that is replaced; nil when there is none or it cannot be read.
    mutating func settle(since newest: Timestamp?, present: DatabaseQueue?) throws {
        let since = newest ?? Timestamp(milliseconds: 0)
        if let present, try takeOver(from: present, since: since - Self.clockSlack) {
            summary.knowsCalls = true
        } else {
            try assumeCalls(since: since)
        }
        let within = (now + rules.confirmWithin).milliseconds
        try db.run("UPDATE delivery SET confirm_by_ms = max(confirm_by_ms, ?) WHERE state = 'awaiting'", [within])
        try db.run("UPDATE endpoint SET restored_ms = ?", [now.milliseconds])
    }

    // MARK: - Without the replaced database

    /// Each scheduled delivery may have been called right after the backup.
    private mutating func assumeCalls(since: Timestamp) throws {
        let scheduled = try db.all(
            "SELECT \(Delivery.columns) FROM delivery WHERE state = 'scheduled'", [], Delivery.init)
        for delivery in scheduled {
            let called = try call(delivery, PresentCall(intent: since))
            try db.move(called, .await(until: now + rules.confirmWithin), at: now)
            summary.awaiting += 1
        }
    }

    // MARK: - With it

    /// - Returns: false when it cannot be read; nothing is changed then.
    private mutating func takeOver(from present: DatabaseQueue, since: Timestamp) throws -> Bool {
        let before = summary
        var isRead = true
        try db.inSavepoint {
            do {
                try present.read { source in
                    let calls = try PresentCalls(source, since: since)
                    while let delivery = try calls.next() { try take(delivery, from: source) }
                    try takeAliases(from: source)
                    try takeDecisions(from: source, since: since)
                }
                return .commit
            } catch let error as DatabaseError where Self.unreadable.contains(error.resultCode) {
                isRead = false
                return .rollback
            }
        }
        if !isRead { summary = before }
        return isRead
    }

    private static let unreadable: [ResultCode] = [
        .SQLITE_CORRUPT, .SQLITE_NOTADB, .SQLITE_IOERR, .SQLITE_CANTOPEN, .SQLITE_BUSY,
    ]

    /// Repeats the calls of one delivery that the backup does not know. The last one stays open, for the log to tell,
    /// unless the replaced database has proof that the delivery arrived.
    private mutating func take(_ present: PresentDelivery, from source: Database) throws {
        let own = try db.delivery(endpointID: present.endpointID, taskID: present.taskID)
        let unknown = try present.calls.filter { try !isKnown($0, to: own) }
        let proof = present.evidence.flatMap { $0.source == .log || rules.confirmation == .answer ? $0 : nil }
        // What an operator or the policy gave up stays given up, unless it arrived after all.
        guard let last = unknown.last, own?.state.isOpen ?? true || (own?.state == .dead && proof != nil),
            var delivery = try own ?? insert(present, isProven: proof != nil, from: source)
        else { return }
        if delivery.called != nil { delivery = try giveUpOpenCall(of: delivery, knownAs: present) }
        for call in proof == nil ? unknown.dropLast() : unknown[...] { try remember(call, of: &delivery) }
        if let proof {
            try db.move(delivery, .deliver(proof), at: now)
            summary.delivered += 1
        } else {
            let called = try call(delivery, last)
            try db.move(called, .await(until: now + rules.confirmWithin), at: now)
            summary.awaiting += 1
        }
        summary.calls += unknown.count
    }

    private func isKnown(_ call: PresentCall, to own: Delivery?) throws -> Bool {
        guard let own else { return false }
        return try db.exists(
            "SELECT 1 FROM attempt WHERE delivery_id = ? AND intent_ms = ?", [own.id, call.intent.milliseconds])
    }

    /// The backup's open call was followed by others, so it is over.
    private func giveUpOpenCall(of delivery: Delivery, knownAs present: PresentDelivery) throws -> Delivery {
        let outcome = present.outcomes[delivery.called?.milliseconds ?? 0] ?? "unconfirmed"
        try db.run(
            """
            UPDATE attempt SET answered_ms = ?, answer = 'interrupted'
            WHERE delivery_id = ? AND lease_token = ? AND answered_ms IS NULL
            """,
            [now.milliseconds, delivery.id, delivery.leaseToken])
        try db.settleOpenAttempt(of: delivery, outcome: outcome, at: now)
        return try db.moved(delivery, .schedule(at: now, usesAttempt: outcome != "not_executed"), at: now)
    }

    /// Repeats a call that is over, with the outcome that the replaced database has for it.
    private func remember(_ call: PresentCall, of delivery: inout Delivery) throws {
        // A dead delivery that is proven delivered keeps its calls in the file that is set aside.
        guard delivery.state == .scheduled else { return }
        let called = try self.call(delivery, call)
        try db.settleOpenAttempt(of: called, outcome: call.outcome ?? "unconfirmed", at: now)
        delivery = try db.moved(called, .schedule(at: now, usesAttempt: call.kind == "scheduled"), at: now)
    }

    /// Claims a delivery as it was claimed then, with the intent of that call.
    private func call(_ delivery: Delivery, _ call: PresentCall) throws -> Delivery {
        let claimed = try db.moved(delivery, .attempt(leaseUntil: now), at: call.intent)
        try db.run(
            """
            INSERT INTO attempt (
                delivery_id, cycle, number, kind, lease_token, intent_ms, answered_ms, answer, http_status, detail)
            VALUES (?, ?, ?, ?, ?, ?, ?, 'interrupted', ?, ?)
            """,
            [
                claimed.id, claimed.cycle, claimed.attemptsUsed + 1, call.kind, claimed.leaseToken,
                call.intent.milliseconds, now.milliseconds, call.httpStatus, call.detail,
            ])
        return claimed
    }

    /// A delivery that was found since the backup, as it was found: scheduled, without calls.
    ///
    /// - Returns: nil when its body is not whole; the log has it still, or it needs none.
    private mutating func insert(
        _ present: PresentDelivery, isProven: Bool, from source: Database
    ) throws -> Delivery? {
        guard let body = try present.body(from: source, isNeeded: !isProven) else { return nil }
        try present.copyEndpoint(from: source, into: db)
        guard let delivery = try present.copy(from: source, body: body, into: db, at: now) else { return nil }
        _ = try db.metricLabel(forEventType: delivery.eventType)
        summary.newDeliveries += 1
        return delivery
    }

    /// The further task ids by which the log's entries about those calls are recognised.
    private func takeAliases(from source: Database) throws {
        let cursor = try Row.fetchCursor(
            source,
            sql: """
                SELECT task_alias.task_id AS alias, task_alias.source, delivery.endpoint_id, delivery.task_id
                FROM task_alias JOIN delivery ON delivery.id = task_alias.delivery_id
                """)
        while let row = try cursor.next() {
            let endpointID: String = row["endpoint_id"]
            guard let delivery = try db.delivery(endpointID: endpointID, taskID: row["task_id"]),
                try db.delivery(endpointID: endpointID, taskID: row["alias"]) == nil
            else { continue }
            try db.addAlias(row["alias"], to: delivery, source: row["source"])
        }
    }
}
