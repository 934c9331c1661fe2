package import DeliveryQueue

/// Decides whether retry calls may begin now. Shut for all calls while the provider wants none, does not answer or
/// refuses the credential; while it is open a token bucket limits the rate. Pure: it is told the time.
///
///                  429, 503, 425   ┌────────┐   its time is over
///             ┌───────────────────▶│ paused │────────────────────────┐
///             │                    └───┬────┘                        │
///             │                        │ over, and nobody            ▼
///             │     5 bad answers      ▼ had named its end      ┌─────────┐  the one call is answered
///         ┌───┴──┐  in a row, or   ┌────────┐   a log was read  │  trial  │─────────────────────────────▶ open,
///         │ open │────────────────▶│ outage │──────────────────▶│ one call│                               and the
///         └───┬──┘  a connection   │        │◀──────────────────│ at once │─────────────────────────────▶ rate ramps
///             │     is refused     └────────┘  it is not        └─────────┘
///             │                                                      ▲
///             │     401, or 403   ┌─────────┐   the login works      │
///             └──────────────────▶│ refused │────────────────────────┘
///                   to all logs   └─────────┘   (or back into a pause that lasts longer)
///
/// The same answers lead from `trial` to `paused` and `refused`, and a refused credential outlasts everything else.
/// Answers to calls that began before the gate shut do not open it.
package struct CallGate: Sendable, Equatable {
    private enum State: Sendable, Equatable {
        case open
        /// One call at a time until one is answered. Holds when the present call began; nil while none is under way.
        case trial(Timestamp?)
        case paused(GatePause)
        /// A reading that began before `since` says nothing of it.
        case outage(since: Timestamp, nextRead: Timestamp)
        /// With a pause that may last longer.
        case refused(GatePause?)
    }

    private var state = State.open
    var calls: TokenBucket
    private var memory = GateMemory()
    var reading = ReadingPause()
    var grants: GrantRecord
    /// The endpoints whose logs were read in this round of the outage; the others go first.
    private var haveRead: Set<String> = []
    /// How often an outage or a refused credential has ended. After each, all logs are read again before a call. A
    /// pause that the provider asked for is none: the logs are read meanwhile or become too old by themselves.
    private(set) var openings = 0

    /// A trial call without a result keeps the gate shut no longer than this. No call lasts as long.
    private static let trialLimit = Duration.seconds(3_600)
    /// How much longer an endpoint waits that has read its log in this round.
    private static let courtesy = Duration.seconds(1)

    /// - Parameters:
    ///   - perSecond: calls a second in the long run, above 0.
    ///   - burst: calls that may begin at once after a rest; at least 1.
    ///   - endpoints: how many logs are read.
    package init(perSecond: Double, burst: Int, endpoints: Int = 1, now: Timestamp) {
        grants = GrantRecord(endpoints: endpoints)
        calls = TokenBucket(perSecond: perSecond, burst: burst, now: now)
    }

    /// This gate under a reloaded configuration, after the old one's calls have ended. The new rate and burst apply; a
    /// pause, an outage or a refused credential goes on. The credential may be another one.
    package func adopting(perSecond: Double, burst: Int, endpoints: Int = 1) -> CallGate {
        var gate = self
        gate.grants = GrantRecord(endpoints: endpoints)
        gate.calls.adopt(perSecond: perSecond, burst: burst)
        if case .trial = gate.state { gate.state = .trial(nil) }
        return gate
    }

    // MARK: - What it lets through

    /// nil while calls may begin. True for the last time that the gate was told; see ``standing(at:)``.
    package var closed: Closed? {
        switch state {
        case .open, .trial: nil
        case .paused(let pause): pause.reason
        case .outage: .outage
        case .refused: .credential
        }
    }

    /// When the pause ends, or when the next log is read in an outage; nil while the credential is refused.
    package var opens: Timestamp? {
        switch state {
        case .paused(let pause): pause.until
        case .outage(_, let nextRead): nextRead
        case .open, .trial, .refused: nil
        }
    }

    /// The share of the configured rate that is in force. It is lowest after an outage; 429, 503 and 425 halve it, and
    /// each accepted call raises it.
    package var rate: Double { calls.share }

    package var isTrial: Bool {
        if case .trial = state { true } else { false }
    }

    package var closedSince: Timestamp? { closed == nil ? nil : memory.began }

    /// Takes up to `wanted` tokens; 0 while closed.
    package mutating func take(upTo wanted: Int, at now: Timestamp) -> Int {
        advance(to: now)
        switch state {
        case .open:
            return calls.take(upTo: wanted, at: now)
        case .trial(nil):
            let granted = calls.take(upTo: min(wanted, 1), at: now)
            if granted > 0 { state = .trial(now) }
            return granted
        case .trial, .paused, .outage, .refused:
            return 0
        }
    }

    /// Returns tokens that were taken and not used.
    package mutating func giveBack(_ count: Int) {
        guard count > 0 else { return }
        calls.giveBack(count)
        if case .trial = state { state = .trial(nil) }
    }

    /// How long until a call may begin; nil when that depends on an answer to a call, a log read or a login.
    package func wait(at now: Timestamp) -> Duration? {
        var gate = self
        gate.advance(to: now)
        switch gate.state {
        case .open, .trial(nil): return gate.calls.wait(at: now)
        case .paused(let pause): return pause.left(at: now)
        case .trial, .outage, .refused: return nil
        }
    }

    /// Asks for a turn to read a log. In an outage the reads of all endpoints share one ladder, and each read may end
    /// the outage. The endpoints take turns, because one log may stay unreadable for a reason of its own.
    ///
    /// - Parameter readers: how many endpoints there are.
    /// - Returns: how long the endpoint waits before it asks again; nil when it may read now.
    package mutating func pauseOfRead(by endpointID: String, of readers: Int, at now: Timestamp) -> Duration? {
        advance(to: now)
        if let pause = readingPause(at: now) { return pause }
        switch state {
        case .open, .trial:
            return nil
        case .paused(let pause):
            return pause.left(at: now)
        case .refused:
            return CredentialKeeper.interval
        case .outage(let since, let nextRead):
            let turn = haveRead.contains(endpointID) ? nextRead + Self.courtesy : nextRead
            // A clock that was set back must not put the read off for as long as it was set back.
            if turn > now, turn - now <= .seconds(301) { return turn - now }
            haveRead.insert(endpointID)
            if haveRead.count >= readers { haveRead = [] }
            // The next read is put off now, so that it does not depend on how this one ends.
            state = .outage(since: since, nextRead: now + memory.readPause())
            return nil
        }
    }

    // MARK: - What the provider's answers say

    /// The provider answered a call, and the answer concerns that call only.
    package mutating func callAnswered(at now: Timestamp) {
        advance(to: now)
        memory.endRow()
        guard isTrial else { return }
        memory.forget()
        state = .open
    }

    /// The provider answered a log read: its outage is over, and one call may try it.
    ///
    /// - Parameter began: when it was asked; nil: just now.
    package mutating func logAnswered(since began: Timestamp? = nil, at now: Timestamp) {
        advance(to: now)
        memory.goodRead()
        reading.answered()
        guard case .outage(let since, _) = state else { return }
        // A clock that was set back must not make an outage last.
        if let began, began <= since, since <= now { return }
        openings += 1
        memory.readAnswered()
        tryAgain(asRamp: true, since: now, at: now)
    }

    /// 429, 425 or 503 to a call: pauses for as long as the provider asks, and halves the rate once per pause.
    ///
    /// - Parameter retryAfter: nil when the provider names no time.
    /// - Returns: the pause in force.
    @discardableResult
    package mutating func pause(_ reason: Closed, for retryAfter: Duration?, at now: Timestamp) -> Duration {
        advance(to: now)
        if closed == nil { memory.forgetIfLongAgo(now) }
        let other = pauseInForce
        let length = memory.pause(asked: retryAfter, inForce: other != nil)
        if other == nil { calls.halve() }
        // An outage that ends in a pause also ends in a ramp.
        if case .outage = state { calls.restart(asRamp: true, at: now) }
        let isGuess = reason == .unavailable && retryAfter == nil
        let pause = GatePause(reason: reason, until: now + length, endsInRead: isGuess).joined(other)
        if case .refused = state {
            state = .refused(pause)
        } else {
            close(.paused(pause), pause.reason, at: now)
        }
        return max(length, pause.left(at: now))
    }

    /// A call was not sent, because the provider could not be reached.
    ///
    /// - Returns: how long that call is put off; not longer in a long outage, so that it is due at the end.
    @discardableResult
    package mutating func unreachable(at now: Timestamp) -> Duration {
        advance(to: now)
        if closed == nil { beginOutage(at: now) }
        return GateMemory.readPauses[0]
    }

    /// A timeout or 5xx of a call. One may be the delivery's own fault; many in a row are the provider's, and so is the
    /// single call of a trial.
    package mutating func badAnswer(at now: Timestamp) {
        advance(to: now)
        switch state {
        case .open:
            if memory.badCall() { beginOutage(at: now) }
        case .trial(_?):
            beginOutage(at: now)
        case .trial(nil), .paused, .outage, .refused:
            return
        }
    }

    /// A log could not be read, because no usable answer came back.
    package mutating func badRead(at now: Timestamp) {
        advance(to: now)
        if closed == nil, memory.badRead() { beginOutage(at: now) }
    }

    /// The credential is refused: no call begins until `credentialWorks`.
    package mutating func credentialRefused(at now: Timestamp) {
        advance(to: now)
        grants.forget()
        if case .refused = state { return }
        close(.refused(pauseInForce), .credential, at: now)
    }

    package mutating func credentialWorks(at now: Timestamp) {
        guard case .refused(let pause) = state else { return }
        openings += 1
        if let pause, pause.left(at: now) > .zero {
            calls.restart(asRamp: true, at: now)
            close(.paused(pause), pause.reason, at: now)
        } else {
            tryAgain(asRamp: true, since: now, at: now)
        }
    }

    // MARK: - Moves

    /// Makes the moves that time alone makes. It may be called at any moment without another effect.
    mutating func advance(to now: Timestamp) {
        switch state {
        case .paused(let pause) where pause.left(at: now) == .zero && pause.endsInRead:
            close(.outage(since: now, nextRead: min(pause.until, now)), .outage, at: now)
        case .paused(let pause) where pause.left(at: now) == .zero:
            tryAgain(asRamp: false, since: min(pause.until, now), at: now)
        case .trial(let begun?) where now < begun || now - begun >= Self.trialLimit:
            state = .trial(nil)
        case .open, .trial, .paused, .outage, .refused:
            return
        }
    }

    private var pauseInForce: GatePause? {
        switch state {
        case .paused(let pause): pause
        case .refused(let pause): pause
        case .open, .trial, .outage: nil
        }
    }

    private mutating func close(_ new: State, _ reason: Closed, at now: Timestamp) {
        memory.shut(reason, at: now)
        state = new
    }

    private mutating func beginOutage(at now: Timestamp) {
        memory.forgetIfLongAgo(now)
        memory.endRow()
        close(.outage(since: now, nextRead: now + memory.readPause()), .outage, at: now)
    }

    private mutating func tryAgain(asRamp isRamp: Bool, since time: Timestamp, at now: Timestamp) {
        state = .trial(nil)
        haveRead = []
        memory.reopen(at: time)
        calls.restart(asRamp: isRamp, at: now)
    }
}
