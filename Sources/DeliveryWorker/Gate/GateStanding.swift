package import DeliveryQueue

/// The state of a gate at one moment, for metrics and people.
package struct GateStanding: Sendable, Equatable {
    /// Why no call begins; nil while calls may begin, also one at a time.
    package var reason: CallGate.Closed?
    /// When this reason began. A reason that comes back before a call was accepted keeps its beginning.
    package var since: Timestamp?
    /// When the pause ends, or when a log is read next in an outage; nil while the credential is refused.
    package var until: Timestamp?
    /// The share of the configured rate that is in force; above 0, at most 1.
    package var rate: Double
    /// True while a single call may begin, until the provider has answered it.
    package var isTrial: Bool

    /// Until when the provider wants no calls; nil when it does not say so.
    package var throttledUntil: Timestamp? {
        switch reason {
        case .throttled, .unavailable: until
        case .outage, .credential, nil: nil
        }
    }
}

extension CallGate {
    package func standing(at now: Timestamp) -> GateStanding {
        var gate = self
        gate.advance(to: now)
        return GateStanding(
            reason: gate.closed, since: gate.closedSince, until: gate.opens, rate: gate.rate, isTrial: gate.isTrial)
    }
}
