import DeliveryQueue

/// A policy's settings, under their names in the configuration.
struct PolicyTerms: JSONReport {
    let policy: RetryPolicy

    var json: JSONObject {
        switch policy.spacing {
        case .exponential(let initial, let factor, let cap, _):
            object(initial: initial.inSeconds, factor: factor, cap: cap.inSeconds)
        case .listed(let waits): object(schedule: waits.map(\.inSeconds))
        }
    }

    private func object(
        initial: Double? = nil, factor: Double? = nil, cap: Double? = nil, schedule: [Double]? = nil
    ) -> JSONObject {
        [
            "initial_delay_seconds": initial, "multiplier": factor, "max_delay_seconds": cap,
            // Replaces the three above.
            "schedule_seconds": schedule, "max_attempts": policy.maxAttempts, "jitter": policy.jitter,
            "max_age_seconds": policy.maxAge.inSeconds, "on_superseded": policy.onSuperseded.rawValue,
        ]
    }

    /// For people: `1 min × 2, at most 12 h`, or the waits of a schedule.
    var spacing: String {
        switch policy.spacing {
        case .exponential(let initial, let factor, let cap, _):
            "\(TimeText.exact(initial)) × \(Self.number(factor)), at most \(TimeText.exact(cap))"
        case .listed(let waits): "schedule " + waits.map(TimeText.exact).joined(separator: ", ")
        }
    }

    /// `2`, `1.5`: no `.0`.
    static func number(_ value: Double) -> String {
        value == value.rounded() && abs(value) < 1e15 ? "\(Int64(value))" : "\(value)"
    }

    /// `up to 10 %`, or `none`.
    var jitterText: String {
        policy.jitter > 0 ? "up to \(Self.number((policy.jitter * 1_000).rounded() / 10)) %" : "none"
    }
}

/// Why an event type has its policy.
extension PolicyBook.Match {
    /// `matched_by`, and the pattern that matched.
    var json: JSONObject {
        switch self {
        case .exact: ["matched_by": "exact"]
        case .glob(let pattern): ["matched_by": "pattern", "pattern": pattern]
        case .standard: ["matched_by": "built_in"]
        }
    }

    /// For people, as the rest of a sentence about an event type.
    var reason: String {
        switch self {
        case .exact: "named in a policy"
        case .glob(let pattern): "matched by \(pattern)"
        case .standard: "built-in policy, because no policy names or matches it"
        }
    }
}

extension Table {
    /// For CSV, whose values have no unit: appends `_seconds` to the names of these columns.
    func inSeconds(_ names: Set<String>) -> Table {
        Table(columns.map { names.contains($0) ? "\($0)_seconds" : $0 }, rows)
    }
}
