package import DeliveryQueue

/// How many retry calls may begin now: a token bucket, a pause that the provider asked for or that its outage demands,
/// and a hold while the credential is refused. Pure: told the time, never asks for it.
package struct CallGate: Sendable, Equatable {
    /// Why no call begins.
    package enum Closed: String, Sendable, CaseIterable {
        /// 429.
        case throttled
        /// 503 or 425.
        case unavailable
        /// Refused connections, DNS, or too many calls in a row without a usable answer.
        case outage
        /// 401 after a fresh login, or 403; opened only by a login that works.
        case credential
    }

    private let perSecond: Double
    private let burst: Double
    private var tokens: Double
    private var refilled: Timestamp
    /// The share of `perSecond` in force: halved by 429 and 503, recovering with each accepted call.
    package private(set) var rate = 1.0
    package private(set) var closed: Closed?
    /// When calls may begin again; nil while a credential is refused.
    package private(set) var opens: Timestamp?
    private var outagesInARow = 0
    private var badAnswersInARow = 0

    /// `Retry-After` is honoured within these bounds; an absurd one must not park the work for years.
    package static let pauseBounds = Duration.seconds(1)...Duration.seconds(3_600)
    /// The pause where the provider names none.
    package static let defaultPause = Duration.seconds(30)
    /// The pauses of an outage: after them a log that can be read, or a call, tells whether it is over.
    static let outagePauses: [Duration] = [
        .seconds(5), .seconds(10), .seconds(20), .seconds(40), .seconds(80), .seconds(160), .seconds(300),
    ]
    /// Timeouts and 5xx in a row, over all deliveries, that count as an outage of the provider itself.
    static let badAnswerLimit = 5
    private static let lowestRate = 1.0 / 16
    private static let recoveryPerCall = 0.02

    /// - Parameters:
    ///   - perSecond: calls a second in the long run, above 0.
    ///   - burst: calls that may begin at once after a rest, at least 1.
    package init(perSecond: Double, burst: Int, now: Timestamp) {
        self.perSecond = perSecond
        self.burst = Double(max(1, burst))
        tokens = self.burst
        refilled = now
    }

    /// Takes up to `wanted` tokens; 0 while closed.
    package mutating func take(upTo wanted: Int, at now: Timestamp) -> Int {
        reopenIfTime(now)
        guard closed == nil else { return 0 }
        refill(now)
        let granted = min(wanted, Int(tokens))
        tokens -= Double(granted)
        return granted
    }

    /// Returns tokens that were taken and not used.
    package mutating func giveBack(_ count: Int) {
        tokens = min(burst, tokens + Double(count))
    }

    /// How long until a call may begin; nil when only a login can open the gate.
    package func wait(at now: Timestamp) -> Duration? {
        if closed != nil {
            return opens == nil ? nil : pauseLeft(at: now)
        }
        let refill = max(0, (now - refilled).inSeconds) * perSecond * rate
        let missing = 1 - (tokens + refill)
        return missing <= 0 ? .zero : .milliseconds(Int64((missing / (perSecond * rate) * 1_000).rounded(.up)))
    }

    // MARK: - What the provider's answers say

    /// A call was taken on: no outage, and the rate recovers a little.
    package mutating func accepted() {
        rate = min(1, rate + Self.recoveryPerCall)
        providerAnswered()
    }

    /// The provider answered something usable, a page of a log for instance: its outage is over.
    package mutating func providerAnswered() {
        outagesInARow = 0
        badAnswersInARow = 0
        if closed == .outage { open() }
    }

    /// 429, 425 or 503: pauses as long as the provider asks and halves the rate, once per pause.
    ///
    /// - Returns: the pause in force.
    @discardableResult
    package mutating func pause(_ reason: Closed, for retryAfter: Duration?, at now: Timestamp) -> Duration {
        let asked = retryAfter ?? Self.defaultPause
        let pause = min(max(asked, Self.pauseBounds.lowerBound), Self.pauseBounds.upperBound)
        if closed == nil { rate = max(Self.lowestRate, rate / 2) }
        close(reason, until: now + pause)
        return max(pause, pauseLeft(at: now))
    }

    /// The provider could not be reached.
    ///
    /// - Returns: the pause in force.
    @discardableResult
    package mutating func unreachable(at now: Timestamp) -> Duration {
        if closed == .outage, pauseLeft(at: now) > .zero { return pauseLeft(at: now) }
        let pause = Self.outagePauses[min(outagesInARow, Self.outagePauses.count - 1)]
        outagesInARow += 1
        close(.outage, until: now + pause)
        return pause
    }

    /// A timeout or 5xx: one may be the delivery's own fault, many in a row are the provider's.
    package mutating func badAnswer(at now: Timestamp) {
        badAnswersInARow += 1
        guard badAnswersInARow >= Self.badAnswerLimit else { return }
        badAnswersInARow = 0
        unreachable(at: now)
    }

    /// The credential is refused: nothing is called until `credentialWorks`.
    package mutating func credentialRefused() {
        closed = .credential
        opens = nil
    }

    package mutating func credentialWorks() {
        if closed == .credential { open() }
    }

    // MARK: - Mechanics

    /// The strongest reason stays: a pause never shortens another, and a refused credential outlasts all.
    private mutating func close(_ reason: Closed, until time: Timestamp) {
        guard closed != .credential else { return }
        if let opens, opens > time { return }
        closed = reason
        opens = time
    }

    private mutating func open() {
        closed = nil
        opens = nil
    }

    private mutating func reopenIfTime(_ now: Timestamp) {
        if opens != nil, pauseLeft(at: now) == .zero { open() }
    }

    /// Zero when no pause is in force, and when the clock was set back so far that none can have been meant.
    private func pauseLeft(at now: Timestamp) -> Duration {
        guard let opens, opens > now, opens - now <= Self.pauseBounds.upperBound else { return .zero }
        return opens - now
    }

    private mutating func refill(_ now: Timestamp) {
        // A clock that was set back must not stop the refill for as long as it was set back.
        let elapsed = max(0, (now - refilled).inSeconds)
        tokens = min(burst, tokens + elapsed * perSecond * rate)
        refilled = now
    }
}

/// The one gate that pollers and the dispatcher share.
package actor SharedGate {
    package private(set) var gate: CallGate

    package init(_ gate: CallGate) {
        self.gate = gate
    }

    /// Changes or asks the gate in one step.
    package func with<Value: Sendable>(_ change: @Sendable (inout CallGate) -> Value) -> Value {
        change(&gate)
    }
}
