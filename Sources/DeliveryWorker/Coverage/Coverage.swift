import DeliveryQueue
import ProviderAPI

/// What the pollers have read and what the dispatcher wants read, shared by both. A delivery is called only after its
/// endpoint's log was looked at; the dispatcher asks for a look, and the endpoint's poller takes it.
actor Coverage {
    private var freshness: Freshness
    /// `CallGate.openings` as the dispatcher saw it last.
    private var openings: Int
    /// Endpoints whose log is to be looked at before they can be called.
    private var wanted: Set<String> = []
    /// Endpoints whose logs were seen to be newest first.
    private var newestFirst: Set<String> = []
    /// Deep looks and passes that have not come to their end yet, by endpoint.
    private var rests: [String: Rest] = [:]
    private let steady: @Sendable () -> Duration
    /// The dispatcher is heard of again by then, unless the process was stopped or the machine slept; nil: it has not
    /// begun.
    private var nextBeat: Duration?
    /// By endpoint id, to wake its poller.
    private let pollers: [String: Bell]
    private let dispatcher: Bell

    /// A reading that a later turn goes on with.
    struct Rest: Sendable {
        var scan: LogScan
        /// nil: the store keeps the page to go on from, as a gap.
        var next: PageLink?
        let requested: Duration
        /// `endpoint.openings` when it began.
        let openings: Int64
        /// Whether entries were deleted or could not be understood while it was read.
        var isDisturbed = false
    }

    /// A turn of the dispatcher takes less, its pause aside.
    static let longestTurn = Duration.seconds(60)
    /// A busy machine wakes the dispatcher from its pause within this time.
    static let longestWaking = Duration.seconds(15)

    /// - Parameters:
    ///   - within: `retry.fresh_within`.
    ///   - openings: `CallGate.openings` of the gate that it begins with.
    ///   - clock: one that counts sleep.
    ///   - pollers: by endpoint id, rung when a look is wanted.
    ///   - dispatcher: rung when a wanted look has ended.
    init(
        within: Duration, openings: Int = 0, clock: any Clock<Duration>, pollers: [String: Bell] = [:],
        dispatcher: Bell = Bell()
    ) {
        steady = stopwatch(clock)
        freshness = Freshness(within: within, at: steady())
        self.openings = openings
        self.pollers = pollers
        self.dispatcher = dispatcher
    }

    /// The time by which readings are dated.
    nonisolated var now: Duration { steady() }

    /// The readings that allow calls now, by endpoint.
    var readings: [String: LogReading] { freshness.readings(at: steady()) }

    /// The same, after the gate of all calls has opened so often.
    func readings(afterOpening number: Int) -> [String: LogReading] {
        if number != openings { freshness.open(at: steady()) }
        openings = number
        return readings
    }

    /// The dispatcher is at work. When it comes later than it meant to, nothing that was read before counts: the
    /// machine slept, or the process was stopped.
    ///
    /// - Parameter limit: until the next beat, at the longest.
    func beat(next limit: Duration) {
        let now = steady()
        if let nextBeat, now > nextBeat { freshness.open(at: now) }
        nextBeat = now + limit
    }

    /// A step has ended that began at this time. After one that is too long nothing counts that was read before its
    /// end.
    ///
    /// - Parameter limit: the longest time that it may take.
    /// - Returns: whether what it has read counts.
    @discardableResult
    func step(since began: Duration, limit: Duration) -> Bool {
        let now = steady()
        guard now - began > limit else { return true }
        freshness.open(at: now)
        return false
    }

    /// Whether a call of the endpoint may still begin.
    func isFresh(_ endpointID: String) -> Bool { freshness.isFresh(endpointID, at: steady()) }

    /// Asks for a look at these endpoints' logs, once for all that wait.
    func want(_ endpoints: [String]) async {
        for endpoint in endpoints {
            wanted.insert(endpoint)
            if wantsLook(endpoint) { await pollers[endpoint]?.ring() }
        }
    }

    /// Endpoints whose log is to be looked at, by a poller that knows it and that has not begun or not ended yet.
    var wantedLooks: Set<String> { wanted.filter(wantsLook) }

    /// Whether a look is asked for that would help. A look that did not go deep enough is not repeated at once: the
    /// next deep one is soon enough.
    func wantsLook(_ endpointID: String) -> Bool {
        guard wanted.contains(endpointID) else { return false }
        guard freshness.isFresh(endpointID, at: steady()), freshness.isCut(endpointID) else { return true }
        return freshness.isDeepLookDue(endpointID, at: steady())
    }

    /// What a look that begins now is to read again.
    func reread(_ endpointID: String) -> (isDeep: Bool, rows: Reread) {
        // One that a turn's end cut short goes on where it stopped.
        let isDeep = freshness.isDeepLookDue(endpointID, at: steady()) && rests[endpointID]?.next == nil
        let since = freshness.rowsSinceOpening(endpointID)
        return (
            isDeep,
            Reread(
                withOverlap: isDeep, rowsSinceOpening: since.time, openings: since.openings,
                reach: isDeep ? .distantPast : freshness.reach(endpointID))
        )
    }

    /// How long until the overlap of an endpoint's log is to be read again; zero: it is now.
    func untilDeepLook(_ endpointID: String) -> Duration { freshness.untilDeepLook(endpointID, at: steady()) }

    /// Whether the log of an endpoint was seen to be newest first.
    func isNewestFirst(_ endpointID: String) -> Bool { newestFirst.contains(endpointID) }

    /// A look has ended.
    func took(_ look: Freshness.Look, isNewestFirst: Bool, of endpointID: String) async {
        freshness.took(look, of: endpointID)
        if isNewestFirst { newestFirst.insert(endpointID) } else { newestFirst.remove(endpointID) }
        wanted.remove(endpointID)
        await dispatcher.ring()
    }

    /// A part of a newest-first log was read that was a gap.
    func read(_ endpointID: String, from: Timestamp, downTo: Timestamp) {
        freshness.read(endpointID, from: from, downTo: downTo)
    }

    /// Keeps what a later turn is to go on with; nil: nothing.
    func keep(_ rest: Rest?, of endpointID: String) { rests[endpointID] = rest }

    func rest(of endpointID: String) -> Rest? { rests[endpointID] }
}
