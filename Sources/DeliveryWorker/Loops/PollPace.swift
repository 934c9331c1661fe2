import DeliveryQueue
import RedeliverConfiguration

/// Decides when an endpoint's log is polled next: at its interval, and where that is long as soon as the overlap is to
/// be read again. Pure: it is told the times.
struct PollPace {
    private let poll: WorkerConfiguration.Poll
    /// When the last poll began; nil: the next is due.
    private var last: Timestamp?
    /// Whether that poll was to read the overlap again. One that did not come to its end is not repeated at once.
    private var wasDeep = false

    /// How soon after a reading another look is taken, when a delivery waits for one.
    static let lookInterval = Duration.seconds(1)
    /// How often a log is read during a trial or at the beginning of a drain.
    static let closeInterval = Duration.seconds(2)

    init(_ poll: WorkerConfiguration.Poll) {
        self.poll = poll
    }

    /// How long the next poll waits; zero: it is due.
    ///
    /// - Parameters:
    ///   - interval: from the beginning of one poll to the beginning of the next.
    ///   - untilDeep: how long until the overlap is to be read again; zero: it is now.
    func wait(_ interval: Duration, untilDeep: Duration, at now: Timestamp) -> Duration {
        guard let last, now >= last else { return .zero }
        let since = now - last
        guard poll.rereadsOverlap else { return max(.zero, interval - since) }
        if untilDeep > .zero { return max(.zero, min(interval - since, untilDeep)) }
        return wasDeep ? max(.zero, min(interval, poll.longestPause) - since) : .zero
    }

    /// How long to sleep after a poll that has just ended.
    func rest(_ interval: Duration, untilDeep: Duration) -> Duration {
        guard poll.rereadsOverlap else { return interval }
        return min(interval, untilDeep > .zero ? untilDeep : poll.longestPause)
    }

    /// A poll has ended.
    ///
    /// - Parameters:
    ///   - began: nil: it left so much that the next one is due.
    ///   - untilDeep: as it was when the poll began.
    mutating func polled(at began: Timestamp?, untilDeep: Duration) {
        last = began
        wasDeep = untilDeep == .zero
    }
}
