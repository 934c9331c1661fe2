/// How long a delivery's age clock has stood still because its endpoint was held.
package struct HeldTime: Sendable, Equatable {
    /// The time in holds that have ended.
    package var ended: Duration
    /// Since when the endpoint is held now; nil: it is not.
    package var since: Timestamp?

    package init(ended: Duration = .zero, since: Timestamp? = nil) {
        self.ended = ended
        self.since = since
    }

    /// The whole time until `now`; never negative, even when the clock was set back.
    package func total(at now: Timestamp) -> Duration {
        max(.zero, ended + (since.map { max(.zero, now - $0) } ?? .zero))
    }
}
