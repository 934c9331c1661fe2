import GRDB

extension QueueStore {
    /// Ends all circuits, for a configuration that has none: what they held is due at once.
    package func endCircuits(at now: Timestamp) async throws(StoreError) {
        try await write("end the circuits") { db in
            let settings = CircuitSettings(rampLimit: nil)
            for row in try db.rows(
                "SELECT id FROM endpoint WHERE circuit_open_ms IS NOT NULL OR circuit_limit IS NOT NULL")
            {
                var keeper = try CircuitKeeper(db, endpointID: row["id"], settings: settings)
                keeper.observe(.resumed, at: now)
                keeper.observe(.drained, at: now)
                try keeper.save(at: now)
            }
            // Nothing is observed until there are circuits again; by then a row that began now says nothing.
            try db.run("DELETE FROM circuit_failure")
        }
    }
}

extension Database {
    /// Shows an endpoint's circuit one thing and carries out what it says.
    func observe(
        _ observation: EndpointCircuit.Observation, of endpointID: String, rules: RetryRules, at now: Timestamp
    ) throws {
        var keeper = try CircuitKeeper(self, endpointID: endpointID, settings: rules.circuit)
        keeper.observe(observation, at: now)
        try keeper.save(at: now)
    }
}

/// An endpoint's circuit on its way through a transaction: read once, shown many things, written once.
struct CircuitKeeper {
    private let db: Database
    private let endpointID: String
    private let settings: CircuitSettings
    private let stored: EndpointCircuit
    private(set) var circuit: EndpointCircuit
    private var isReleased = false
    /// What the circuit said last; nil: nothing.
    private(set) var action: EndpointCircuit.Action?

    init(_ db: Database, endpointID: String, settings: CircuitSettings) throws {
        self.db = db
        self.endpointID = endpointID
        self.settings = settings
        stored = try EndpointCircuit.fetch(db, endpointID: endpointID)
        circuit = stored
    }

    /// Nothing while the configuration has no circuits.
    mutating func observe(_ observation: EndpointCircuit.Observation, at now: Timestamp) {
        guard settings.isEnabled else { return }
        guard let action = circuit.observe(observation, at: now, settings) else { return }
        self.action = action
        if action == .release { isReleased = true }
    }

    func save(at now: Timestamp) throws {
        guard circuit != stored else { return }
        let (since, nextTrial): (Timestamp?, Timestamp?) =
            if case .open(let since, let next) = circuit.phase { (since, next) } else { (nil, nil) }
        let limit: Int? = if case .draining(let limit) = circuit.phase { limit } else { nil }
        try db.run(
            """
            UPDATE endpoint
            SET circuit_open_ms = ?, circuit_next_trial_ms = ?, circuit_limit = ?, circuit_step = ?,
                circuit_trial_id = ?, circuit_arrival_ms = ?, circuit_failure_ms = ?, circuit_ages = ?,
                recovered_ms = coalesce(?, recovered_ms)
            WHERE id = ?
            """,
            [
                since?.milliseconds, nextTrial?.milliseconds, limit, circuit.step, circuit.trial,
                circuit.lastArrival?.milliseconds, circuit.lastFailure?.milliseconds,
                circuit.isOutOfPatience(at: now, settings), isReleased ? now.milliseconds : nil, endpointID,
            ])
        if circuit.failing != stored.failing { try saveFailing() }
        try db.setAgeClock(of: endpointID, at: now)
    }

    private func saveFailing() throws {
        try db.run("DELETE FROM circuit_failure WHERE endpoint_id = ?", [endpointID])
        for (delivery, time) in circuit.failing {
            try db.run(
                "INSERT INTO circuit_failure (endpoint_id, delivery_id, failed_ms) VALUES (?, ?, ?)",
                [endpointID, delivery, time.milliseconds])
        }
    }
}

extension EndpointCircuit {
    static func fetch(_ db: Database, endpointID: String) throws -> EndpointCircuit {
        var circuit = EndpointCircuit()
        let row = try db.firstRow(
            """
            SELECT circuit_open_ms, circuit_next_trial_ms, circuit_limit, circuit_step, circuit_trial_id,
                circuit_arrival_ms, circuit_failure_ms
            FROM endpoint WHERE id = ?
            """,
            [endpointID])
        guard let row else { return circuit }
        circuit.phase = Phase(row: row)
        circuit.step = row["circuit_step"]
        circuit.trial = row["circuit_trial_id"]
        circuit.lastArrival = row.timestampIfAny("circuit_arrival_ms")
        circuit.lastFailure = row.timestampIfAny("circuit_failure_ms")
        for failure in try db.rows(
            "SELECT delivery_id, failed_ms FROM circuit_failure WHERE endpoint_id = ?", [endpointID])
        {
            circuit.failing[failure["delivery_id"]] = failure.timestamp("failed_ms")
        }
        return circuit
    }
}

extension EndpointCircuit.Phase {
    /// From `circuit_open_ms`, `circuit_next_trial_ms` and `circuit_limit` of an endpoint; closed where an older schema has none
    /// of them.
    init(row: Row) {
        if let since = row.timestampIfAny("circuit_open_ms"), let next = row.timestampIfAny("circuit_next_trial_ms") {
            self = .open(since: since, nextTrial: next)
        } else if let limit = row["circuit_limit"] as Int? {
            self = .draining(limit: limit)
        } else {
            self = .closed
        }
    }
}

extension Observation {
    /// Whether a failure speaks of the receiver and not of this one delivery: a receiver that answers with a status of the
    /// 400 class is up and dislikes what it got. 408 and 429 say that it cannot keep up.
    var blamesReceiver: Bool {
        guard let httpStatus, (400...499).contains(httpStatus) else { return true }
        return httpStatus == 408 || httpStatus == 429
    }
}
