package import DeliveryQueue

/// What happens to a simulated receiver and its provider. Together with the configuration it decides a run completely.
///
/// The outage begins after `leadIn`. `failures` events come within it, evenly spread with random offsets; before and
/// after it they come at the same rate.
package struct Scenario: Sendable, Equatable {
    /// How long the receiver is down; above 0.
    package var outage: Duration
    /// Events in the outage; at least 1. A flapping receiver lets a few of them through.
    package var failures: Int
    package var receiver: SimulatedReceiver.Outage
    /// How long the provider is down from the moment the receiver is back, which is the worst moment. Zero when it
    /// stays up. Recovery is when both are up.
    package var providerOutage: Duration
    package var seed: UInt64
    /// No event comes after the outage, so that only our own calls can find the receiver up.
    package var isQuiet: Bool
    /// How a retry shows in the provider's log.
    package var retryTrace: RetryTrace
    /// Endpoints of the same provider whose receivers stay up; one delivery in ten fails there by chance.
    package var neighbours: Int

    package init(
        outage: Duration, failures: Int, receiver: SimulatedReceiver.Outage = .down, providerOutage: Duration = .zero,
        seed: UInt64 = 1, isQuiet: Bool = false, retryTrace: RetryTrace = .sameTaskID, neighbours: Int = 0
    ) {
        self.outage = outage
        self.failures = failures
        self.receiver = receiver
        self.providerOutage = providerOutage
        self.seed = seed
        self.isQuiet = isQuiet
        self.retryTrace = retryTrace
        self.neighbours = neighbours
    }

    /// How a retry shows in the provider's log (docs/provider-api.md, "Assumed: what a retry does").
    package enum RetryTrace: String, Sendable, CaseIterable {
        /// A new row under the task id that was retried.
        case sameTaskID
        /// A new row under a new task id that the retry's answer names.
        case namedNewID
        /// A new row under a new task id that nothing names.
        case unnamedNewID
        /// The old row, with another outcome and time.
        case inPlace
    }

    /// Long enough for the worker to learn the log's order.
    static let leadIn = Duration.seconds(15 * 60)
    /// A delivery that has not arrived this long after recovery is lost.
    static let patience = Duration.seconds(7 * 86_400)
    /// A neighbour gets one event a minute, and some fail.
    static let neighbourGap = Duration.seconds(60)
    static let neighbourFailures = 0.1

    /// Every simulated world begins at 2025-06-15T12:00:00Z.
    package static let beginning = Timestamp(milliseconds: 1_749_988_800_000)
}

/// The moments of one run, counted from its beginning.
struct ScenarioTimes: Sendable, Equatable {
    let outage: Range<Duration>
    /// nil when the provider stays up.
    let providerOutage: Range<Duration>?
    /// When receiver and provider are both up again.
    let recovery: Duration

    /// - Parameter phase: 0 to 1; shifts the outage within the worker's minute, so that runs do not all begin at the
    ///   same moment of a poll.
    init(_ scenario: Scenario, phase: Double) {
        let begins = Scenario.leadIn + .seconds(60) * phase
        let ends = begins + scenario.outage
        outage = begins..<ends
        recovery = ends + scenario.providerOutage
        providerOutage = scenario.providerOutage > .zero ? ends..<recovery : nil
    }
}
