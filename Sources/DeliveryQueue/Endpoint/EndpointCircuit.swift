/// Whether an endpoint's receiver takes deliveries: a state machine that is fed by the endpoint's log and by what comes of
/// our calls. Pure: told the time, never asks for it; the store keeps it and carries out what it says.
///
/// A receiver that fails, fails for all deliveries at once. While it does, calling on each delivery's own clock wastes calls
/// and spends attempts, and after it each delivery waits for its own next turn, for hours.
///
/// ```text
///                 openAfter different deliveries failed, nothing arrived between
///        ┌──────────────────────────────────────────────────────────────────────┐
///        │                                                                      ▼
///   ┌────────┐  the ramp's limit is reached,   ┌──────────┐  the same        ┌──────┐ ─┐ a trial fails:
///   │ closed │◀────────────────────────────────│ draining │─────────────────▶│ open │  │ one step up
///   └────────┘  or nothing held is left        └──────────┘  (keeps its step)└──────┘ ◀┘ the ladder
///                                                   ▲                           │
///                                                   └───────────────────────────┘
///                                     anything arrived after the newest failure, or an operator resumes
/// ```
///
/// Times of the log are compared with each other only, never with our clock, but for those that lie more than a day ahead: pages
/// may come in any order, and the provider's clock may differ from ours.
package struct EndpointCircuit: Sendable, Equatable {
    package enum Phase: Sendable, Equatable {
        /// Calls are made as they come due.
        case closed
        /// What was held goes out in the order in which it failed, with at most so many deliveries called and not yet proven.
        case draining(limit: Int)
        /// Nothing is called but one trial at a time.
        case open(since: Timestamp, nextTrial: Timestamp)

        /// nil: nothing is held.
        package var heldSince: Timestamp? {
            if case .open(let since, _) = self { since } else { nil }
        }
    }

    /// What a delivery is held by, beside the reasons of `HoldReason`.
    package static let word = "circuit"

    /// What is seen of the receiver.
    package enum Signal: Sendable, Equatable {
        /// A delivery failed at the receiver.
        ///
        /// - Parameters:
        ///   - time: the log's; nil when nothing tells it, and the newest there is.
        ///   - isReceivers: false when the receiver refused this one delivery (400-class answers), which says nothing of others.
        ///   - isTrial: it is what came of the trial that is under way.
        case failed(delivery: Int64, at: Timestamp?, isReceivers: Bool, isTrial: Bool)
        /// A delivery arrived, the provider's own or a retry of ours.
        case arrived(at: Timestamp?, isRetry: Bool, isTrial: Bool)
        /// The trial's call may begin.
        case trialBegan(delivery: Int64)
        /// The trial ended without a word about the receiver: the provider refused it, or the log stayed silent.
        case trialWasted
        /// Nothing that was held is left to send.
        case drained
        /// An operator says that the receiver is well.
        case resumed
    }

    /// What changed for the endpoint's deliveries.
    package enum Action: Sendable, Equatable {
        /// They are held from now on.
        case hold
        /// All that failed until now is due, in the order in which it failed.
        case release
    }

    package var phase = Phase.closed
    /// How far the ladder of trials was climbed; kept while draining, so that a receiver that falls again at once is not asked
    /// more often than before.
    package var step = 0
    /// The newest trial's delivery; the next one is that of the delivery behind it.
    package var trial: Int64?
    /// Deliveries that failed since anything arrived, with the log's time of their newest failure. Empty while open.
    package var failing: [Int64: Timestamp] = [:]
    /// The newest times that the log had of the two.
    package var lastArrival: Timestamp?
    package var lastFailure: Timestamp?

    package init() {}

    /// No clock is further ahead of ours: one entry from a far future must not outdo all that come after it.
    private static let farthest = Duration.seconds(86_400)

    package var isOpen: Bool {
        phase.heldSince != nil
    }

    /// Whether it has been open for so long that what it holds ages again and trials use attempts.
    package func isOutOfPatience(at now: Timestamp, _ settings: CircuitSettings) -> Bool {
        if case .open(let since, _) = phase { now - since > settings.maxHold } else { false }
    }

    /// The state after a signal.
    ///
    /// - Returns: what changed for the endpoint's deliveries; nil: nothing.
    package mutating func take(
        _ signal: Signal, at now: Timestamp, _ settings: CircuitSettings
    ) -> Action? {
        switch signal {
        case .failed(let delivery, let logged, let isReceivers, let isTrial):
            let time = logged.map { min($0, now + Self.farthest) }
            if isTrial { endTrial(at: now, climbs: isReceivers, settings) }
            return isReceivers ? noteFailure(of: delivery, at: time ?? now, now, settings) : nil
        case .arrived(let logged, let isRetry, let isTrial):
            let time = logged.map { min($0, now + Self.farthest) }
            return noteArrival(at: time, isRetry: isRetry, isTrial: isTrial, now, settings)
        case .trialBegan(let delivery):
            trial = delivery
            endTrial(at: now, climbs: false, settings)
        case .trialWasted:
            endTrial(at: now, climbs: false, settings)
        case .drained:
            if case .draining = phase { close() }
        case .resumed:
            return isOpen ? release(settings) : nil
        }
        return nil
    }

    // MARK: - Steps

    private mutating func noteFailure(
        of delivery: Int64, at time: Timestamp, _ now: Timestamp, _ settings: CircuitSettings
    ) -> Action? {
        lastFailure = max(lastFailure ?? time, time)
        guard !isOpen, lastArrival.map({ time > $0 }) ?? true else { return nil }
        failing[delivery] = max(failing[delivery] ?? time, time)
        if case .draining(let limit) = phase { phase = .draining(limit: max(1, limit / 2)) }
        guard failing.count >= settings.openAfter else { return nil }
        failing = [:]
        trial = nil
        phase = .open(since: now, nextTrial: now + settings.delay(atStep: step))
        return .hold
    }

    private mutating func noteArrival(
        at time: Timestamp?, isRetry: Bool, isTrial: Bool, _ now: Timestamp, _ settings: CircuitSettings
    ) -> Action? {
        // What is older than the newest failure was before it; a trial, and what has no time of its own, came after it.
        let isNewest = isTrial || time.map { time in lastFailure.map { time >= $0 } ?? true } ?? true
        let known = time ?? (isNewest ? lastFailure : nil)
        if let known { lastArrival = max(lastArrival ?? known, known) }
        failing = isNewest ? [:] : failing.filter { $0.value > lastArrival ?? $0.value }
        switch phase {
        case .closed: break
        case .draining(let limit) where isRetry:
            if let top = settings.rampLimit, limit + 1 < top { phase = .draining(limit: limit + 1) } else { close() }
        case .draining: break
        case .open where isNewest: return release(settings)
        case .open: break
        }
        return nil
    }

    private mutating func endTrial(at now: Timestamp, climbs: Bool, _ settings: CircuitSettings) {
        guard case .open(let since, _) = phase else { return }
        if climbs { step = min(step + 1, settings.trialDelays.count - 1) }
        phase = .open(since: since, nextTrial: now + settings.delay(atStep: step))
    }

    private mutating func release(_ settings: CircuitSettings) -> Action {
        failing = [:]
        if settings.rampLimit != nil { phase = .draining(limit: 1) } else { close() }
        return .release
    }

    private mutating func close() {
        phase = .closed
        step = 0
        trial = nil
    }
}
