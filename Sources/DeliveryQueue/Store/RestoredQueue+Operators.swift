import GRDB

extension RestoredQueue {
    /// Takes over what people decided since the backup: holds and their ends, deliveries given up, test events, and who did
    /// what. Retries and requeues are not repeated: those that were sent are among the calls, the others can be asked for
    /// again.
    mutating func takeDecisions(from source: Database, since: Timestamp) throws {
        try takeHolds(from: source)
        let discarded = try source.rows(
            """
            SELECT endpoint_id, task_id FROM delivery
            WHERE state = 'dead' AND dead_reason = 'discarded' AND finalized_ms >= ?
            """,
            [since.milliseconds])
        for row in discarded {
            if let own = try db.delivery(endpointID: row["endpoint_id"], taskID: row["task_id"]) { try giveUp(own) }
        }
        // Older databases know no test events.
        if try source.tableExists("test_event") { try takeTestEvents(from: source, since: since) }
        try takeNotes(from: source, since: since)
    }

    private func takeHolds(from source: Database) throws {
        for row in try source.rows("SELECT id, hold_reason IS 'operator' AS paused, hold_since_ms FROM endpoint") {
            let (id, isPaused): (String, Bool) = (row["id"], row["paused"])
            guard
                let own = try db.firstRow("SELECT hold_reason IS 'operator' AS paused FROM endpoint WHERE id = ?", [id])
            else { continue }
            if isPaused, !own["paused"] {
                try db.hold(id, .operator, until: nil, at: row.timestamp("hold_since_ms"))
            } else if !isPaused, own["paused"] {
                try db.endHold(of: id, at: now)
            }
        }
    }

    /// A late success in the log still settles it.
    private mutating func giveUp(_ delivery: Delivery) throws {
        switch delivery.state {
        case .awaiting:
            try db.settleOpenAttempt(of: delivery, outcome: "unconfirmed", at: now)
            summary.awaiting -= 1
        case .scheduled: break
        case .attempting, .delivered, .dead: return
        }
        try db.move(delivery, .die(.discarded, usesAttempt: false), at: now)
    }

    private func takeTestEvents(from source: Database, since: Timestamp) throws {
        let columns = "endpoint_id, task_id, event_type, who, asked_ms"
        for row in try source.rows("SELECT \(columns) FROM test_event WHERE asked_ms >= ?", [since.milliseconds])
        where try db.isEndpoint(row["endpoint_id"]) {
            try db.run(
                "INSERT INTO test_event (\(columns)) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                Bindings(row))
        }
    }

    private func takeNotes(from source: Database, since: Timestamp) throws {
        let notes = try source.rows(
            """
            SELECT at_ms, who, action, operator_action.endpoint_id, reason, delivery.task_id
            FROM operator_action LEFT JOIN delivery ON delivery.id = delivery_id
            WHERE at_ms >= ? ORDER BY operator_action.id
            """,
            [since.milliseconds])
        for row in notes where try db.isEndpoint(row["endpoint_id"]) {
            let taskID: String? = row["task_id"]
            let delivery = try taskID.flatMap { try db.delivery(endpointID: row["endpoint_id"], taskID: $0) }
            // Of a delivery that is not taken over nothing is told.
            guard taskID == nil || delivery != nil else { continue }
            try db.run(
                """
                INSERT INTO operator_action (at_ms, who, action, endpoint_id, delivery_id, reason)
                SELECT ?1, ?2, ?3, ?4, ?5, ?6
                WHERE NOT EXISTS (
                    SELECT 1 FROM operator_action
                    WHERE at_ms = ?1 AND who = ?2 AND action = ?3 AND endpoint_id = ?4 AND delivery_id IS ?5)
                """,
                [
                    row["at_ms"] as Int64, row["who"] as String, row["action"] as String, row["endpoint_id"] as String,
                    delivery?.id, row["reason"] as String,
                ])
        }
    }
}
