import GRDB

/// The counters behind the metrics file. They rise in the transaction of what they count, so that neither a crash, a
/// restart nor pruning can make them disagree with the tables or fall.
package enum Counter {
    /// By result: `failure`, `success`, `in_progress`, `duplicate`, `unreadable`.
    package static let logEntries = "log_entries"
    /// By event type label and outcome: `delivered`, `dead`.
    package static let finalized = "deliveries_finalized"
    /// By the bounded name of the provider's answer.
    package static let retryRequests = "retry_requests"
    /// Calls about which the log stayed silent; each is followed by a possible repeat.
    package static let unconfirmed = "unconfirmed"
    /// By endpoint id and outcome of the trial's call.
    package static let trials = "trials"
    /// By event type label and action: `retry`, `skip`; each delivery once.
    package static let superseded = "superseded"
    /// Duration of retry calls; see `Histogram`.
    package static let requestDuration = "retry_request_duration"
    /// First failure to proven delivery; see `Histogram`.
    package static let recoveryDuration = "recovery_duration"

    package static let logResults = ["failure", "success", "in_progress", "duplicate", "unreadable"]
    package static let finalOutcomes = ["delivered", "dead"]
    package static let trialOutcomes = ["delivered", "failed", "unconfirmed", "not_executed", "refused"]
}

/// The buckets of a histogram whose counts are kept in the database: label 1 is the upper bound in seconds as text, or
/// `+Inf`; one further row holds the sum in milliseconds. Bucket rows are not cumulative; the metrics file adds them up.
package enum Histogram {
    package static let requestBounds: [Double] = [0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]
    package static let recoveryBounds: [Double] = [
        15, 60, 300, 900, 1_800, 3_600, 7_200, 21_600, 43_200, 86_400, 172_800, 259_200,
    ]
    /// The label of the row that holds the sum.
    package static let sum = "sum"

    /// The label of the bucket that `duration` falls into.
    static func bucket(of duration: Duration, bounds: [Double]) -> String {
        bounds.first { duration.inSeconds <= $0 }.map(label) ?? "+Inf"
    }

    /// `0.025`, `1`, `300`: no trailing `.0`.
    package static func label(_ bound: Double) -> String {
        bound == bound.rounded() ? String(Int64(bound)) : String(bound)
    }
}

extension Database {
    func raise(_ counter: String, _ label1: String = "", _ label2: String = "", by amount: Int64 = 1) throws {
        guard amount != 0 else { return }
        try run(
            """
            INSERT INTO counter (name, label_1, label_2, value) VALUES (?, ?, ?, ?)
            ON CONFLICT (name, label_1, label_2) DO UPDATE SET value = value + excluded.value
            """,
            [counter, label1, label2, amount])
    }

    /// The event type's own label, or `other` once 32 event types have one: an unknown provider cannot flood Prometheus.
    func metricLabel(forEventType eventType: String) throws -> String {
        if try firstRow("SELECT 1 FROM metric_event_type WHERE name = ?", [eventType]) != nil { return eventType }
        guard eventType != EventTypeLabels.other else { return EventTypeLabels.other }
        let known: Int = try firstRow("SELECT COUNT(*) AS n FROM metric_event_type")?["n"] ?? 0
        guard known < EventTypeLabels.limit else { return EventTypeLabels.other }
        try run("INSERT INTO metric_event_type (name, position) VALUES (?, ?)", [eventType, known])
        return eventType
    }
}

/// Counters that rise often in one transaction, and are written once before it ends.
struct CounterTally {
    private struct Counted: Hashable {
        let name: String
        let label: String
    }

    private struct Final: Hashable {
        let eventType: String
        let outcome: DeliveryState
    }

    private var amounts: [Counted: Int64] = [:]
    private var finals: [Final: Int64] = [:]

    /// Counts a delivery that a transition makes final; any other changes nothing.
    mutating func count(_ delivery: Delivery, _ transition: Transition, at now: Timestamp) {
        guard !transition.target.isOpen else { return }
        finals[Final(eventType: delivery.eventType, outcome: transition.target), default: 0] += 1
        guard case .deliver = transition else { return }
        observe(now - delivery.firstFailed, in: Counter.recoveryDuration, bounds: Histogram.recoveryBounds)
    }

    mutating func raise(_ counter: String, _ label: String, by amount: Int64 = 1) {
        amounts[Counted(name: counter, label: label), default: 0] += amount
    }

    mutating func observe(_ duration: Duration, in histogram: String, bounds: [Double]) {
        let duration = max(.zero, duration)
        raise(histogram, Histogram.bucket(of: duration, bounds: bounds))
        raise(histogram, Histogram.sum, by: duration.wholeMilliseconds)
    }

    func save(in db: Database) throws {
        for (counted, amount) in amounts { try db.raise(counted.name, counted.label, by: amount) }
        for (final, amount) in finals {
            let label = try db.metricLabel(forEventType: final.eventType)
            try db.raise(Counter.finalized, label, final.outcome.rawValue, by: amount)
        }
    }
}

/// The bounded set of event type labels.
package enum EventTypeLabels {
    package static let limit = 32
    package static let other = "other"
}
