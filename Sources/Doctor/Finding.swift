/// What one check of the doctor came to.
package struct Finding: Sendable, Equatable {
    package enum Verdict: String, Sendable, CaseIterable, Codable {
        case ok, warning, bad
        /// The check could not be made.
        case unknown
    }

    /// Stable: scripts tell findings apart by it.
    package let name: String
    package let verdict: Verdict
    package let found: String
    /// What to do about it; nil where nothing is to be done.
    package let advice: String?

    package init(_ name: String, _ verdict: Verdict, _ found: String, advice: String? = nil) {
        self.name = name
        self.verdict = verdict
        self.found = found
        self.advice = advice
    }

    /// The graver of two opinions on the same thing.
    static func worst(_ findings: [Finding]) -> Finding? {
        findings.max { $0.gravity < $1.gravity }
    }

    private var gravity: Int {
        switch verdict {
        case .ok: 0
        case .unknown: 1
        case .warning: 2
        case .bad: 3
        }
    }
}

/// Why facts could not be gathered, in words.
package struct Unknown: Error, Sendable, Equatable {
    package let cause: String

    package init(_ cause: String) {
        self.cause = cause
    }
}
