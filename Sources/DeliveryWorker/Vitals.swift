package import DeliveryQueue

/// What is known of the worker's own health and is not in the database: when each loop last completed a turn, and
/// whether the credential works.
package actor Vitals {
    package let started: Timestamp
    package private(set) var lastTurns: [String: Timestamp] = [:]

    package init(started: Timestamp) {
        self.started = started
    }

    func completedTurn(of loop: String, at now: Timestamp) {
        lastTurns[loop] = now
    }
}
