import DeliveryQueue

/// A retry call in the database that a restore replaces.
struct PresentCall {
    let intent: Timestamp
    var kind = AttemptKind.scheduled
    var httpStatus: Int?
    /// For on-call: how the provider answered.
    var detail: String?
    /// The task id that the answer named; nil: none.
    var named: String?
    /// Newest provider time that was read before the call; nil: none was.
    var head: Timestamp?
    /// nil: not known yet.
    var end: AttemptEnd?
}

/// A delivery in the database that a restore replaces, with those of its calls that may have been executed.
struct PresentDelivery {
    let id: Int64
    let endpointID: String
    let taskID: String
    /// Proof that it arrived; nil: there is none.
    let evidence: Evidence?
    /// Oldest first.
    var calls: [PresentCall] = []
    /// How each call ended, by its intent.
    var ends: [Timestamp: AttemptEnd] = [:]

    /// Reads the calls of the replaced database, delivery by delivery.
    ///
    /// - Parameter since: calls that began before are not read.
    static func each(
        in source: Session, since: Timestamp, _ take: (PresentDelivery) throws -> Void
    ) throws {
        var current: PresentDelivery?
        try source.each(
            """
            SELECT delivery.id, delivery.endpoint_id, delivery.task_id, delivery.delivered_by,
                   delivery.delivered_evidence, delivery.delivered_task_id,
                   attempt.intent_ms, attempt.kind, attempt.http_status, attempt.answer,
                   attempt.named_task_id, attempt.head_ms, attempt.outcome
            FROM attempt JOIN delivery ON delivery.id = attempt.delivery_id
            WHERE attempt.intent_ms >= ?
            ORDER BY attempt.delivery_id, attempt.lease_token
            """,
            [since]
        ) { row in
            var next = PresentDelivery(
                id: row.integer(), endpointID: row.text(), taskID: row.text(), evidence: Evidence(&row))
            if let before = current {
                if before.id == next.id { next = before } else { try take(before) }
            }
            try next.add(&row)
            current = next
            return true
        }
        if let current { try take(current) }
    }

    private mutating func add(_ row: inout SQLRow) throws {
        let (intent, kind, status) = (row.timestamp(), try row.word(AttemptKind.self), row.integerIfAny())
        let (answer, named, head) = (row.textIfAny(), row.textIfAny(), row.timestampIfAny())
        let end = row.wordIfAny(AttemptEnd.self)
        ends[intent] = end
        // A call that was certainly not executed needs no outcome.
        guard end != .notExecuted else { return }
        let told = answer.map { "the provider answered: \($0)" } ?? "no answer was recorded"
        calls.append(
            PresentCall(
                intent: intent, kind: kind, httpStatus: status.map { Int($0) },
                detail: "made after the backup was taken; \(told)", named: named, head: head, end: end))
    }
}

extension QueueTransaction {
    /// Takes over an endpoint that was configured after the backup was taken.
    private func copyEndpoint(_ id: String, from source: Session) throws {
        let values = try source.first("SELECT name, active, history_from_ms FROM endpoint WHERE id = ?", [id]) {
            [$0.value(), $0.value(), $0.value()]
        }
        guard let values else { return }
        try session.run(
            """
            INSERT INTO endpoint (id, name, active, history_from_ms) VALUES (:id, :name, :active, :from)
            ON CONFLICT (id) DO NOTHING
            """,
            ["id": id, "name": values[0], "active": values[1], "from": values[2]])
    }

    /// Takes over a delivery as it was found in the log: scheduled, without calls.
    ///
    /// - Parameter isProven: whether its arrival is proven; then it is not sent again and needs no body.
    /// - Returns: nil when its body is not whole.
    mutating func copyDelivery(_ id: Int64, isProven: Bool, from source: Session) throws -> Delivery? {
        let body = try source.first(
            "SELECT body, sha256, task_id_json, customer_id_json, webhook_id_json FROM delivery_body WHERE delivery_id = ?",
            [id]
        ) { [$0.value(), $0.value(), $0.value(), $0.value(), $0.value()] }
        guard let body, Self.isUsable(body, isProven: isProven) else { return nil }
        let names = Self.foundColumns.map { "\($0)" }.joined(separator: ", ")
        let found = try source.first("SELECT \(names) FROM delivery WHERE id = ?", [id]) { row in
            Self.foundColumns.map { _ in row.value() }
        }
        guard let found, case .text(let endpointID) = found[0] else { return nil }
        try copyEndpoint(endpointID, from: source)
        var parameters: Parameters = ["now": now]
        for (name, value) in zip(Self.foundColumns, found) { parameters.add(name, value) }
        try session.run(
            """
            INSERT INTO delivery (\(names), state, next_attempt_ms, updated_ms, turn_ms)
            VALUES (\(Self.foundColumns.map { ":\($0)" }.joined(separator: ", ")), 'scheduled', :now, :now, :last_failed_ms)
            """, parameters)
        guard let delivery = try delivery(id: session.lastID) else { return nil }
        try startAgeClock(of: delivery, from: delivery.cycleStarted)
        try session.run(
            """
            INSERT INTO delivery_body (delivery_id, body, sha256, task_id_json, customer_id_json, webhook_id_json)
            VALUES (:delivery, :body, :sha256, :task, :customer, :webhook)
            """,
            [
                "delivery": delivery.id, "body": body[0], "sha256": body[1], "task": body[2], "customer": body[3],
                "webhook": body[4],
            ])
        try metricLabel(forEventType: delivery.eventType)
        return delivery
    }

    /// What a delivery has from the log.
    private static var foundColumns: [StaticString] {
        [
            "endpoint_id", "task_id", "event_type", "customer_id", "webhook_id", "cycle_started_ms", "logged_ms",
            "first_failed_ms", "last_failed_ms", "last_error", "created_ms",
        ]
    }

    /// Whether a body matches its SHA-256, or was dropped and is not needed.
    private static func isUsable(_ body: [SQLValue], isProven: Bool) -> Bool {
        guard case .blob(let bytes) = body[0], case .blob(let sha256) = body[1] else { return isProven }
        return BodyDigest.sha256(bytes) == sha256
    }
}
