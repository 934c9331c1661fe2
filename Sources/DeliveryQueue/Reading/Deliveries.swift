extension QueueReader {
    /// Deliveries, newest first.
    ///
    /// - Parameter limit: 0: all.
    package func deliveries(
        matching filter: DeliveryFilter, limit: Int
    ) throws(StoreError) -> [DeliveryRecord] {
        try read("list deliveries") { session in
            let condition = DeliveryCondition(filter)
            return try session.all(
                """
                SELECT \(Delivery.columns), \(DeliveryRecord.columns)
                FROM delivery_standing AS delivery
                WHERE \(condition.sql)
                ORDER BY delivery.id DESC \(limit == 0 ? "" : "LIMIT \(limit)")
                """,
                condition.parameters, DeliveryRecord.init)
        }
    }

    /// The numbers of all deliveries that match now, oldest first: a fixed set, whatever happens to them later.
    package func deliveryIDs(matching filter: DeliveryFilter) throws(StoreError) -> [Int64] {
        try read("select deliveries") { session in
            let condition = DeliveryCondition(filter)
            return try session.all("SELECT id FROM delivery WHERE \(condition.sql) ORDER BY id", condition.parameters) {
                $0.integer()
            }
        }
    }

    /// The delivery with this number of ours; nil: there is none.
    package func delivery(withID id: Int64) throws(StoreError) -> DeliveryRecord? {
        try deliveries(among: "SELECT :id", ["id": id]).first
    }

    /// The deliveries with this task id, also as the further task id of a retry. There may be several: endpoints can
    /// share a task id.
    package func deliveries(withTaskID taskID: String) throws(StoreError) -> [DeliveryRecord] {
        try deliveries(
            among: """
                SELECT id FROM delivery WHERE task_id = :task
                UNION SELECT delivery_id FROM task_alias WHERE task_id = :task
                """, ["task": taskID])
    }

    /// The deliveries whose own task id begins so, at most `limit`.
    package func deliveries(withTaskIDFrom start: String, limit: Int) throws(StoreError) -> [DeliveryRecord] {
        try deliveries(
            among: "SELECT id FROM delivery WHERE task_id >= :start AND task_id < :end ORDER BY task_id LIMIT :limit",
            ["start": start, "end": start + "\u{10FFFF}", "limit": limit])
    }

    private func deliveries(
        among ids: String, _ parameters: Parameters
    ) throws(StoreError) -> [DeliveryRecord] {
        try read("find a delivery") { session in
            try session.all(
                """
                SELECT \(Delivery.columns), \(DeliveryRecord.columns)
                FROM delivery_standing AS delivery
                WHERE delivery.id IN (\(ids))
                ORDER BY delivery.id
                """,
                parameters, DeliveryRecord.init)
        }
    }

    /// A delivery's body, byte for byte; nil when there is no such delivery, or its body was dropped.
    package func body(ofDelivery id: Int64) throws(StoreError) -> [UInt8]? {
        try read("read the body of delivery \(id)") { session in
            try session.first("SELECT body FROM delivery_body WHERE delivery_id = ? AND body IS NOT NULL", [id]) {
                $0.bytes()
            }
        }
    }

    /// The id of the endpoint with this id or name, where an id goes first; nil when the database knows none.
    package func endpointID(named name: String) throws(StoreError) -> String? {
        try read("find endpoint \(name)") { session in
            try session.first(
                "SELECT id FROM endpoint WHERE id = :name OR name = :name ORDER BY id = :name DESC", ["name": name]
            ) {
                $0.text()
            }
        }
    }
}

/// A filter as SQL. States are written out, so that the database can use the indexes that cover only some of them.
private struct DeliveryCondition {
    private(set) var sql = "1 = 1"
    private(set) var parameters: Parameters = []

    init(_ filter: DeliveryFilter) {
        var states = filter.states
        if !filter.reasons.isEmpty, states.isEmpty { states = [.dead] }
        if !states.isEmpty {
            sql += " AND delivery.state IN (\(states.map { "'\($0.rawValue)'" }.joined(separator: ", ")))"
        }
        add("delivery.dead_reason", filter.reasons.map(\.rawValue))
        add("delivery.event_type", filter.eventTypes)
        // Not by the index on endpoints: up to half of its rows would have to be sorted by id.
        add(Dialect.unindexed("delivery.endpoint_id"), filter.endpointID.map { [$0] } ?? [])
        add("delivery.customer_id", filter.customerID.map { [$0] } ?? [])
        if let since = filter.since { add("delivery.first_failed_ms >= ?", since) }
        if let until = filter.until { add("delivery.first_failed_ms < ?", until) }
    }

    private mutating func add(_ column: String, _ values: [String]) {
        guard !values.isEmpty else { return }
        sql += " AND \(column) IN (\(values.map { _ in "?" }.joined(separator: ", ")))"
        parameters = parameters + Parameters(values.map(\.sqlValue))
    }

    private mutating func add(_ comparison: String, _ time: Timestamp) {
        sql += " AND \(comparison)"
        parameters = parameters + [time]
    }
}

extension DeliveryRecord {
    /// The columns that `init(_:)` reads after `Delivery.columns`, in this order.
    static let columns = """
        delivery.endpoint, delivery.dead_reason, delivery.delivered_by, delivery.delivered_evidence,
        delivery.delivered_task_id, delivery.finalized_ms, delivery.superseded_by_task_id, delivery.last_error,
        delivery.held_because, delivery.is_behind_gap, delivery.log_unread_since_ms, delivery.look_wanted_ms,
        delivery.last_poll_error
        """

    init(_ row: inout SQLRow) throws {
        self.init(
            delivery: try Delivery(&row), endpointName: row.text(), deadReason: row.wordIfAny(),
            evidence: Evidence(&row), finalized: row.timestampIfAny(), supersededBy: row.textIfAny(),
            lastError: row.textIfAny(), heldBecause: row.wordIfAny(), isBehindGap: row.integerIfAny() == 1,
            unreadSince: row.timestampIfAny(), lookWanted: row.timestampIfAny(),
            lastPollError: row.textIfAny())
    }
}

extension Evidence {
    /// Reads a proof from its three columns; nil when nothing proves an arrival.
    package init?(_ row: inout SQLRow) {
        let (actor, source, taskID) = (row.wordIfAny(Actor.self), row.wordIfAny(Source.self), row.textIfAny())
        guard let actor, let source else { return nil }
        self.init(actor: actor, source: source, taskID: taskID)
    }
}
