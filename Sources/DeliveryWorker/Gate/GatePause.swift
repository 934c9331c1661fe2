import DeliveryQueue

/// A time in which the provider asked to be left alone.
struct GatePause: Sendable, Equatable {
    /// `throttled` or `unavailable`.
    var reason: CallGate.Closed
    var until: Timestamp
    /// Nobody named its end, so that its length is a guess: a log is read before calls begin again.
    var endsInRead: Bool

    /// `Retry-After` is honoured within these bounds; an absurd one must not park the work for years.
    static let bounds = Duration.seconds(1)...Duration.seconds(3_600)

    /// Zero when its time is over, and when the clock was set back so far that it cannot have been meant.
    func left(at now: Timestamp) -> Duration {
        guard until > now, until - now <= Self.bounds.upperBound else { return .zero }
        return until - now
    }

    /// The longer one: a pause never shortens another.
    func joined(_ other: GatePause?) -> GatePause {
        if let other, other.until >= until { other } else { self }
    }
}
