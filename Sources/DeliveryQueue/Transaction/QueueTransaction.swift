/// One transaction on the queue. Holds its session, its time, and what it counts. Everything that changes the queue is
/// a verb of it, in a file of this folder that has the verb's name.
///
/// `QueueStore.change` begins it, calls `finish` and commits. When a verb throws, all of it is rolled back. The verbs
/// on this protocol decide nothing by a retry rule; those that do stand on `RuledTransaction`.
package protocol QueueTransaction {
    var session: Session { get }
    /// Our time. Read once, before the transaction began.
    var now: Timestamp { get }
    /// Written once, by `finish`.
    var counts: CounterTally { get set }

    /// Writes what the verbs have gathered. Nothing follows it.
    mutating func finish() throws
}

/// A transaction in which no retry rule decides: what operators, pollers and pruning do, whatever the configuration
/// says.
struct PlainTransaction: QueueTransaction {
    let session: Session
    let now: Timestamp
    var counts = CounterTally()

    mutating func finish() throws {
        try saveCounts()
    }
}

/// A transaction in which the configuration's retry rules decide what becomes of deliveries and circuits.
package struct RuledTransaction: QueueTransaction {
    package let session: Session
    package let rules: RetryRules
    package let now: Timestamp
    package var counts = CounterTally()
    /// Circuits that got a signal, by endpoint id; see `signal`.
    var circuits: [String: CircuitKeeper] = [:]

    package init(_ session: Session, rules: RetryRules, at now: Timestamp) {
        self.session = session
        self.rules = rules
        self.now = now
    }

    package mutating func finish() throws {
        try saveCircuits()
        try saveCounts()
    }
}
