/// What a transaction counts for the metrics. It is written once, within the transaction, so that no crash, restart or
/// pruning makes the counters fall or disagree with the tables.
package struct CounterTally {
    fileprivate struct Counted: Hashable {
        let name: String
        let label1: String
        let label2: String
    }

    /// A counter by event type, whose label is known only when it is written.
    fileprivate struct Typed: Hashable {
        let name: String
        let eventType: String
        let label2: String
    }

    fileprivate private(set) var amounts: [Counted: Int64] = [:]
    fileprivate private(set) var typed: [Typed: Int64] = [:]

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
}

extension QueueTransaction {
    /// Adds everything that was counted to the stored counters, once.
    mutating func saveCounts() throws {
        for (counted, amount) in counts.amounts where amount != 0 {
            try raise(counted.name, counted.label1, counted.label2, by: amount)
        }
        for (typed, amount) in counts.typed {
            try raise(typed.name, try metricLabel(forEventType: typed.eventType), typed.label2, by: amount)
        }
        counts = CounterTally()
    }

    private func raise(_ name: String, _ label1: String, _ label2: String, by amount: Int64) throws {
        try session.run(
            """
            INSERT INTO counter (name, label_1, label_2, value) VALUES (:name, :label1, :label2, :amount)
            ON CONFLICT (name, label_1, label_2) DO UPDATE SET value = counter.value + excluded.value
            """,
            ["name": name, "label1": label1, "label2": label2, "amount": amount])
    }

    /// The event type's own label, or `other` once 32 event types have one: an unknown provider cannot flood
    /// Prometheus.
    @discardableResult
    package func metricLabel(forEventType eventType: String) throws -> String {
        if try session.exists("SELECT 1 FROM metric_event_type WHERE name = ?", [eventType]) { return eventType }
        guard eventType != EventTypeLabels.other else { return EventTypeLabels.other }
        let known = try session.number("SELECT COUNT(*) FROM metric_event_type") ?? 0
        guard known < EventTypeLabels.limit else { return EventTypeLabels.other }
        try session.run("INSERT INTO metric_event_type (name, position) VALUES (?, ?)", [eventType, known])
        return eventType
    }
}

extension QueueStore {
    /// Counts requests for pages of the logs, by their purpose.
    package func count(_ requests: [PagePurpose: Int], at now: Timestamp) async throws(StoreError) {
        guard !requests.isEmpty else { return }
        try await change("count the requests for pages of the logs", at: now) { queue in
            for (purpose, count) in requests {
                queue.counts.raise(Counter.logRequests, purpose.rawValue, by: Int64(count))
            }
        }
    }
}
