/// What an operator's pause or resume of an endpoint did.
package enum HoldChange: Sendable {
    case made
    /// It was paused already, or nothing held it: nothing was changed and nothing noted.
    case needless
    case noEndpoint
}

extension QueueStore {
    /// Holds an endpoint until an operator resumes it: its deliveries are kept and not retried. A change is noted.
    package func pause(
        endpoint id: String, by who: String, reason: String, rules: RetryRules, at now: Timestamp
    ) async throws(StoreError) -> HoldChange {
        try await change("pause endpoint \(id)", rules: rules, at: now) { queue in
            guard let standing = try queue.holdStanding(of: id) else { return .noEndpoint }
            guard standing.reason != .operator else { return .needless }
            try queue.hold(id, .operator, until: nil, since: now)
            try queue.write(.init(by: who, reason: reason), .pause, of: id, deliveryID: nil)
            return .made
        }
    }

    /// Ends the hold of an endpoint, whatever its reason, and closes its circuit. Its deliveries did not age meanwhile.
    /// A change is noted.
    package func resume(
        endpoint id: String, by who: String, reason: String, rules: RetryRules, at now: Timestamp
    ) async throws(StoreError) -> HoldChange {
        try await change("resume endpoint \(id)", rules: rules, at: now) { queue in
            guard let standing = try queue.holdStanding(of: id) else { return .noEndpoint }
            guard standing.reason != nil || standing.circuit != .closed else { return .needless }
            try queue.endHold(of: id)
            try queue.resumeCircuit(of: id)
            try queue.write(.init(by: who, reason: reason), .resume, of: id, deliveryID: nil)
            return .made
        }
    }
}

extension QueueTransaction {
    /// What holds an endpoint now; nil: there is no such endpoint.
    fileprivate func holdStanding(of id: String) throws -> (reason: HoldReason?, circuit: EndpointCircuit.Phase)? {
        try session.first("SELECT hold_reason, \(EndpointCircuit.Phase.columns) FROM endpoint WHERE id = ?", [id]) {
            ($0.wordIfAny(), EndpointCircuit.Phase(&$0))
        }
    }
}
