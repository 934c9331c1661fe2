/// What a transaction counts for the metrics. It is written once, within the transaction, so that no crash, restart or
/// pruning makes the counters fall or disagree with the tables.
struct CounterTally {
    private struct Counted: Hashable {
        let name: String
        let label1: String
        let label2: String
    }

    /// A counter by event type, whose label is known only when it is written.
    private struct Typed: Hashable {
        let name: String
        let eventType: String
        let label2: String
    }

    private var amounts: [Counted: Int64] = [:]
    private var typed: [Typed: Int64] = [:]

    /// Counts a delivery that a transition makes final; any other changes nothing.
    mutating func count(_ delivery: Delivery, _ transition: Transition, at now: Timestamp) {
        guard !transition.target.isOpen else { return }
        raise(Counter.finalized, eventType: delivery.eventType, transition.target.rawValue)
        guard case .deliver = transition else { return }
        observe(now - delivery.firstFailed, in: Counter.recoveryDuration, bounds: Histogram.recoveryBounds)
    }

    /// Empty labels stand for none.
    mutating func raise(_ counter: String, _ label1: String = "", _ label2: String = "", by amount: Int64 = 1) {
        amounts[Counted(name: counter, label1: label1, label2: label2), default: 0] += amount
    }

    /// Raises a counter whose first label is the event type's.
    mutating func raise(_ counter: String, eventType: String, _ label2: String) {
        typed[Typed(name: counter, eventType: eventType, label2: label2), default: 0] += 1
    }

    /// Adds a duration to a histogram; a negative one counts as zero.
    mutating func observe(_ duration: Duration, in histogram: String, bounds: [Double]) {
        let duration = max(.zero, duration)
        raise(histogram, Histogram.bucket(of: duration, bounds: bounds))
        raise(histogram, Histogram.sum, by: duration.wholeMilliseconds)
    }

    /// Adds everything that was counted to the stored counters.
    func save(in session: Session) throws {
        for (counted, amount) in amounts where amount != 0 {
            try Self.write(counted.name, counted.label1, counted.label2, amount, in: session)
        }
        for (typed, amount) in typed {
            let label = try session.metricLabel(forEventType: typed.eventType)
            try Self.write(typed.name, label, typed.label2, amount, in: session)
        }
    }

    private static func write(
        _ name: String, _ label1: String, _ label2: String, _ amount: Int64, in session: Session
    ) throws {
        try session.run(
            """
            INSERT INTO counter (name, label_1, label_2, value) VALUES (:name, :label1, :label2, :amount)
            ON CONFLICT (name, label_1, label_2) DO UPDATE SET value = counter.value + excluded.value
            """,
            ["name": name, "label1": label1, "label2": label2, "amount": amount])
    }
}

extension QueueStore {
    /// Counts requests for pages of the logs, by their purpose.
    package func count(_ requests: [PagePurpose: Int]) async throws(StoreError) {
        guard !requests.isEmpty else { return }
        try await write("count the requests for pages of the logs") { session in
            var counts = CounterTally()
            for (purpose, count) in requests {
                counts.raise(Counter.logRequests, purpose.rawValue, by: Int64(count))
            }
            try counts.save(in: session)
        }
    }
}

extension Session {
    /// The event type's own label, or `other` once 32 event types have one: an unknown provider cannot flood
    /// Prometheus.
    @discardableResult
    package func metricLabel(forEventType eventType: String) throws -> String {
        if try exists("SELECT 1 FROM metric_event_type WHERE name = ?", [eventType]) { return eventType }
        guard eventType != EventTypeLabels.other else { return EventTypeLabels.other }
        let known = try number("SELECT COUNT(*) FROM metric_event_type") ?? 0
        guard known < EventTypeLabels.limit else { return EventTypeLabels.other }
        try run("INSERT INTO metric_event_type (name, position) VALUES (?, ?)", [eventType, known])
        return eventType
    }
}
