package import DeliveryQueue

/// What happens to a simulated receiver and its provider, and how much of it: everything that a run depends on besides the
/// configuration.
///
/// The outage begins when the simulated worker has run for `leadIn`. Within it `failures` events come, evenly spread with
/// a random offset each; before and after it they come at the same rate, because the world does not stop.
package struct Scenario: Sendable, Equatable {
    /// How long the receiver is down; above 0.
    package var outage: Duration
    /// Events whose delivery is tried in the outage; at least 1. A flapping receiver lets a few of them through.
    package var failures: Int
    package var receiver: SimulatedReceiver.Outage
    /// The provider is down as well for so long, from the moment the receiver is back: the worst moment. Recovery is when
    /// both are up. Zero: it stays up.
    package var providerOutage: Duration
    package var seed: UInt64
    /// No event comes after the outage: only our own calls can find that the receiver is back.
    package var isQuiet: Bool
    /// How a retry shows in the provider's log.
    package var retryTrace: RetryTrace
    /// Endpoints of the same provider whose receivers stay up, but for one delivery in ten that fails by chance.
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

    /// Under what a retry shows in the provider's log (provider-api.md, "Assumed: what a retry does").
    package enum RetryTrace: String, Sendable, CaseIterable {
        /// A new row under the task id that was retried.
        case sameTaskID
        /// A new row under a new task id, which the retry's answer names.
        case namedNewID
        /// A new row under a new task id that nothing names.
        case unnamedNewID
        /// The old row, with another outcome and time.
        case inPlace
    }

    /// Long enough for the worker to know the log's order before anything fails.
    static let leadIn = Duration.seconds(15 * 60)
    /// Nothing is waited for longer than this after recovery: what has not arrived by then is lost.
    static let patience = Duration.seconds(7 * 86_400)
    /// Events of a neighbour: one a minute, of which some fail.
    static let neighbourGap = Duration.seconds(60)
    static let neighbourFailures = 0.1

    /// 2025-06-15T12:00:00Z: when every simulated world begins.
    package static let beginning = Timestamp(milliseconds: 1_749_988_800_000)
}

/// The moments of one run, counted from its beginning.
struct ScenarioTimes: Sendable, Equatable {
    let outage: Range<Duration>
    /// nil: the provider stays up.
    let providerOutage: Range<Duration>?
    /// When receiver and provider are both up again.
    let recovery: Duration

    /// - Parameter phase: 0 to 1; shifts the outage against the worker's own minutes, so that no run begins at the luckiest
    ///   or the unluckiest moment of a poll.
    init(_ scenario: Scenario, phase: Double) {
        let begins = Scenario.leadIn + .seconds(60) * phase
        let ends = begins + scenario.outage
        outage = begins..<ends
        recovery = ends + scenario.providerOutage
        providerOutage = scenario.providerOutage > .zero ? ends..<recovery : nil
    }
}
