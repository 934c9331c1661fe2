import DeliveryQueue

/// What a restore did to the deliveries of a backup, in counts.
package struct RestoreSummary: Sendable, Equatable {
    /// Retry calls made since the backup, taken over from the database that is replaced.
    package var calls = 0
    /// Deliveries that were found and retried since the backup, taken over with their bodies.
    package var newDeliveries = 0
    /// Deliveries that are delivered now, because the replaced database has proof.
    package var delivered = 0
    /// Deliveries that wait for the log to show their calls before anything is sent again.
    package var awaiting = 0
    /// Whether the replaced database told which calls were made; if not, every scheduled delivery counts as called.
    package var knowsCalls = false

    package init() {}
}

/// A backup's queue on its way back into service: nothing may be sent again that may have been sent since the backup.
///
/// Works inside one transaction. The provider's log tells what it cannot know: a delivery that may have been called
/// awaits its outcome like any other call, and failures from before the restore get no attempt until the log had
/// `confirm.within` to show how they ended (`endpoint.restored_ms`).
struct RestoredQueue {
    var queue: RuledTransaction
    var summary = RestoreSummary()

    var now: Timestamp { queue.now }

    init(_ queue: RuledTransaction) {
        self.queue = queue
    }

    /// A call that the backup does not know may have begun this long before its newest time: the clock may have been
    /// set back.
    private static let clockSlack = Duration.seconds(86_400)

    /// Settles every delivery that may have been called since the backup.
    ///
    /// - Parameters:
    ///   - newest: the backup's newest time; nil when nothing happened in it.
    ///   - present: the database that is replaced; nil when there is none or it cannot be read.
    mutating func settle(since newest: Timestamp?, present: Connections?) throws {
        let since = newest ?? Timestamp(milliseconds: 0)
        if let present, try takeOver(from: present, since: since - Self.clockSlack) {
            summary.knowsCalls = true
        } else {
            try assumeCalls(since: since)
        }
        try queue.session.run(
            "UPDATE delivery SET confirm_by_ms = :within WHERE state = 'awaiting' AND confirm_by_ms < :within",
            ["within": now + queue.rules.confirmWithin])
        try queue.session.run("UPDATE endpoint SET restored_ms = ?", [now])
        try queue.finish()
    }

    // MARK: - Without the replaced database

    /// Treats each scheduled delivery as called right after the backup.
    private mutating func assumeCalls(since: Timestamp) throws {
        let scheduled = try queue.session.all(
            "SELECT \(Delivery.columns) FROM delivery_standing AS delivery WHERE state = 'scheduled'", [], Delivery.init
        )
        for delivery in scheduled {
            let called = try call(delivery, PresentCall(intent: since))
            try queue.move(called, .await(until: now + queue.rules.confirmWithin))
            summary.awaiting += 1
        }
    }

    // MARK: - With it

    /// Takes over calls, proofs and decisions from the replaced database.
    ///
    /// - Returns: false when it cannot be read; nothing is changed then.
    private mutating func takeOver(from present: Connections, since: Timestamp) throws -> Bool {
        var attempt = self
        var isRead = true
        try queue.session.savepoint {
            do {
                try present.readHere { try attempt.takeAll(from: $0, since: since) }
            } catch  where Self.unreadable.contains(EngineFault(error)) {
                isRead = false
            }
            return isRead
        }
        if isRead { self = attempt }
        return isRead
    }

    private static let unreadable: [EngineFault?] = [.corrupt, .notADatabase, .inputOutput, .cannotOpen, .busy]

    private mutating func takeAll(from source: Session, since: Timestamp) throws {
        try PresentDelivery.each(in: source, since: since) { try take($0, from: source) }
        try takeAliases(from: source)
        try takeDecisions(from: source, since: since)
    }

    /// Repeats the calls of one delivery that the backup does not know. The last one stays open, for the log to tell,
    /// unless the replaced database has proof that the delivery arrived.
    private mutating func take(_ present: PresentDelivery, from source: Session) throws {
        let own = try queue.delivery(endpointID: present.endpointID, taskID: present.taskID)
        let unknown = try present.calls.filter { try !isKnown($0, to: own) }
        let proof = present.evidence.flatMap {
            $0.source == .log || queue.rules.confirmation == .answer ? $0 : nil
        }
        // What an operator or the policy gave up stays given up, unless it arrived after all.
        guard let last = unknown.last, own?.state.isOpen ?? true || (own?.state == .dead && proof != nil),
            var delivery = try own ?? insert(present, isProven: proof != nil, from: source)
        else { return }
        if delivery.called != nil { delivery = try giveUpOpenCall(of: delivery, knownAs: present) }
        for call in proof == nil ? unknown.dropLast() : unknown[...] { try remember(call, of: &delivery) }
        if let proof {
            try queue.settle(delivery, by: .kept(proof))
            summary.delivered += 1
        } else {
            let called = try call(delivery, last)
            try queue.move(called, .await(until: now + queue.rules.confirmWithin))
            summary.awaiting += 1
        }
        summary.calls += unknown.count
    }

    private func isKnown(_ call: PresentCall, to own: Delivery?) throws -> Bool {
        guard let own else { return false }
        return try queue.session.exists(
            "SELECT 1 FROM attempt WHERE delivery_id = ? AND intent_ms = ?", [own.id, call.intent])
    }

    /// Ends the backup's open call, because others followed it.
    private mutating func giveUpOpenCall(
        of delivery: Delivery, knownAs present: PresentDelivery
    ) throws -> Delivery {
        try queue.noteInterruption(of: delivery)
        let end = delivery.called.flatMap { present.ends[$0] } ?? .unconfirmed
        return try settled(delivery, as: end, delivery.manual == nil ? .scheduled : .manual)
    }

    /// Repeats a call that is over, with the end that the replaced database has for it.
    private mutating func remember(_ call: PresentCall, of delivery: inout Delivery) throws {
        // A dead delivery that is proven delivered keeps its calls in the file that is set aside.
        guard delivery.state == .scheduled else { return }
        let called = try self.call(delivery, call)
        delivery = try settled(called, as: call.end ?? .unconfirmed, call.kind)
    }

    private mutating func settled(
        _ delivery: Delivery, as end: AttemptEnd, _ kind: AttemptKind
    ) throws -> Delivery {
        try queue.settle(delivery, by: .keptEnd(end, kind))
        return try queue.delivery(id: delivery.id) ?? delivery
    }

    /// Claims a delivery as it was claimed then, with the intent of that call.
    private mutating func call(_ delivery: Delivery, _ call: PresentCall) throws -> Delivery {
        let claimed = try queue.moved(delivery, .attempt(leaseUntil: now), at: call.intent)
        try queue.session.run(
            """
            INSERT INTO attempt (
                delivery_id, cycle, number, kind, lease_token, intent_ms, answered_ms, answer, http_status, detail,
                named_task_id, head_ms)
            VALUES (
                :delivery, :cycle, :number, :kind, :token, :intent, :now, '\(Answer.interrupted)', :status, :detail,
                :named, :head)
            """,
            [
                "delivery": claimed.id, "cycle": claimed.cycle, "number": claimed.attemptsUsed + 1, "kind": call.kind,
                "token": claimed.leaseToken, "intent": call.intent, "now": now, "status": call.httpStatus,
                "detail": call.detail, "named": call.named, "head": call.head,
            ])
        return claimed
    }

    /// Takes over a delivery that was found since the backup: scheduled, without calls.
    ///
    /// - Returns: nil when its body is not whole; the log still shows it, or it needs no call.
    private mutating func insert(
        _ present: PresentDelivery, isProven: Bool, from source: Session
    ) throws -> Delivery? {
        guard let delivery = try queue.copyDelivery(present.id, isProven: isProven, from: source) else { return nil }
        summary.newDeliveries += 1
        return delivery
    }

    /// Takes over further task ids, by which the log's entries about those calls are recognised.
    private func takeAliases(from source: Session) throws {
        try source.each(
            """
            SELECT task_alias.task_id, task_alias.source, delivery.endpoint_id, delivery.task_id
            FROM task_alias JOIN delivery ON delivery.id = task_alias.delivery_id
            """
        ) { row in
            let (alias, source) = (row.text(), try row.word(AliasSource.self))
            let (endpointID, taskID) = (row.text(), row.text())
            guard let delivery = try queue.delivery(endpointID: endpointID, taskID: taskID),
                try queue.delivery(endpointID: endpointID, taskID: alias) == nil
            else { return true }
            try queue.addAlias(alias, to: delivery, source: source)
            return true
        }
    }
}
