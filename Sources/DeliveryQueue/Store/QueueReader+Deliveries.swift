import GRDB

extension QueueReader {
    /// Deliveries, newest first.
    ///
    /// - Parameter limit: 0: all.
    package func deliveries(
        matching filter: DeliveryFilter, limit: Int
    ) throws(StoreError) -> [DeliveryRecord] {
        try read("list deliveries") { db in
            let condition = DeliveryCondition(filter)
            return try db.all(
                """
                SELECT \(Delivery.columns), \(DeliveryRecord.columns)
                FROM delivery JOIN endpoint ON endpoint.id = delivery.endpoint_id
                WHERE \(condition.sql)
                ORDER BY delivery.id DESC LIMIT ?
                """,
                condition.bindings + [limit == 0 ? -1 : limit], DeliveryRecord.init)
        }
    }

    /// The numbers of all deliveries that match now, oldest first: a fixed set, whatever happens to them later.
    package func deliveryIDs(matching filter: DeliveryFilter) throws(StoreError) -> [Int64] {
        try read("select deliveries") { db in
            let condition = DeliveryCondition(filter)
            return try db.all("SELECT id FROM delivery WHERE \(condition.sql) ORDER BY id", condition.bindings) {
                $0.integer()
            }
        }
    }

    /// The deliveries that have this number of ours, or this task id, also as a further task id of a retry; several when
    /// endpoints share a task id, or a number is also a task id. nil asks for none of that kind.
    package func deliveries(withID id: Int64?, orTaskID taskID: String?) throws(StoreError) -> [DeliveryRecord] {
        try read("find a delivery") { db in
            // By way of the endpoints, which are few, because the index of task ids begins with the endpoint.
            try db.all(
                """
                SELECT \(Delivery.columns), \(DeliveryRecord.columns)
                FROM delivery JOIN endpoint ON endpoint.id = delivery.endpoint_id
                WHERE delivery.id IN (
                    SELECT ?1
                    UNION SELECT delivery.id FROM endpoint
                        CROSS JOIN delivery ON delivery.endpoint_id = endpoint.id AND delivery.task_id = ?2
                    UNION SELECT task_alias.delivery_id FROM endpoint
                        CROSS JOIN task_alias ON task_alias.endpoint_id = endpoint.id AND task_alias.task_id = ?2)
                ORDER BY delivery.id
                """,
                [id, taskID], DeliveryRecord.init)
        }
    }

    /// Everything about one delivery, in one snapshot; nil when there is no such delivery.
    package func history(ofDelivery id: Int64) throws(StoreError) -> DeliveryHistory? {
        try read("read delivery \(id)") { try $0.history(ofDelivery: id) }
    }

    /// A delivery's body, byte for byte; nil when there is no such delivery, or its body was dropped.
    package func body(ofDelivery id: Int64) throws(StoreError) -> [UInt8]? {
        try read("read the body of delivery \(id)") { db in
            try db.firstRow("SELECT body FROM delivery_body WHERE delivery_id = ? AND body IS NOT NULL", [id])?
                .bytes("body")
        }
    }

    /// The id of the endpoint that a person names by its name or id; nil when the database knows none.
    package func endpointID(named name: String) throws(StoreError) -> String? {
        try read("find endpoint \(name)") { db in
            try db.firstRow("SELECT id FROM endpoint WHERE id = ?1 OR name = ?1 ORDER BY id = ?1 DESC", [name])?["id"]
        }
    }
}

/// A filter as SQL. States are written out, so that SQLite may use the indexes that hold only some of them.
private struct DeliveryCondition {
    private(set) var sql = "1"
    private(set) var bindings: Bindings = []

    init(_ filter: DeliveryFilter) {
        var states = filter.states
        if !filter.reasons.isEmpty, states.isEmpty { states = [.dead] }
        if !states.isEmpty {
            sql += " AND delivery.state IN (\(states.map { "'\($0.rawValue)'" }.joined(separator: ", ")))"
        }
        add("delivery.dead_reason", filter.reasons.map(\.rawValue))
        add("delivery.event_type", filter.eventTypes)
        // The plus keeps SQLite from the index of endpoints, half of whose rows it would have to sort by id.
        add("+delivery.endpoint_id", filter.endpointID.map { [$0] } ?? [])
        add("delivery.customer_id", filter.customerID.map { [$0] } ?? [])
        if let since = filter.since { add("delivery.first_failed_ms >= ?", since) }
        if let until = filter.until { add("delivery.first_failed_ms < ?", until) }
    }

    private mutating func add(_ column: String, _ values: [String]) {
        guard !values.isEmpty else { return }
        sql += " AND \(column) IN (\(values.map { _ in "?" }.joined(separator: ", ")))"
        bindings += Bindings(values)
    }

    private mutating func add(_ comparison: String, _ time: Timestamp) {
        sql += " AND \(comparison)"
        bindings += [time.milliseconds]
    }
}

extension DeliveryRecord {
    /// What `init(_:)` reads behind `Delivery.columns`, in its order.
    static let columns = """
        endpoint.name, delivery.dead_reason, delivery.delivered_by, delivery.delivered_evidence,
        delivery.delivered_task_id, delivery.finalized_ms, delivery.superseded_by_task_id, delivery.last_error
        """

    init(_ columns: inout ColumnReader) throws {
        self.init(
            delivery: try Delivery(&columns), endpointName: columns.text(),
            deadReason: columns.textIfAny().flatMap(DeadReason.init(rawValue:)), evidence: Evidence(&columns),
            finalized: columns.timestampIfAny(), supersededBy: columns.textIfAny(), lastError: columns.textIfAny())
    }
}

extension Evidence {
    /// nil when nothing proves an arrival.
    fileprivate init?(_ columns: inout ColumnReader) {
        let (actor, source, taskID) = (columns.textIfAny(), columns.textIfAny(), columns.textIfAny())
        guard let actor = actor.flatMap(Actor.init(rawValue:)), let source = source.flatMap(Source.init(rawValue:))
        else { return nil }
        self.init(actor: actor, source: source, taskID: taskID)
    }
}

extension Database {
    fileprivate func history(ofDelivery id: Int64) throws -> DeliveryHistory? {
        let record = try first(
            """
            SELECT \(Delivery.columns), \(DeliveryRecord.columns)
            FROM delivery JOIN endpoint ON endpoint.id = delivery.endpoint_id WHERE delivery.id = ?
            """,
            [id], DeliveryRecord.init)
        let row = try firstRow(
            """
            SELECT endpoint.active, endpoint.hold_reason,
                endpoint.circuit_open_ms, endpoint.circuit_next_trial_ms, endpoint.circuit_limit,
                (SELECT trial.task_id FROM delivery AS trial
                 WHERE trial.endpoint_id = endpoint.id AND trial.state IN ('attempting', 'awaiting')
                   AND trial.is_trial = 1 LIMIT 1) AS trial_task,
                endpoint.hold_since_ms, endpoint.hold_until_ms, endpoint.last_poll_error,
                lower(hex(delivery_body.sha256)) AS digest, length(delivery_body.body) AS body_size
            FROM delivery
            JOIN endpoint ON endpoint.id = delivery.endpoint_id
            JOIN delivery_body ON delivery_body.delivery_id = delivery.id
            WHERE delivery.id = ?
            """,
            [id])
        guard let record, let row else { return nil }
        let endpoint = DeliveryHistory.Endpoint(
            isActive: row["active"], holdReason: (row["hold_reason"] as String?).flatMap(HoldReason.init(rawValue:)),
            holdSince: row.timestampIfAny("hold_since_ms"), holdUntil: row.timestampIfAny("hold_until_ms"),
            circuit: EndpointCircuit.Phase(row: row), trialTask: row["trial_task"],
            lastPollError: row["last_poll_error"])
        return DeliveryHistory(
            record: record, endpoint: endpoint, pause: try providerPause(),
            aliases: try rows("SELECT task_id FROM task_alias WHERE delivery_id = ? ORDER BY task_id", [id]).map {
                $0["task_id"]
            },
            events: try events(ofDelivery: id), bodyDigest: row["digest"], bodySize: row["body_size"])
    }

    private func providerPause() throws -> DeliveryHistory.Pause? {
        try firstRow("SELECT reason, since_ms, until_ms FROM provider_pause").map { row in
            .init(reason: row["reason"], since: row.timestamp("since_ms"), until: row.timestampIfAny("until_ms"))
        }
    }

    /// Log entries, calls and operators' actions by time. A log entry without a time stands where we first read it.
    private func events(ofDelivery id: Int64) throws -> [DeliveryHistory.Event] {
        try rows(
            """
            SELECT CASE logged_ms WHEN 0 THEN found_ms ELSE logged_ms END AS at_ms, 'log' AS source, outcome AS what,
                nullif(trim(other_task || coalesce(' HTTP ' || http_status, '') || coalesce(' ' || error, '')), '')
                    AS detail
            FROM (SELECT log_entry.*, CASE WHEN log_entry.task_id = delivery.task_id THEN ''
                      ELSE 'as task ' || log_entry.task_id END AS other_task
                  FROM log_entry JOIN delivery ON delivery.id = log_entry.delivery_id
                  WHERE log_entry.delivery_id = ?1)
            UNION ALL
            SELECT intent_ms, 'retry', coalesce(outcome, answer, 'calling'),
                CASE WHEN kind = 'manual' THEN 'operator''s retry ' || number
                     WHEN is_trial = 1 THEN 'a trial of its endpoint' ELSE 'attempt ' || number END
                    || ', answer ' || coalesce(answer, 'none yet') || coalesce(' (HTTP ' || http_status || ')', '')
                    || coalesce(' after ' || round((answered_ms - intent_ms) / 1000.0, 1) || ' s', '')
                    || coalesce(': ' || detail, '')
            FROM attempt WHERE delivery_id = ?1
            UNION ALL
            SELECT at_ms, 'operator', action, who || ': ' || reason
            FROM operator_action WHERE delivery_id = ?1
            ORDER BY at_ms
            """,
            [id]
        ).compactMap { row in
            DeliveryHistory.Source(rawValue: row["source"]).map {
                .init(time: row.timestamp("at_ms"), source: $0, what: row["what"], detail: row["detail"])
            }
        }
    }
}
