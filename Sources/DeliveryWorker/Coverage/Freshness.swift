import DeliveryQueue
import RedeliverConfiguration

/// Decides how long after the reading of its log an endpoint's deliveries may be called. Pure: it is told the time, by a
/// clock that counts sleep and that nobody sets. `docs/coverage.md` has the whole rule; its other half is `ReadRule` in
/// the queue.
///
/// One reading serves all deliveries of its endpoint. It counts from the moment at which its first page was requested,
/// because a later page may be older than the newest arrival.
struct Freshness: Sendable {
    /// One reading of a log from its newest page down, or of all of it.
    struct Look: Sendable, Equatable {
        /// When its first page was requested.
        let requested: Duration
        let ended: Duration
        /// Rows logged from this time on were read; `Timestamp.distantPast` when all were.
        let rowsSince: Timestamp
        /// True when rows that should be read again lie deeper than it went.
        let isCut: Bool
        /// Whether it read the overlap and deep rows again.
        let isDeep: Bool
        /// `endpoint.openings` when it began.
        let openings: Int64

        /// How long it is good for at least, so that a slow or long log is not read for ever without one call.
        fileprivate var ownLimit: Duration { (ended - requested) * 2 }
    }

    /// `retry.fresh_within`.
    private let within: Duration
    /// When calls may begin: the start, or the last end of an outage or of a refused credential.
    private var opened: Duration
    private var looks: [String: Look] = [:]
    /// The newest deep look of each endpoint that came to its end.
    private var deepLooks: [String: Look] = [:]
    /// How far a usual look reaches: to rows of this time. Known since one was cut there.
    private var reach: [String: Timestamp] = [:]
    /// The deepest row of each endpoint that was read since calls may begin.
    private var deepest: [String: Timestamp] = [:]

    /// Rows that lie deep in a log are read again this often, and so is the overlap.
    static let deepInterval = WorkerConfiguration.Poll.overlapInterval

    init(within: Duration, at now: Duration) {
        self.within = within
        opened = now
    }

    /// Calls may begin again: no reading from before counts.
    mutating func open(at now: Duration) {
        opened = now
        deepest = [:]
    }

    mutating func took(_ look: Look, of endpointID: String) {
        // A deep look may end long after it began, when newer ones have ended.
        if looks[endpointID].map({ $0.requested <= look.requested }) ?? true { looks[endpointID] = look }
        if look.isDeep, !look.isCut { deepLooks[endpointID] = look }
        if look.isCut, !look.isDeep { reach[endpointID] = look.rowsSince }
        guard look.requested >= opened else { return }
        deepest[endpointID] = min(deepest[endpointID] ?? .distantFuture, look.rowsSince)
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
        guard let look = deepLooks[endpointID], look.requested >= opened else { return true }
        return now - look.requested >= Self.deepInterval
    }

    /// How long until they are by time alone; zero: they are now. An opening makes the next look a deep one, and it need not
    /// come sooner.
    func untilDeepLook(_ endpointID: String, at now: Duration) -> Duration {
        guard let look = deepLooks[endpointID] else { return .zero }
        return max(.zero, Self.deepInterval - (now - look.requested))
    }

    /// Rows logged from this time on were read since calls may begin.
    func rowsSinceOpening(_ endpointID: String) -> Timestamp { deepest[endpointID] ?? .distantFuture }

    /// Rows logged before this time lie deeper than a usual look goes.
    func reach(_ endpointID: String) -> Timestamp { reach[endpointID] ?? .distantPast }

    /// Whether the endpoint's newest look left rows to a deeper one.
    func isCut(_ endpointID: String) -> Bool { looks[endpointID]?.isCut ?? false }

    private func isFresh(_ look: Look, at now: Duration) -> Bool {
        look.requested >= opened && now - look.requested <= max(within, look.ownLimit)
    }

    private func reading(of endpointID: String, _ look: Look, at now: Duration) -> LogReading {
        var rowsSince = look.rowsSince
        // What is in reach must have been read just now; what is deeper, a while ago.
        if look.isCut || look.rowsSince <= reach(endpointID), let deep = deepLooks[endpointID],
            deep.requested >= opened, now - deep.requested <= max(Self.deepInterval, deep.ownLimit)
        {
            rowsSince = min(rowsSince, deep.rowsSince)
        }
        return LogReading(
            openings: look.openings, rowsSince: rowsSince,
            rowsSinceOpening: deepest[endpointID] ?? .distantFuture)
    }
}
