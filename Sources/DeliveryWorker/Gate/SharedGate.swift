package import DeliveryQueue

/// The gate that pollers and the dispatcher share.
package actor SharedGate {
    package private(set) var gate: CallGate

    package init(_ gate: CallGate) {
        self.gate = gate
    }

    /// Changes or asks the gate in one step.
    package func with<Value: Sendable>(_ change: @Sendable (inout CallGate) -> Value) -> Value {
        change(&gate)
    }

    /// Whether calls may begin and why not, for metrics and people.
    package func standing(at now: Timestamp) -> GateStanding {
        gate.standing(at: now)
    }
}
