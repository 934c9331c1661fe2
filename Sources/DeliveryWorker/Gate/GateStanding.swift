package import DeliveryQueue

/// What a gate tells metrics and people at one moment.
package struct GateStanding: Sendable, Equatable {
    /// Why no call begins; nil while calls may begin, be it one at a time.
    package var reason: CallGate.Closed?
    /// When this reason began. One that comes back before a call was accepted is the same trouble going on.
    package var since: Timestamp?
    /// When a pause ends, or a log is read next to find out whether an outage is over; nil while a credential is refused.
    package var until: Timestamp?
    /// The share of the configured rate in force, above 0 and at most 1.
    package var rate: Double
    /// Whether calls may begin again, but only one until the provider has answered it.
    package var isTrial: Bool

    /// Until when the provider asked to be left alone; nil when it does not.
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
