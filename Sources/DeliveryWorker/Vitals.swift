package import DeliveryQueue

/// What is known of the worker's own health and is not in the database: when each loop last completed a turn, and whose
/// log was read since the start.
package actor Vitals {
    package let started: Timestamp
    package private(set) var lastTurns: [String: Timestamp] = [:]

    package init(started: Timestamp) {
        self.started = started
    }

    /// The endpoints whose log was read to its end since the start.
    private(set) var endpointsPolled: Set<String> = []

    /// - Returns: whether it is the first time since the start.
    func polled(_ endpointID: String) -> Bool {
        endpointsPolled.insert(endpointID).inserted
    }

    func completedTurn(of loop: String, at now: Timestamp) {
        lastTurns[loop] = now
    }
}
