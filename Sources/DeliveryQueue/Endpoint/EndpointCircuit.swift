/// Tracks whether an endpoint's receiver takes deliveries: a state machine, fed by the endpoint's log and the results
/// of our calls. It reads no clock and no database: the store keeps its state and carries out its actions.
///
/// A receiver that is down fails for all deliveries. Calling each on its own clock meanwhile wastes calls and attempts,
/// and after the recovery each waits hours for its own next turn.
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
/// Log times are compared only with each other: pages may come in any order, and the provider's clock may differ from
/// ours. Only a time more than a day ahead of our clock is cut to that.
package struct EndpointCircuit: Sendable, Equatable {
    /// How calls of the endpoint are made.
    package enum Phase: Sendable, Equatable {
        /// Calls are made as they come due.
        case closed
        /// Held deliveries go out in the order in which they failed, with at most `limit` of them called and not yet
        /// settled.
        case draining(limit: Int)
        /// Only trials are called, one at a time.
        case open(since: Timestamp, nextTrial: Timestamp)

        /// Since when the circuit holds deliveries; nil: it holds none.
        package var heldSince: Timestamp? {
            if case .open(let since, _) = self { since } else { nil }
        }
    }

    /// What the log or our calls show of the receiver.
    package enum Signal: Sendable, Equatable {
        /// A delivery failed at the receiver.
        ///
        /// - Parameters:
        ///   - at: the log's time of the failure; nil: unknown, and taken as now.
        ///   - isReceivers: false when the receiver refused this one delivery (400-class answers), which says nothing
        ///     of others.
        ///   - isTrial: true when it is the outcome of the trial that is under way.
        case failed(delivery: Int64, at: Timestamp?, isReceivers: Bool, isTrial: Bool)
        /// A delivery arrived, by the provider's own attempt or by a retry of ours. `at` is the log's time; nil:
        /// unknown.
        case arrived(at: Timestamp?, isRetry: Bool, isTrial: Bool)
        /// A trial was claimed; its call may begin.
        case trialBegan(delivery: Int64)
        /// The trial ended and shows nothing of the receiver: the provider refused it, or the log stayed silent.
        case trialWasted
        /// The trial's call was never sent, so another one may begin.
        case trialNotSent
        /// No held delivery is left to send.
        case drained
        /// An operator says that the receiver is well.
        case resumed
    }

    /// What changed for the endpoint's deliveries.
    package enum Action: Sendable, Equatable {
        /// They are held from now on.
        case hold
        /// All that failed until now are due, in the order in which they failed.
        case release
    }

    package var phase = Phase.closed
    /// The step on the ladder of trial delays. It stays while draining, so that a receiver that fails again at once is
    /// not tried more often than before.
    package var step = 0
    /// The delivery of the newest trial; the next trial takes the one behind it in line.
    package var trial: Int64?
    /// Deliveries that failed since anything arrived, with the log's time of their newest failure. Empty while open.
    package var failing: [Int64: Timestamp] = [:]
    /// The newest log times of an arrival and of a failure.
    package var lastArrival: Timestamp?
    package var lastFailure: Timestamp?

    package init() {}

    /// A log time counts as at most this far ahead of our clock: one entry from the far future must not outdo all later
    /// ones.
    private static let farthest = Duration.seconds(86_400)

    package var isOpen: Bool {
        phase.heldSince != nil
    }

    /// Whether it is open for longer than `maxHold`: then held deliveries age again and trials use attempts.
    package func isOutOfPatience(at now: Timestamp, _ settings: CircuitSettings) -> Bool {
        if case .open(let since, _) = phase { now - since > settings.maxHold } else { false }
    }

    /// Takes in a signal and changes the state.
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
        case .trialNotSent:
            if case .open(let since, _) = phase { phase = .open(since: since, nextTrial: now) }
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
        // An arrival older than the newest failure was before it. A trial's arrival, and one without a time, came after
        // it.
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
