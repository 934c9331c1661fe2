import GRDB

/// What became of the note that an event is a test.
package enum TestEventNote: Sendable, Equatable {
    /// Its log entry will be kept and never retried.
    case noted
    /// The daemon was quicker: the delivery that it had made of the entry is given up.
    case discarded(delivery: Int64)
    /// The database does not know the endpoint, so nothing was noted: its log is not read.
    case unknownEndpoint
}

extension QueueStore {
    /// Remembers that an operator made the provider send an event as a test: it is stored when it fails, and never retried
    /// by itself. An operator's retry or requeue overrules that.
    ///
    /// - Parameter taskID: as the provider's answer named it.
    package func noteTestEvent(
        endpoint: String, taskID: String, eventType: String, by who: String, at now: Timestamp
    ) async throws(StoreError) -> TestEventNote {
        try await write("note the test event \(taskID) of endpoint \(endpoint)") { db in
            guard try db.firstRow("SELECT 1 FROM endpoint WHERE id = ?", [endpoint]) != nil else {
                return .unknownEndpoint
            }
            try db.run(
                """
                INSERT INTO test_event (endpoint_id, task_id, event_type, who, asked_ms)
                VALUES (?, ?, ?, ?, ?)
                ON CONFLICT (endpoint_id, task_id) DO NOTHING
                """,
                [endpoint, taskID, eventType, who, now.milliseconds])
            // One that is in flight is discarded when it would be claimed again.
            guard let delivery = try db.delivery(endpointID: endpoint, taskID: taskID), delivery.state == .scheduled,
                try db.discardIfTest(delivery, at: now)
            else { return .noted }
            return .discarded(delivery: delivery.id)
        }
    }
}

extension Database {
    /// Whether the task is a test that an operator asked for.
    func isTestEvent(_ taskID: String, of endpointID: String) throws -> Bool {
        try firstRow("SELECT 1 FROM test_event WHERE endpoint_id = ? AND task_id = ?", [endpointID, taskID]) != nil
    }

    /// Gives up a scheduled delivery that is a test event. One that an operator retried or requeued is no test any more.
    ///
    /// - Returns: whether it was one.
    func discardIfTest(_ delivery: Delivery, at now: Timestamp) throws -> Bool {
        guard delivery.cycle == 1, delivery.manual == nil,
            let test = try firstRow(
                "SELECT who FROM test_event WHERE endpoint_id = ? AND task_id = ?",
                [delivery.endpointID, delivery.taskID])
        else { return false }
        try move(delivery, .die(.discarded, usesAttempt: false), at: now)
        try OperatorNote(who: test["who"], reason: "test event", at: now)
            .write("discard", of: delivery.endpointID, deliveryID: delivery.id, in: self)
        return true
    }
}
