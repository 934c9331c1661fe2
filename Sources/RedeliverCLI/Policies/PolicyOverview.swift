import DeliveryQueue
import ProviderAPI

/// What `redeliver policies` prints: all policies, the built-in one last, and the documented event types with theirs.
struct PolicyOverview: Encodable {
    struct Policy: Encodable {
        /// Names and patterns; empty for the built-in policy.
        let events: [String]
        let builtIn: Bool
        let terms: PolicyTerms
        /// The attempts before `max_age` ends.
        let attemptsPossible: Int
        let spanSeconds: Double
        let spanAtMostSeconds: Double
        /// The documented event types with this policy.
        var eventTypes: [String] = []
    }

    struct EventType: Encodable {
        let eventType: String
        let match: PolicyMatch
        /// The index of its policy in `policies`.
        let policy: Int
    }

    let policies: [Policy]
    let eventTypes: [EventType]

    init(_ book: PolicyBook) {
        var policies = book.entries.map { Policy(events: $0.events, $0.policy) } + [Policy(events: nil, .standard)]
        eventTypes = FieldNames.documentedEventTypes.map { name in
            let match = book.policy(for: name).match
            let index = Self.place(of: match, for: name, in: book)
            policies[index].eventTypes.append(name)
            return EventType(eventType: name, match: PolicyMatch(match), policy: index)
        }
        self.policies = policies
    }

    /// The configuration's reader ensures that a name or pattern is in one policy only.
    private static func place(of match: PolicyBook.Match, for eventType: String, in book: PolicyBook) -> Int {
        let event: String? =
            switch match {
            case .exact: eventType
            case .glob(let glob): glob
            case .standard: nil
            }
        return book.entries.firstIndex { event.map($0.events.contains) ?? false } ?? book.entries.count
    }

    /// The last column names the event types, which people see in a second table.
    var csv: Table {
        table.inSeconds(["span", "span_at_most", "max_age"])
    }

    var table: Table {
        Table(
            [
                "events", "waits", "attempts", "span", "span_at_most", "jitter", "max_age", "on_superseded",
                "documented_types",
            ], policies.map(Self.row), spare: ["documented_types", "span_at_most", "jitter"])
    }

    private static func row(of policy: Policy) -> [Cell] {
        let terms = policy.terms
        let all = policy.attemptsPossible == terms.maxAttempts
        let attempts = all ? "\(terms.maxAttempts)" : "\(policy.attemptsPossible) of \(terms.maxAttempts)"
        return [
            Cell(policy.builtIn ? "(built-in)" : policy.events.joined(separator: " ")), Cell(terms.spacing),
            Cell(attempts, value: "\(policy.attemptsPossible)", style: all ? .plain : .warning),
            seconds(policy.spanSeconds), seconds(policy.spanAtMostSeconds),
            Cell(terms.jitterText, value: PolicyTerms.number(terms.jitter)), seconds(terms.maxAgeSeconds),
            Cell(terms.onSuperseded),
            Cell("\(policy.eventTypes.count)", value: policy.eventTypes.joined(separator: " ")),
        ]
    }

    private static func seconds(_ seconds: Double) -> Cell {
        Cell(PolicyTerms.time(seconds), value: PolicyTerms.number(seconds))
    }

    /// For people, below the policies.
    var eventTypeTable: Table {
        Table(
            ["documented_event_type", "policy", "because"],
            eventTypes.map { type in
                let events = policies[type.policy].events
                return [
                    Cell(type.eventType), Cell(events.isEmpty ? "(built-in)" : events.joined(separator: " ")),
                    Cell(type.match.reason),
                ]
            })
    }
}

extension PolicyOverview.Policy {
    /// - Parameter events: nil for the built-in policy.
    fileprivate init(events: [String]?, _ policy: RetryPolicy) {
        let timetable = Timetable(policy)
        self.init(
            events: events ?? [], builtIn: events == nil, terms: PolicyTerms(policy),
            attemptsPossible: timetable.possible.count, spanSeconds: timetable.span.inSeconds,
            spanAtMostSeconds: timetable.longestSpan.inSeconds)
    }
}
