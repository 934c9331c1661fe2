import GRDB

/// The newest event that arrived for each webhook, customer and event type: tells what is superseded. An event's time is
/// when it was first logged: an old delivery that arrives late does not supersede a younger one.
extension Database {
    /// The log shows a success.
    func noteArrival(_ observation: Observation, of delivery: Delivery?) throws {
        if let delivery { return try noteArrival(of: delivery) }
        guard let customerID = observation.customerID, let eventType = observation.eventType,
            let event = observation.logged
        else { return }
        try noteArrival(
            of: observation.taskID, event: event, webhookID: observation.webhookID, customerID: customerID,
            eventType: eventType)
    }

    func noteArrival(of delivery: Delivery) throws {
        guard let customerID = delivery.customerID else { return }
        try noteArrival(
            of: delivery.taskID, event: delivery.firstFailed, webhookID: delivery.webhookID, customerID: customerID,
            eventType: delivery.eventType)
    }

    /// A failure was read after the success that mends it, on newest-first pages: the event is as old as its failure.
    func correctArrival(_ failure: Observation) throws {
        guard let customerID = failure.customerID, let eventType = failure.eventType, let event = failure.logged else {
            return
        }
        try run(
            """
            UPDATE latest_arrival SET event_ms = min(event_ms, ?)
            WHERE webhook_id = ? AND customer_id = ? AND event_type = ? AND task_id = ?
            """,
            [event.milliseconds, failure.webhookID, customerID, eventType, failure.taskID])
    }

    private func noteArrival(
        of taskID: String, event: Timestamp, webhookID: String, customerID: String, eventType: String
    ) throws {
        try run(
            """
            INSERT INTO latest_arrival (webhook_id, customer_id, event_type, task_id, event_ms)
            VALUES (?, ?, ?, ?, ?)
            ON CONFLICT (webhook_id, customer_id, event_type) DO UPDATE
            SET task_id = excluded.task_id, event_ms = excluded.event_ms
            WHERE excluded.event_ms > event_ms
            """,
            [webhookID, customerID, eventType, taskID, event.milliseconds])
    }
}
