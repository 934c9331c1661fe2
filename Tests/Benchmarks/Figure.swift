/// One line of the report: what was measured, in each run, and what must be reached.
struct Figure: Codable, Sendable {
    /// What must be reached.
    enum Goal: Codable, Sendable {
        case atLeast(Double)
        case atMost(Double)

        func isMet(by value: Double) -> Bool {
            switch self {
            case .atLeast(let limit): value >= limit
            case .atMost(let limit): value <= limit
            }
        }
    }

    let name: String
    /// Stored deliveries; nil where their number plays no part.
    var rows: Int?
    /// `MB/s`, `rows/s`, `ms`, `ratio` …
    let unit: String
    /// One of each run, in their order; never empty.
    let values: [Double]
    /// nil: printed beside the others for comparison.
    var goal: Goal?
    /// Whether it is a promise rather than an aim: the run fails where it is not met.
    var mustHold = false
    /// How it came about, where its name does not say.
    var note: String?

    init(
        _ name: String, rows: Int? = nil, unit: String, _ values: [Double], goal: Goal? = nil, mustHold: Bool = false,
        note: String? = nil
    ) {
        precondition(!values.isEmpty, "a figure without a run")
        self.name = name
        self.rows = rows
        self.unit = unit
        self.values = values
        self.goal = goal
        self.mustHold = mustHold
        self.note = note
    }

    var median: Double { values.median }

    /// nil: there is no goal.
    var isMet: Bool? { goal.map { $0.isMet(by: median) } }
}

extension [Double] {
    /// The middle one, or the mean of the two in the middle.
    var median: Double {
        let sorted = sorted()
        let middle = sorted.count / 2
        return sorted.count.isMultiple(of: 2) ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[middle]
    }

    /// The value that this share of them does not exceed.
    func quantile(_ share: Double) -> Double {
        let sorted = sorted()
        return sorted[Swift.min(sorted.count - 1, Int((Double(sorted.count) * share).rounded(.up)) - 1)]
    }
}
