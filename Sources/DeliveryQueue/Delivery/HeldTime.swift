/// How long a delivery's age clock has stood still, because its endpoint was held and nobody could make it arrive.
package struct HeldTime: Sendable, Equatable {
    /// In holds that have ended.
    package var ended: Duration
    /// Since when the endpoint is held now; nil: it is not.
    package var since: Timestamp?

    package init(ended: Duration = .zero, since: Timestamp? = nil) {
        self.ended = ended
        self.since = since
    }

    /// All of it until `now`; never negative, whatever the clock did.
    package func total(at now: Timestamp) -> Duration {
        max(.zero, ended + (since.map { max(.zero, now - $0) } ?? .zero))
    }
}
