import DeliveryQueue
import ProviderAPI

/// What `redeliver policies EVENT_TYPE` prints: why the event type has its policy, and the times of the attempts.
struct PolicyTimetable: Encodable {
    struct Attempt: Encodable {
        let number: Int
        let waitSeconds: Double
        let waitAtMostSeconds: Double
        let sinceFailureSeconds: Double
        let sinceFailureAtMostSeconds: Double
        /// `certain`, `jitter` (only with little jitter) or `never` (`max_age` ends before).
        let happens: String
    }

    let eventType: String
    let match: PolicyMatch
    let policy: PolicyTerms
    let attempts: [Attempt]
    /// How many of them can happen.
    let attemptsPossible: Int
    let spanSeconds: Double
    let spanAtMostSeconds: Double
    private let timetable: Timetable

    private enum CodingKeys: CodingKey {
        case eventType, match, policy, attempts, attemptsPossible, spanSeconds, spanAtMostSeconds
    }

    init(of eventType: String, in book: PolicyBook) {
        let (policy, match) = book.policy(for: eventType)
        self.eventType = eventType
        self.match = PolicyMatch(match)
        self.policy = PolicyTerms(policy)
        timetable = Timetable(policy)
        attempts = timetable.attempts.map(Attempt.init)
        attemptsPossible = timetable.possible.count
        spanSeconds = timetable.span.inSeconds
        spanAtMostSeconds = timetable.longestSpan.inSeconds
    }

    /// For people, above the table.
    var heading: String {
        """
        \(Printable.text(eventType)): \(Printable.text(match.reason))
        waits: \(policy.spacing); jitter \(policy.jitterText); max_age \(maxAge); \
        on_superseded \(policy.onSuperseded)
        """
    }

    var csv: Table {
        table.inSeconds(["wait", "wait_at_most", "since_failure", "since_failure_at_most"])
    }

    var table: Table {
        Table(
            ["attempt", "wait", "wait_at_most", "since_failure", "since_failure_at_most", "happens"],
            timetable.attempts.map { attempt in
                let style: Style = attempt.chance == .never ? .faint : .plain
                let times = [attempt.wait, attempt.longestWait, attempt.earliest, attempt.latest]
                return [Cell("\(attempt.number)", style: style)]
                    + times.map {
                        Cell(TimeText.exact($0), value: PolicyTerms.number($0.inSeconds), style: style)
                    } + [happens(attempt.chance)]
            })
    }

    private func happens(_ chance: Timetable.Chance) -> Cell {
        switch chance {
        case .certain: Cell("yes", value: chance.rawValue)
        case .jitter: Cell("only with little jitter", value: chance.rawValue, style: .warning)
        case .never: Cell("no: later than max_age", value: chance.rawValue, style: .warning)
        }
    }

    /// For people, below the table.
    var ending: String {
        let (span, longest) = (TimeText.exact(timetable.span), TimeText.exact(timetable.longestSpan))
        let jitter = span == longest ? "" : " (at most \(longest))"
        let limit = attemptsPossible < attempts.count ? "max_age \(maxAge) is over" : "no attempt is left"
        let count =
            attemptsPossible == attempts.count ? "\(attemptsPossible)" : "\(attemptsPossible) of \(attempts.count)"
        return "\(count) attempt\(attempts.count == 1 ? "" : "s") over \(span)\(jitter), then dead: \(limit)"
    }

    private var maxAge: String { PolicyTerms.time(policy.maxAgeSeconds) }
}

extension PolicyTimetable.Attempt {
    init(_ attempt: Timetable.Attempt) {
        number = attempt.number
        waitSeconds = attempt.wait.inSeconds
        waitAtMostSeconds = attempt.longestWait.inSeconds
        sinceFailureSeconds = attempt.earliest.inSeconds
        sinceFailureAtMostSeconds = attempt.latest.inSeconds
        happens = attempt.chance.rawValue
    }
}
