package import DeliveryQueue
import ProviderAPI

/// The worker's health as far as it is not in the database: when each loop last completed a turn, whether a loop hangs,
/// and which logs were read since the start.
package actor Vitals {
    package let started: Timestamp
    package private(set) var lastTurns: [String: Timestamp] = [:]
    private var running: [Int: Running] = [:]
    private var lastNumber = 0
    private let steady: @Sendable () -> Duration

    /// A running loop. Some duties have many, one for each endpoint.
    private struct Running {
        let loop: String
        /// When its next turn must be complete.
        var isDue: Duration
    }

    /// - Parameter clock: one that nobody sets.
    package init(started: Timestamp, clock: any Clock<Duration> = ContinuousClock()) {
        self.started = started
        steady = stopwatch(clock)
    }

    /// The names of the loops whose turn is overdue.
    var stalledLoops: Set<String> {
        let now = steady()
        return Set(running.values.filter { $0.isDue < now }.map(\.loop))
    }

    /// A loop begins.
    ///
    /// - Parameter patience: the longest time for its first turn.
    /// - Returns: the loop's number for `turned` and `ended`.
    func began(_ loop: String, patience: Duration) -> Int {
        lastNumber += 1
        running[lastNumber] = Running(loop: loop, isDue: steady() + patience)
        return lastNumber
    }

    /// A loop has come to the end of a turn.
    ///
    /// - Parameters:
    ///   - begun: when the turn began; nil when it failed.
    ///   - duration: the time within which the next turn must be complete.
    func turned(_ number: Int, begun: Timestamp?, nextIn duration: Duration) {
        guard let loop = running[number]?.loop else { return }
        running[number]?.isDue = steady() + duration
        if let begun { lastTurns[loop] = begun }
    }

    func ended(_ number: Int) {
        running[number] = nil
    }

    /// The endpoints whose log was read to its end since the start.
    private(set) var endpointsPolled: Set<String> = []

    func polled(_ endpointID: String) {
        endpointsPolled.insert(endpointID)
    }
}
