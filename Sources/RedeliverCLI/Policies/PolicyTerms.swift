import DeliveryQueue

/// A policy's settings, under their names in the configuration.
struct PolicyTerms: Encodable {
    let initialDelaySeconds: Double?
    let multiplier: Double?
    let maxDelaySeconds: Double?
    /// Replaces the three above.
    let scheduleSeconds: [Double]?
    let maxAttempts: Int
    let jitter: Double
    let maxAgeSeconds: Double
    let onSuperseded: String
    /// For people: `1 min × 2, at most 12 h`, or the waits of a schedule.
    let spacing: String

    private enum CodingKeys: CodingKey {
        case initialDelaySeconds, multiplier, maxDelaySeconds, scheduleSeconds
        case maxAttempts, jitter, maxAgeSeconds, onSuperseded
    }

    init(_ policy: RetryPolicy) {
        maxAttempts = policy.maxAttempts
        jitter = policy.jitter
        maxAgeSeconds = policy.maxAge.inSeconds
        onSuperseded = policy.onSuperseded.rawValue
        switch policy.spacing {
        case .exponential(let initial, let factor, let cap, _):
            initialDelaySeconds = initial.inSeconds
            multiplier = factor
            maxDelaySeconds = cap.inSeconds
            scheduleSeconds = nil
            spacing = "\(TimeText.exact(initial)) × \(Self.number(factor)), at most \(TimeText.exact(cap))"
        case .listed(let waits):
            initialDelaySeconds = nil
            multiplier = nil
            maxDelaySeconds = nil
            scheduleSeconds = waits.map(\.inSeconds)
            spacing = "schedule " + waits.map(TimeText.exact).joined(separator: ", ")
        }
    }

    /// `2`, `1.5`: no `.0`.
    static func number(_ value: Double) -> String {
        value == value.rounded() && abs(value) < 1e15 ? "\(Int64(value))" : "\(value)"
    }

    /// Seconds as people read them.
    static func time(_ seconds: Double) -> String {
        TimeText.exact(.milliseconds(Int64((seconds * 1_000).rounded())))
    }

    /// `up to 10 %`, or `none`.
    var jitterText: String {
        jitter > 0 ? "up to \(Self.number((jitter * 1_000).rounded() / 10)) %" : "none"
    }
}

/// Why an event type has its policy.
struct PolicyMatch: Encodable {
    /// `exact`, `pattern` or `built_in`.
    let matchedBy: String
    /// The longest pattern that matches; only for `pattern`.
    let pattern: String?

    init(_ match: PolicyBook.Match) {
        switch match {
        case .exact: (matchedBy, pattern) = ("exact", nil)
        case .glob(let glob): (matchedBy, pattern) = ("pattern", glob)
        case .standard: (matchedBy, pattern) = ("built_in", nil)
        }
    }

    /// For people, as the rest of a sentence about an event type.
    var reason: String {
        switch matchedBy {
        case "exact": "named in a policy"
        case "pattern": "matched by \(pattern ?? "")"
        default: "built-in policy, because no policy names or matches it"
        }
    }
}

extension Table {
    /// For CSV, whose values have no unit: appends `_seconds` to the names of these columns.
    func inSeconds(_ names: Set<String>) -> Table {
        Table(columns.map { names.contains($0) ? "\($0)_seconds" : $0 }, rows)
    }
}
