import DeliveryQueue

extension RestoredQueue {
    /// Takes over what people decided since the backup: holds and their ends, deliveries given up, test events, and who
    /// did what. Retries and requeues are not repeated: those that were sent are among the calls.
    mutating func takeDecisions(from source: Session, since: Timestamp) throws {
        try takeHolds(from: source)
        let discarded = try source.all(
            """
            SELECT endpoint_id, task_id FROM delivery
            WHERE state = 'dead' AND dead_reason = 'discarded' AND finalized_ms >= ?
            """,
            [since]
        ) { (endpointID: $0.text(), taskID: $0.text()) }
        for (endpointID, taskID) in discarded {
            if let own = try queue.delivery(endpointID: endpointID, taskID: taskID) { try giveUp(own) }
        }
        try takeTestEvents(from: source, since: since)
        try takeNotes(from: source, since: since)
    }

    private func takeHolds(from source: Session) throws {
        let isPaused = "hold_reason IS NOT DISTINCT FROM 'operator'"
        let holds = try source.all("SELECT id, \(isPaused), hold_since_ms FROM endpoint") {
            (id: $0.text(), isPaused: $0.flag(), since: $0.timestamp())
        }
        for hold in holds {
            let own = try queue.session.first("SELECT \(isPaused) FROM endpoint WHERE id = ?", [hold.id]) { $0.flag() }
            guard let wasPaused = own else { continue }
            if hold.isPaused, !wasPaused {
                try queue.hold(hold.id, .operator, until: nil, since: hold.since)
            } else if !hold.isPaused, wasPaused {
                try queue.endHold(of: hold.id)
            }
        }
    }

    /// Gives a delivery up. A late success in the log still settles it.
    private mutating func giveUp(_ delivery: Delivery) throws {
        switch delivery.state {
        case .awaiting:
            try queue.endOpenAttempt(of: delivery, as: .unconfirmed)
            summary.awaiting -= 1
        case .scheduled: break
        case .attempting, .delivered, .dead: return
        }
        try queue.move(delivery, .die(.discarded, usesAttempt: false))
    }

    private func takeTestEvents(from source: Session, since: Timestamp) throws {
        let columns = "endpoint_id, task_id, event_type, who, asked_ms"
        try source.each("SELECT \(columns) FROM test_event WHERE asked_ms >= ?", [since]) { row in
            let (endpointID, taskID, eventType) = (row.text(), row.text(), row.text())
            let (who, asked) = (row.text(), row.timestamp())
            guard try queue.isEndpoint(endpointID) else { return true }
            try queue.session.run(
                """
                INSERT INTO test_event (\(columns)) VALUES (:endpoint, :task, :type, :who, :asked)
                ON CONFLICT DO NOTHING
                """,
                ["endpoint": endpointID, "task": taskID, "type": eventType, "who": who, "asked": asked])
            return true
        }
    }

    private func takeNotes(from source: Session, since: Timestamp) throws {
        try source.each(
            """
            SELECT at_ms, who, action, operator_action.endpoint_id, reason, delivery.task_id
            FROM operator_action LEFT JOIN delivery ON delivery.id = delivery_id
            WHERE at_ms >= ? ORDER BY operator_action.id
            """,
            [since]
        ) { row in
            let (time, who, action) = (row.timestamp(), row.text(), row.text())
            let (endpointID, reason, taskID) = (row.text(), row.text(), row.textIfAny())
            guard try queue.isEndpoint(endpointID) else { return true }
            let delivery = try taskID.flatMap { try queue.delivery(endpointID: endpointID, taskID: $0) }
            // Notes about a delivery that is not taken over are left out.
            guard taskID == nil || delivery != nil else { return true }
            try queue.session.run(
                """
                INSERT INTO operator_action (at_ms, who, action, endpoint_id, delivery_id, reason)
                SELECT :at, :who, :action, :endpoint, :delivery, :reason
                WHERE NOT EXISTS (
                    SELECT 1 FROM operator_action
                    WHERE at_ms = :at AND who = :who AND action = :action AND endpoint_id = :endpoint
                      AND delivery_id IS NOT DISTINCT FROM :delivery)
                """,
                [
                    "at": time, "who": who, "action": action, "endpoint": endpointID, "delivery": delivery?.id,
                    "reason": reason,
                ])
            return true
        }
    }
}
