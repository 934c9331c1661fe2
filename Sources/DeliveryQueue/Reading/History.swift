extension QueueReader {
    /// Everything about one delivery, in one snapshot; nil when there is no such delivery.
    package func history(ofDelivery id: Int64) throws(StoreError) -> DeliveryHistory? {
        try read("read delivery \(id)") { try $0.history(ofDelivery: id) }
    }
}

extension Session {
    fileprivate func history(ofDelivery id: Int64) throws -> DeliveryHistory? {
        let record = try first(
            """
            SELECT \(Delivery.columns), \(DeliveryRecord.columns) FROM delivery_standing AS delivery WHERE delivery.id = ?
            """,
            [id], DeliveryRecord.init)
        guard let record, let endpoint = try endpoint(of: record.delivery) else { return nil }
        let body = try first(
            "SELECT sha256, length(body) FROM delivery_body WHERE delivery_id = ?", [id]
        ) { (sha256: $0.bytes(), size: $0.integerIfAny()) }
        return DeliveryHistory(
            record: record, endpoint: endpoint, pause: try providerPause(),
            aliases: try all("SELECT task_id FROM task_alias WHERE delivery_id = ? ORDER BY task_id", [id]) {
                $0.text()
            },
            events: try events(ofDelivery: id), bodyDigest: (body?.sha256 ?? []).map(Self.twoDigits).joined(),
            bodySize: (body?.size).flatMap { Int($0) })
    }

    private static func twoDigits(_ byte: UInt8) -> String {
        (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }

    private func endpoint(of delivery: Delivery) throws -> DeliveryHistory.Endpoint? {
        let trialTask = try first(
            """
            SELECT task_id FROM delivery
            WHERE endpoint_id = ? AND state IN ('attempting', 'awaiting') AND is_trial = 1 LIMIT 1
            """,
            [delivery.endpointID]
        ) { $0.text() }
        return try first(
            """
            SELECT active, hold_reason, hold_since_ms, hold_until_ms, \(EndpointCircuit.Phase.columns), last_poll_error,
                unread_since_ms
            FROM endpoint_standing WHERE id = ?
            """,
            [delivery.endpointID]
        ) { row in
            DeliveryHistory.Endpoint(
                isActive: row.flag(), holdReason: row.wordIfAny(), holdSince: row.timestampIfAny(),
                holdUntil: row.timestampIfAny(), circuit: EndpointCircuit.Phase(&row), trialTask: trialTask,
                lastPollError: row.textIfAny(), unreadSince: row.timestampIfAny())
        }
    }

    private func providerPause() throws -> DeliveryHistory.Pause? {
        try first("SELECT reason, since_ms, until_ms FROM provider_pause") { row in
            .init(reason: row.text(), since: row.timestamp(), until: row.timestampIfAny())
        }
    }

    /// Log entries, calls and operators' actions by time. A log entry without a time stands where we first read it.
    private func events(ofDelivery id: Int64) throws -> [DeliveryHistory.Event] {
        try all(
            """
            SELECT CASE logged_ms WHEN 0 THEN found_ms ELSE logged_ms END AS at_ms, 'log' AS source, outcome AS what,
                nullif(trim(other_task || coalesce(' HTTP ' || http_status, '') || coalesce(' ' || error, '')), '')
                    AS detail
            FROM (SELECT log_entry.*, CASE WHEN log_entry.task_id = delivery.task_id THEN ''
                      ELSE 'as task ' || log_entry.task_id END AS other_task
                  FROM log_entry JOIN delivery ON delivery.id = log_entry.delivery_id
                  WHERE log_entry.delivery_id = :id) AS entry
            UNION ALL
            SELECT intent_ms, 'retry', coalesce(outcome, answer, 'calling'),
                CASE WHEN kind = 'manual' THEN 'operator''s retry ' || number
                     WHEN is_trial = 1 THEN 'a trial of its endpoint' ELSE 'attempt ' || number END
                    || ', answer ' || coalesce(answer, 'none yet') || coalesce(' (HTTP ' || http_status || ')', '')
                    || coalesce(' after ' || round((answered_ms - intent_ms) / 1000.0, 1) || ' s', '')
                    || coalesce(': ' || detail, '')
            FROM attempt WHERE delivery_id = :id
            UNION ALL
            SELECT at_ms, 'operator', action, who || ': ' || reason
            FROM operator_action WHERE delivery_id = :id
            ORDER BY at_ms
            """,
            ["id": id]
        ) { row in
            .init(time: row.timestamp(), source: try row.word(), what: row.text(), detail: row.textIfAny())
        }
    }
}
