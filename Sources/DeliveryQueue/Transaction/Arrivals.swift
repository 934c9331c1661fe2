/// Keeps the newest event that arrived for each webhook, customer and event type, which tells what is superseded. An
/// event's time is when it was first logged: an old delivery that arrives late does not supersede a newer one.
extension RuledTransaction {
    /// Notes a success in the log that belongs to no delivery of ours.
    func noteArrival(_ entry: LogObservation) throws {
        guard let customerID = entry.customerID, let eventType = entry.eventType, let event = entry.logged else {
            return
        }
        try noteArrival(
            of: entry.taskID, event: event, webhookID: entry.webhookID, customerID: customerID, eventType: eventType)
    }

    /// Notes that a delivery of ours arrived.
    func noteArrival(of delivery: Delivery) throws {
        guard let customerID = delivery.customerID else { return }
        try noteArrival(
            of: delivery.taskID, event: delivery.firstFailed, webhookID: delivery.webhookID, customerID: customerID,
            eventType: delivery.eventType)
    }

    /// Corrects the time of an arrival whose failure is read after it, on newest-first pages: the event is as old as
    /// its failure.
    func correctArrival(_ failure: LogObservation) throws {
        guard let customerID = failure.customerID, let eventType = failure.eventType, let event = failure.logged else {
            return
        }
        try session.run(
            """
            UPDATE latest_arrival SET event_ms = :event
            WHERE webhook_id = :webhook AND customer_id = :customer AND event_type = :type AND task_id = :task
              AND event_ms > :event
            """,
            [
                "event": event, "webhook": failure.webhookID, "customer": customerID, "type": eventType,
                "task": failure.taskID,
            ])
    }

    private func noteArrival(
        of taskID: String, event: Timestamp, webhookID: String, customerID: String, eventType: String
    ) throws {
        try session.run(
            """
            INSERT INTO latest_arrival (webhook_id, customer_id, event_type, task_id, event_ms)
            VALUES (:webhook, :customer, :type, :task, :event)
            ON CONFLICT (webhook_id, customer_id, event_type) DO UPDATE
            SET task_id = excluded.task_id, event_ms = excluded.event_ms
            WHERE excluded.event_ms > latest_arrival.event_ms
            """,
            ["webhook": webhookID, "customer": customerID, "type": eventType, "task": taskID, "event": event])
    }
}
