import DeliveryQueue
import ProviderAPI

/// What `redeliver policies` prints: all policies, the built-in one last, and the documented event types with theirs.
struct PolicyOverview: JSONReport {
    struct Policy: JSONReport {
        /// Names and patterns; nil for the built-in policy.
        let events: [String]?
        let terms: PolicyTerms
        let timetable: Timetable
        /// The documented event types with this policy.
        var eventTypes: [String] = []

        init(events: [String]?, _ policy: RetryPolicy) {
            self.events = events
            terms = PolicyTerms(policy: policy)
            timetable = Timetable(policy)
        }

        var json: JSONObject {
            [
                "events": events ?? [], "built_in": events == nil, "terms": terms,
                // The attempts before `max_age` ends.
                "attempts_possible": timetable.possible.count, "span_seconds": timetable.span.inSeconds,
                "span_at_most_seconds": timetable.longestSpan.inSeconds, "event_types": eventTypes,
            ]
        }

        var name: String { events?.joined(separator: " ") ?? "(built-in)" }
    }

    struct EventType: JSONReport {
        let eventType: String
        let match: PolicyBook.Match
        /// The index of its policy in `policies`.
        let policy: Int

        var json: JSONObject { ["event_type": eventType, "match": match.json, "policy": policy] }
    }

    let policies: [Policy]
    let eventTypes: [EventType]

    init(_ book: PolicyBook) {
        var policies = book.entries.map { Policy(events: $0.events, $0.policy) } + [Policy(events: nil, .standard)]
        eventTypes = FieldNames.documentedEventTypes.map { name in
            let match = book.policy(for: name).match
            let index = Self.place(of: match, for: name, in: book)
            policies[index].eventTypes.append(name)
            return EventType(eventType: name, match: match, policy: index)
        }
        self.policies = policies
    }

    var json: JSONObject { ["policies": policies, "event_types": eventTypes] }

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
        let (terms, timetable) = (policy.terms, policy.timetable)
        let (possible, all) = (timetable.possible.count, terms.policy.maxAttempts)
        return [
            Cell(policy.name), Cell(terms.spacing),
            Cell(
                possible == all ? "\(all)" : "\(possible) of \(all)", value: "\(possible)",
                style: possible == all ? .plain : .warning),
            seconds(timetable.span), seconds(timetable.longestSpan),
            Cell(terms.jitterText, value: PolicyTerms.number(terms.policy.jitter)), seconds(terms.policy.maxAge),
            Cell(terms.policy.onSuperseded.rawValue),
            Cell("\(policy.eventTypes.count)", value: policy.eventTypes.joined(separator: " ")),
        ]
    }

    private static func seconds(_ duration: Duration) -> Cell {
        Cell(TimeText.exact(duration), value: PolicyTerms.number(duration.inSeconds))
    }

    /// For people, below the policies.
    var eventTypeTable: Table {
        Table(
            ["documented_event_type", "policy", "because"],
            eventTypes.map { type in
                [Cell(type.eventType), Cell(policies[type.policy].name), Cell(type.match.reason)]
            })
    }
}
