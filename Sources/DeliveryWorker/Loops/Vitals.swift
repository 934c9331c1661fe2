package import DeliveryQueue

/// What is known of the worker's own health and is not in the database: when each loop last completed a turn, whether one
/// hangs, and whose log was read since the start.
package actor Vitals {
    package let started: Timestamp
    package private(set) var lastTurns: [String: Timestamp] = [:]
    private var running: [Int: Running] = [:]
    private var lastNumber = 0
    private let steady: @Sendable () -> Duration

    /// A loop that runs; of some duties there are many, one for each endpoint.
    private struct Running {
        let loop: String
        /// By then its next turn is to be complete.
        var isDue: Duration
    }

    /// - Parameter clock: one that nobody puts right.
    package init(started: Timestamp, clock: any Clock<Duration> = ContinuousClock()) {
        self.started = started
        steady = stopwatch(clock)
    }

    /// The loops that did not complete a turn by the time at which they had to. One that ends has none to complete.
    var stalledLoops: Set<String> {
        let now = steady()
        return Set(running.values.filter { $0.isDue < now }.map(\.loop))
    }

    /// - Parameter patience: the longest that its turn may take.
    /// - Returns: its number.
    func began(_ loop: String, patience: Duration) -> Int {
        lastNumber += 1
        running[lastNumber] = Running(loop: loop, isDue: steady() + patience)
        return lastNumber
    }

    /// It has come to the end of a turn.
    ///
    /// - Parameters:
    ///   - begun: when a turn that went well began; nil: it ended with an error.
    ///   - duration: until the next one is to be complete.
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

    /// - Returns: whether it is the first time since the start.
    func polled(_ endpointID: String) -> Bool {
        endpointsPolled.insert(endpointID).inserted
    }
}
