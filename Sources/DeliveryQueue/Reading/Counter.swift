/// The counters behind the metrics file, by their names in the database.
package enum Counter {
    /// By result: `failure`, `success`, `in_progress`, `duplicate`, `unreadable`.
    package static let logEntries = "log_entries"
    /// Requests for pages of the logs, by `PagePurpose`; those that failed as well.
    package static let logRequests = "log_requests"
    /// By event type label and outcome: `delivered`, `dead`.
    package static let finalized = "deliveries_finalized"
    /// By the kind of the provider's answer, see `Answer`.
    package static let retryRequests = "retry_requests"
    /// Calls about which the log stayed silent; the call that follows each may be a duplicate.
    package static let unconfirmed = "unconfirmed"
    /// By endpoint id and the end of the trial's call, see `AttemptEnd`.
    package static let trials = "trials"
    /// By event type label and action: `retry`, `skip`; each delivery once.
    package static let superseded = "superseded"
    /// Duration of retry calls; see `Histogram`.
    package static let requestDuration = "retry_request_duration"
    /// First failure to proven delivery; see `Histogram`.
    package static let recoveryDuration = "recovery_duration"

    package static let logResults = ["failure", "success", "in_progress", "duplicate", "unreadable"]
    package static let finalOutcomes = ["delivered", "dead"]
}

/// The buckets of a histogram whose counts are kept in the database: label 1 is the upper bound in seconds as text, or
/// `+Inf`; one further row holds the sum in milliseconds. Bucket rows are not cumulative; the metrics file adds them
/// up.
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

/// The bounded set of event type labels.
package enum EventTypeLabels {
    package static let limit = 32
    package static let other = "other"
}
