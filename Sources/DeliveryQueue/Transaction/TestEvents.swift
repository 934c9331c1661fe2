/// What noting a test event did.
package enum TestEventNote: Sendable, Equatable {
    /// Its log entry will be kept and never retried.
    case noted
    /// The daemon had already made a delivery of the entry, which is given up.
    case discarded(delivery: Int64)
    /// The database does not know the endpoint, so nothing was noted: its log is not read.
    case unknownEndpoint
}

extension QueueStore {
    /// Remembers that an operator made the provider send an event as a test. It is stored when it fails, and retried
    /// only when an operator asks.
    ///
    /// - Parameter taskID: as the provider's answer named it.
    package func noteTestEvent(
        endpoint: String, taskID: String, eventType: String, by who: String, at now: Timestamp
    ) async throws(StoreError) -> TestEventNote {
        try await change("note the test event \(taskID) of endpoint \(endpoint)", at: now) { queue in
            guard try queue.isEndpoint(endpoint) else { return .unknownEndpoint }
            try queue.session.run(
                """
                INSERT INTO test_event (endpoint_id, task_id, event_type, who, asked_ms)
                VALUES (:endpoint, :task, :type, :who, :now)
                ON CONFLICT (endpoint_id, task_id) DO NOTHING
                """,
                ["endpoint": endpoint, "task": taskID, "type": eventType, "who": who, "now": now])
            // A delivery whose call is open is discarded when it would be claimed again.
            guard let delivery = try queue.delivery(endpointID: endpoint, taskID: taskID), delivery.state == .scheduled,
                try queue.discardIfTest(delivery)
            else { return .noted }
            return .discarded(delivery: delivery.id)
        }
    }
}

extension QueueTransaction {
    /// Whether the task is a test that an operator asked for.
    func isTestEvent(_ taskID: String, of endpointID: String) throws -> Bool {
        try session.exists("SELECT 1 FROM test_event WHERE endpoint_id = ? AND task_id = ?", [endpointID, taskID])
    }

    /// Gives up a scheduled delivery that is a test event. One that an operator retried or requeued is no test any
    /// more.
    ///
    /// - Returns: whether it was one.
    mutating func discardIfTest(_ delivery: Delivery) throws -> Bool {
        guard delivery.cycle == 1, delivery.manual == nil else { return false }
        let who = try session.first(
            "SELECT who FROM test_event WHERE endpoint_id = ? AND task_id = ?", [delivery.endpointID, delivery.taskID]
        ) { $0.text() }
        guard let who else { return false }
        try move(delivery, .die(.discarded, usesAttempt: false))
        try write(.init(by: who, reason: "test event"), .discard, of: delivery.endpointID, deliveryID: delivery.id)
        return true
    }
}
