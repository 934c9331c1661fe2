/// A customer's endpoint: decides for each delivery whether it arrives, and how long until the provider knows. A value
/// without a clock: the same deliveries in the same order get the same results.
package struct SimulatedReceiver: Sendable {
    /// What the outage is like.
    package enum Outage: String, Sendable, CaseIterable {
        /// Nothing arrives.
        case down
        /// One delivery arrives every ten minutes.
        case flapping
        /// Nothing arrives, and the provider waits for a timeout of 30 s.
        case slow
    }

    /// The result of one delivery.
    struct Reception: Sendable, Equatable {
        let arrives: Bool
        /// How long until the provider knows and logs it.
        let takes: Duration
    }

    private let outage: Range<Duration>?
    private let kind: Outage
    private let failingShare: Double
    private let poison: Set<String>
    /// The number of the ten-minute period in which a delivery was last let through.
    private var lastGlimpse = 0

    private static let glimpseEvery = Duration.seconds(600)
    private static let answer = Duration.milliseconds(100)
    private static let timeout = Duration.seconds(30)

    /// - Parameters:
    ///   - outage: nil when it is always up.
    ///   - failingShare: 0 to 1; this share of deliveries fails by chance while it is up.
    ///   - poison: event types that always fail.
    init(
        outage: Range<Duration>? = nil, kind: Outage = .down, failingShare: Double = 0, poison: Set<String> = []
    ) {
        self.outage = outage
        self.kind = kind
        self.failingShare = failingShare
        self.poison = poison
    }

    mutating func receive(
        _ eventType: String, at time: Duration, using generator: inout SeededGenerator
    ) -> Reception {
        if let outage, outage.contains(time) { return receiveInOutage(since: time - outage.lowerBound) }
        let fails = poison.contains(eventType) || (failingShare > 0 && generator.fraction() < failingShare)
        return Reception(arrives: !fails, takes: Self.answer)
    }

    private mutating func receiveInOutage(since elapsed: Duration) -> Reception {
        switch kind {
        case .down: return Reception(arrives: false, takes: Self.answer)
        case .slow: return Reception(arrives: false, takes: Self.timeout)
        case .flapping:
            let glimpse = Int(elapsed / Self.glimpseEvery)
            guard glimpse > lastGlimpse else { return Reception(arrives: false, takes: Self.answer) }
            lastGlimpse = glimpse
            return Reception(arrives: true, takes: Self.answer)
        }
    }
}
