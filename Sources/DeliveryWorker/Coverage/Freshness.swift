import DeliveryQueue
import RedeliverConfiguration

/// Decides how long after the reading of its log an endpoint's deliveries may be called. Pure: it is told the time, by
/// a clock that counts sleep and that nobody sets. `docs/coverage.md` has the whole rule; its other half is `ReadRule`
/// in the queue.
///
/// One reading serves all deliveries of its endpoint. It counts from the moment at which its first page was requested,
/// because a later page may be older than the newest arrival.
struct Freshness: Sendable {
    /// One reading of a log from its newest page down, or of all of it.
    struct Look: Sendable, Equatable {
        /// When its first page was requested.
        let requested: Duration
        let ended: Duration
        /// Rows logged from this time on were read; `Timestamp.distantPast` when no other row can matter.
        var rowsSince: Timestamp
        /// Why it left rows that should be read again to a deeper one.
        let cut: Cut
        /// Whether it saw all rows of the log. A row that is not among them is gone, or was missed.
        var end = End.notReached
        /// Whether it read the overlap and deep rows again.
        let isDeep: Bool
        /// `endpoint.openings` when it began.
        let openings: Int64

        enum Cut: Sendable {
            /// It left none.
            case none
            /// They lie behind more pages than a usual look reads.
            case depth
            /// A page could not be read, or the time was over.
            case other
        }

        enum End: Sendable {
            case notReached
            /// While it was read, entries were deleted or could not be understood.
            case disturbed
            case reached
        }

        var isCut: Bool { cut != .none }

        /// How long it is good for at least, so that a slow or long log is not read for ever without one call.
        fileprivate var ownLimit: Duration { (ended - requested) * 2 }
    }

    /// `retry.fresh_within`.
    private let within: Duration
    /// When calls may begin: the start, or the last end of an outage, of a refused credential or of a break that
    /// nothing explains.
    private var opened: Duration
    private var looks: [String: Look] = [:]
    /// The deep look of each endpoint that came deepest, while it is good.
    private var deepLooks: [String: Look] = [:]
    /// When the newest one was requested.
    private var deepRequests: [String: Duration] = [:]
    /// How far a usual look reaches: to rows of this time. Known since one was cut there.
    private var reach: [String: Timestamp] = [:]
    /// What was read of each endpoint since calls may begin.
    private var openings: [String: SinceOpening] = [:]

    private struct SinceOpening {
        /// `endpoint.openings`.
        let number: Int64
        /// The deepest row.
        var rowsSince = Timestamp.distantFuture
        /// How often all rows were read, and nothing disturbed it.
        var wholeReadings = 0
    }

    /// Rows that lie deep in a log are read again this often, and so is the overlap.
    static let deepInterval = WorkerConfiguration.Poll.overlapInterval
    /// A row that so many whole readings have not shown is gone.
    private static let readingsUntilGone = 2

    init(within: Duration, at now: Duration) {
        self.within = within
        opened = now
    }

    /// Calls may begin again: no reading from before counts.
    mutating func open(at now: Duration) {
        opened = now
        openings = [:]
    }

    mutating func took(_ look: Look, of endpointID: String) {
        let look = note(look, of: endpointID)
        // A deep look may end long after it began, when newer ones have ended.
        if looks[endpointID].map({ $0.requested <= look.requested }) ?? true { looks[endpointID] = look }
        if look.isDeep { took(deep: look, of: endpointID) }
        if look.cut == .depth, !look.isDeep { reach[endpointID] = look.rowsSince }
    }

    private mutating func took(deep look: Look, of endpointID: String) {
        deepRequests[endpointID] = max(deepRequests[endpointID] ?? look.requested, look.requested)
        // One that goes on in a later turn does not undo what the one before has reached.
        if let old = deepLooks[endpointID], old.rowsSince < look.rowsSince, old.openings == look.openings,
            isGood(old, for: Self.deepInterval, at: look.ended)
        {
            return
        }
        deepLooks[endpointID] = look
    }

    /// Rows between two times were read, as a gap. They count as read by the deep look that came down to the first
    /// time.
    mutating func read(_ endpointID: String, from: Timestamp, downTo: Timestamp) {
        if let deep = deepLooks[endpointID], deep.rowsSince <= from {
            deepLooks[endpointID]?.rowsSince = min(deep.rowsSince, downTo)
        }
        if let since = openings[endpointID], since.rowsSince <= from {
            openings[endpointID]?.rowsSince = min(since.rowsSince, downTo)
        }
    }

    /// Notes what a look adds to what was read since calls may begin.
    ///
    /// - Returns: the look. Where it shows that rows are gone, it has read all there are: then all rows count as read.
    private mutating func note(_ look: Look, of endpointID: String) -> Look {
        guard look.requested >= opened else { return look }
        var since =
            openings[endpointID].flatMap { $0.number >= look.openings ? $0 : nil }
            ?? SinceOpening(number: look.openings)
        defer { openings[endpointID] = since }
        guard since.number == look.openings else { return look }
        var look = look
        switch look.end {
        case .notReached: break
        case .disturbed: since.wholeReadings = 0
        case .reached: since.wholeReadings += 1
        }
        if look.end == .reached, since.wholeReadings >= Self.readingsUntilGone { look.rowsSince = .distantPast }
        since.rowsSince = min(since.rowsSince, look.rowsSince)
        return look
    }

    /// The readings that allow calls now, by endpoint.
    func readings(at now: Duration) -> [String: LogReading] {
        looks.filter { isFresh($0.value, at: now) }.map { ($0.key, reading(of: $0.key, $0.value, at: now)) }
            .reduce(into: [:]) { $0[$1.0] = $1.1 }
    }

    /// Whether deliveries of the endpoint may be called now, as far as time decides it.
    func isFresh(_ endpointID: String, at now: Duration) -> Bool {
        looks[endpointID].map { isFresh($0, at: now) } ?? false
    }

    /// Whether the overlap and deep rows are to be read again.
    func isDeepLookDue(_ endpointID: String, at now: Duration) -> Bool {
        guard let requested = deepRequests[endpointID], requested >= opened else { return true }
        return now - requested >= Self.deepInterval
    }

    /// How long until they are by time alone; zero: they are now. An opening does not shorten this.
    func untilDeepLook(_ endpointID: String, at now: Duration) -> Duration {
        guard let requested = deepRequests[endpointID] else { return .zero }
        return max(.zero, Self.deepInterval - (now - requested))
    }

    /// Rows logged from this time on were read since calls may begin, while `endpoint.openings` had this number.
    func rowsSinceOpening(_ endpointID: String) -> (time: Timestamp, openings: Int64) {
        openings[endpointID].map { ($0.rowsSince, $0.number) } ?? (.distantFuture, 0)
    }

    /// Rows logged before this time lie deeper than a usual look goes.
    func reach(_ endpointID: String) -> Timestamp { reach[endpointID] ?? .distantPast }

    /// Whether the endpoint's newest look left rows to a deeper one.
    func isCut(_ endpointID: String) -> Bool { looks[endpointID]?.isCut ?? false }

    private func isFresh(_ look: Look, at now: Duration) -> Bool { isGood(look, for: within, at: now) }

    private func isGood(_ look: Look, for limit: Duration, at now: Duration) -> Bool {
        look.requested >= opened && now - look.requested <= max(limit, look.ownLimit)
    }

    private func reading(of endpointID: String, _ look: Look, at now: Duration) -> LogReading {
        var rowsSince = look.rowsSince
        // What is in reach must have been read just now; what is deeper, a while ago.
        if look.isCut || look.rowsSince <= reach(endpointID), let deep = deepLooks[endpointID],
            isGood(deep, for: Self.deepInterval, at: now)
        {
            rowsSince = min(rowsSince, deep.rowsSince)
        }
        let sinceOpening = rowsSinceOpening(endpointID)
        return LogReading(
            openings: look.openings, rowsSince: rowsSince,
            rowsSinceOpening: sinceOpening.openings == look.openings ? sinceOpening.time : .distantFuture)
    }
}
