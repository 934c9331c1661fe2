extension QueueStore {
    /// Closes all circuits, for a configuration that has none: what they held is due at once.
    package func endCircuits(rules: RetryRules, at now: Timestamp) async throws(StoreError) {
        try await change("end the circuits", rules: rules, at: now) { try $0.endCircuits() }
    }
}

extension RuledTransaction {
    /// Gives an endpoint's circuit one signal. The circuit is read once in a transaction and written once at its end.
    /// Does nothing while the configuration has no circuits.
    ///
    /// - Returns: what changed for the endpoint's deliveries; nil: nothing.
    @discardableResult
    package mutating func signal(
        _ signal: EndpointCircuit.Signal, of endpointID: String
    ) throws -> EndpointCircuit.Action? {
        guard rules.circuit.isEnabled else { return nil }
        var keeper = try keeper(of: endpointID)
        defer { circuits[endpointID] = keeper }
        return keeper.take(signal, at: now, rules.circuit)
    }

    /// Whether the endpoint's circuit is open, after all signals of this transaction.
    func isCircuitOpen(of endpointID: String) throws -> Bool {
        try keeper(of: endpointID).circuit.isOpen
    }

    /// Closes all circuits, for a configuration that has none: what they held is due at once.
    mutating func endCircuits() throws {
        let endpoints = try session.all(
            "SELECT id FROM endpoint WHERE circuit_open_ms IS NOT NULL OR circuit_limit IS NOT NULL"
        ) { $0.text() }
        for endpoint in endpoints { try closeCircuit(of: endpoint) }
        // Without circuits no arrival ends a streak of failures, so an old streak would mean nothing when they are
        // back.
        try session.run("DELETE FROM circuit_failure")
    }

    /// Closes a circuit by hand: what it held drains as configured, or is due at once where there are no circuits.
    mutating func resumeCircuit(of endpointID: String) throws {
        if rules.circuit.isEnabled { try signal(.resumed, of: endpointID) } else { try closeCircuit(of: endpointID) }
    }

    private mutating func closeCircuit(of endpointID: String) throws {
        let settings = CircuitSettings(rampLimit: nil)
        var keeper = try keeper(of: endpointID)
        keeper.take(.resumed, at: now, settings)
        keeper.take(.drained, at: now, settings)
        circuits[endpointID] = keeper
        try saveCircuit(of: endpointID)
    }

    /// Writes all circuits that got a signal.
    mutating func saveCircuits() throws {
        for endpointID in circuits.keys.sorted() { try saveCircuit(of: endpointID) }
    }

    /// Writes one circuit before the transaction's end, because what follows depends on the stored state.
    mutating func saveCircuit(of endpointID: String) throws {
        guard let keeper = circuits.removeValue(forKey: endpointID), keeper.isChanged else { return }
        try keeper.save(in: session, isOutOfPatience: keeper.circuit.isOutOfPatience(at: now, rules.circuit), at: now)
        try setAgeClock(of: endpointID)
    }

    private func keeper(of endpointID: String) throws -> CircuitKeeper {
        try circuits[endpointID] ?? CircuitKeeper(session, endpointID: endpointID)
    }
}

/// An endpoint's circuit during one transaction.
struct CircuitKeeper {
    private let endpointID: String
    private let stored: EndpointCircuit
    private(set) var circuit: EndpointCircuit
    private var isReleased = false

    var isChanged: Bool { circuit != stored }

    init(_ session: Session, endpointID: String) throws {
        self.endpointID = endpointID
        stored = try EndpointCircuit.fetch(session, endpointID: endpointID)
        circuit = stored
    }

    @discardableResult
    mutating func take(
        _ signal: EndpointCircuit.Signal, at now: Timestamp, _ settings: CircuitSettings
    ) -> EndpointCircuit.Action? {
        let action = circuit.take(signal, at: now, settings)
        if action == .release { isReleased = true }
        return action
    }

    fileprivate func save(in session: Session, isOutOfPatience: Bool, at now: Timestamp) throws {
        let (since, nextTrial): (Timestamp?, Timestamp?) =
            if case .open(let since, let next) = circuit.phase { (since, next) } else { (nil, nil) }
        let limit: Int? = if case .draining(let limit) = circuit.phase { limit } else { nil }
        try session.run(
            """
            UPDATE endpoint
            SET circuit_open_ms = :open, circuit_next_trial_ms = :next, circuit_limit = :limit, circuit_step = :step,
                circuit_trial_id = :trial, circuit_arrival_ms = :arrival, circuit_failure_ms = :failure,
                circuit_ages = :ages, recovered_ms = coalesce(:recovered, recovered_ms)
            WHERE id = :id
            """,
            [
                "open": since, "next": nextTrial, "limit": limit, "step": circuit.step, "trial": circuit.trial,
                "arrival": circuit.lastArrival, "failure": circuit.lastFailure, "ages": isOutOfPatience,
                "recovered": isReleased ? now : nil, "id": endpointID,
            ])
        guard circuit.failing != stored.failing else { return }
        try session.run("DELETE FROM circuit_failure WHERE endpoint_id = ?", [endpointID])
        for (delivery, time) in circuit.failing {
            try session.run(
                "INSERT INTO circuit_failure (endpoint_id, delivery_id, failed_ms) VALUES (:endpoint, :delivery, :failed)",
                ["endpoint": endpointID, "delivery": delivery, "failed": time])
        }
    }
}

extension EndpointCircuit {
    /// Reads an endpoint's circuit; a new one for an unknown endpoint.
    static func fetch(_ session: Session, endpointID: String) throws -> EndpointCircuit {
        let stored = try session.first(
            """
            SELECT \(Phase.columns), circuit_step, circuit_trial_id, circuit_arrival_ms, circuit_failure_ms
            FROM endpoint WHERE id = ?
            """, [endpointID]
        ) { row in
            var circuit = EndpointCircuit()
            circuit.phase = Phase(&row)
            circuit.step = row.int()
            circuit.trial = row.integerIfAny()
            circuit.lastArrival = row.timestampIfAny()
            circuit.lastFailure = row.timestampIfAny()
            return circuit
        }
        guard var circuit = stored else { return EndpointCircuit() }
        try session.each("SELECT delivery_id, failed_ms FROM circuit_failure WHERE endpoint_id = ?", [endpointID]) {
            circuit.failing[$0.integer()] = $0.timestamp()
            return true
        }
        return circuit
    }
}

extension EndpointCircuit.Phase {
    /// The columns of an endpoint that `init(_:)` reads, in its order.
    package static let columns = "circuit_open_ms, circuit_next_trial_ms, circuit_limit"

    package init(_ row: inout SQLRow) {
        let (open, next, limit) = (row.timestampIfAny(), row.timestampIfAny(), row.integerIfAny())
        if let open, let next {
            self = .open(since: open, nextTrial: next)
        } else if let limit {
            self = .draining(limit: Int(limit))
        } else {
            self = .closed
        }
    }
}
