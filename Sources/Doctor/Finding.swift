/// The result of one check.
package struct Finding: Sendable, Equatable, Encodable {
    package enum Verdict: String, Sendable, CaseIterable, Codable {
        case ok, warning, bad
        /// The check could not be made.
        case unknown
    }

    /// Stable: scripts use it to tell findings apart.
    package let name: String
    package let verdict: Verdict
    package let found: String
    /// What to do; nil when nothing has to be done.
    package let advice: String?

    package init(_ name: String, _ verdict: Verdict, _ found: String, advice: String? = nil) {
        self.name = name
        self.verdict = verdict
        self.found = found
        self.advice = advice
    }

    /// The most serious of several findings; nil when there is none.
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

/// Why a fact could not be gathered.
package struct Unknown: Error, Sendable, Equatable {
    package let cause: String

    package init(_ cause: String) {
        self.cause = cause
    }
}
