import DeliveryQueue
import ProviderAPI

/// What `redeliver policies EVENT_TYPE` prints: why the event type has its policy, and the times of the attempts.
struct PolicyTimetable: JSONReport {
    private let eventType: String
    private let match: PolicyBook.Match
    private let terms: PolicyTerms
    private let timetable: Timetable

    init(of eventType: String, in book: PolicyBook) {
        let (policy, match) = book.policy(for: eventType)
        self.eventType = eventType
        self.match = match
        terms = PolicyTerms(policy: policy)
        timetable = Timetable(policy)
    }

    var json: JSONObject {
        [
            "event_type": eventType, "match": match.json, "policy": terms,
            "attempts": timetable.attempts.map { (attempt) -> JSONObject in
                [
                    "number": attempt.number, "wait_seconds": attempt.wait.inSeconds,
                    "wait_at_most_seconds": attempt.longestWait.inSeconds,
                    "since_failure_seconds": attempt.earliest.inSeconds,
                    "since_failure_at_most_seconds": attempt.latest.inSeconds,
                    // `certain`, `jitter` (only with little jitter) or `never` (`max_age` ends before).
                    "happens": attempt.chance.rawValue,
                ]
            },
            // How many of them can happen.
            "attempts_possible": timetable.possible.count, "span_seconds": timetable.span.inSeconds,
            "span_at_most_seconds": timetable.longestSpan.inSeconds,
        ]
    }

    /// For people, above the table.
    var heading: String {
        """
        \(Printable.text(eventType)): \(Printable.text(match.reason))
        waits: \(terms.spacing); jitter \(terms.jitterText); max_age \(maxAge); \
        on_superseded \(terms.policy.onSuperseded.rawValue)
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
        let (possible, all) = (timetable.possible.count, timetable.attempts.count)
        let limit = possible < all ? "max_age \(maxAge) is over" : "no attempt is left"
        let count = possible == all ? "\(all)" : "\(possible) of \(all)"
        return "\(count) attempt\(all == 1 ? "" : "s") over \(span)\(jitter), then dead: \(limit)"
    }

    private var maxAge: String { TimeText.exact(terms.policy.maxAge) }
}
