/// One transaction on the queue. Holds its session, the rules it decides by, its time, and what it counts; its verbs
/// stand in the files of this folder, each in a file of its name.
///
/// `QueueStore` begins it, calls `finish` and commits. When a verb throws, all of it is rolled back.
package struct QueueTransaction {
    package let session: Session
    package let rules: RetryRules
    /// Our time. Read once, before the transaction began.
    package let now: Timestamp
    /// Written once, by `finish`.
    var counts = CounterTally()
    /// Circuits that got a signal, by endpoint id; see `signal`.
    var circuits: [String: CircuitKeeper] = [:]

    package init(_ session: Session, rules: RetryRules, at now: Timestamp) {
        self.session = session
        self.rules = rules
        self.now = now
    }

    /// Writes the circuits and the counters of the transaction.
    package mutating func finish() throws {
        try saveCircuits()
        try counts.save(in: session)
        counts = CounterTally()
    }
}
