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
        endpoint id: String, by who: String, reason: String, at now: Timestamp
    ) async throws(StoreError) -> HoldChange {
        try await change("pause endpoint \(id)", at: now) { queue in
            guard let standing = try queue.holdStanding(of: id) else { return .noEndpoint }
            guard standing.reason != .operator else { return .needless }
            try queue.hold(id, .operator, until: nil, since: now)
            try queue.write(.init(by: who, reason: reason), .pause, of: id, deliveryID: nil)
            return .made
        }
    }

    /// Ends the hold of an endpoint, whatever its reason, and closes its circuit. Its deliveries did not age meanwhile.
    /// A change is noted.
    ///
    /// - Parameter freesGaps: whether deliveries may be called although a part of the log has not been read for a day.
    package func resume(
        endpoint id: String, freesGaps: Bool = false, by who: String, reason: String, rules: RetryRules,
        at now: Timestamp
    ) async throws(StoreError) -> HoldChange {
        try await change("resume endpoint \(id)", rules: rules, at: now) { queue in
            guard let standing = try queue.holdStanding(of: id) else { return .noEndpoint }
            let freed = freesGaps ? try queue.freeGaps(of: id) : 0
            guard standing.reason != nil || standing.circuit != .closed || freed > 0 else { return .needless }
            try queue.endHold(of: id)
            try queue.resumeCircuit(of: id)
            try queue.write(.init(by: who, reason: reason), .resume, of: id, deliveryID: nil)
            return .made
        }
    }
}

extension RuledTransaction {
    /// So long a part of the log must be unread before an operator may let deliveries be called in spite of it.
    private static let freedAfter = Duration.seconds(86_400)

    /// Lets deliveries be called although parts of the log are unread, those that have been so for a day. A call may
    /// then repeat one that has arrived; what awaits the log can end unconfirmed.
    ///
    /// - Returns: how many parts.
    fileprivate func freeGaps(of id: String) throws -> Int {
        let gaps = try session.all(
            "SELECT id FROM unread_gap WHERE endpoint_id = ? AND since_ms <= ?", [id, now - Self.freedAfter]
        ) { $0.integer() }
        for gap in gaps {
            try giveBackAge(gap: gap, readDownTo: nil)
            try session.run("UPDATE scan_gap SET freed_ms = ? WHERE id = ?", [now, gap])
        }
        return gaps.count
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
