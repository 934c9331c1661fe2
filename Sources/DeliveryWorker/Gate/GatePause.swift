import DeliveryQueue

/// A time in which the provider wants no calls.
struct GatePause: Sendable, Equatable {
    /// `throttled` or `unavailable`.
    var reason: CallGate.Closed
    var until: Timestamp
    /// True when the provider named no end, so the length is a guess. A log is then read before calls begin again.
    var endsInRead: Bool

    /// `Retry-After` counts within these bounds only, so that an absurd one does not stop the work for years.
    static let bounds = Duration.seconds(1)...Duration.seconds(3_600)

    /// Zero when its time is over, or when the clock was set back so far that the rest cannot be meant.
    func left(at now: Timestamp) -> Duration {
        guard until > now, until - now <= Self.bounds.upperBound else { return .zero }
        return until - now
    }

    /// The longer one: a pause never shortens another.
    func joined(_ other: GatePause?) -> GatePause {
        if let other, other.until >= until { other } else { self }
    }
}
