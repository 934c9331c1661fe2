/// A customer's endpoint: says for each delivery whether it arrives, and after how long the provider knows. A value without
/// a clock: the same deliveries in the same order get the same answers.
package struct SimulatedReceiver: Sendable {
    /// What the outage is like.
    package enum Outage: String, Sendable, CaseIterable {
        /// Nothing arrives.
        case down
        /// Every ten minutes one delivery arrives, then it is down again.
        case flapping
        /// Nothing arrives, and the provider learns it only by a timeout of 30 s.
        case slow
    }

    /// What the provider sees of one delivery.
    struct Reception: Sendable, Equatable {
        let arrives: Bool
        /// Until the provider knows and logs it.
        let takes: Duration
    }

    private let outage: Range<Duration>?
    private let kind: Outage
    private let failingShare: Double
    private let poison: Set<String>
    /// The number of the last ten minutes in which one was let through.
    private var lastGlimpse = 0

    private static let glimpseEvery = Duration.seconds(600)
    private static let answer = Duration.milliseconds(100)
    private static let timeout = Duration.seconds(30)

    /// - Parameters:
    ///   - outage: nil: it is always up.
    ///   - failingShare: 0 to 1; so many of the deliveries fail by chance while it is up.
    ///   - poison: event types that it fails for ever.
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
