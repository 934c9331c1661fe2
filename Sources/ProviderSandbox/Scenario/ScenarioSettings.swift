/// One named setting: how its text is read, and whether it may change while the sandbox runs.
struct ScenarioSetting: Sendable {
    let name: String
    /// Whether `POST /_control` may set it.
    let isLive: Bool
    /// Whether it may be given several times. Each text then adds a value.
    let isRepeatable: Bool
    private let apply: @Sendable (inout Scenario, String) throws(Unreadable) -> Void

    /// Reads the text into the scenario.
    ///
    /// - Throws: `Unreadable`; the scenario has not changed then.
    func set(_ scenario: inout Scenario, to text: String) throws(Unreadable) {
        try apply(&scenario, text)
    }

    /// Every setting by its name, which is the flag's name without the dashes.
    static let byName: [String: ScenarioSetting] = Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0) })

    private static let all: [ScenarioSetting] = [
        number("port", \.port, in: 0...65_535),
        number("receiver-port", \.receiverPort, in: 0...65_535),
        custom("mount") { (scenario, text) throws(Unreadable) in
            guard text.hasPrefix("/"), !text.hasSuffix("/") else { throw Unreadable("'\(text)' is no path like /gw") }
            scenario.mount = text
        },
        custom("seed") { (scenario, text) throws(Unreadable) in
            guard let seed = UInt64(text) else { throw Unreadable("'\(text)' is not a whole number from 0") }
            scenario.seed = seed
        },
        number("failures", \.failures, in: 0...1_000_000),
        custom("successes") { (scenario, text) throws(Unreadable) in
            scenario.successes = try whole(text, in: 0...1_000_000)
        },
        number("endpoints", \.endpoints, in: 1...1000),
        custom("events") { (scenario, text) throws(Unreadable) in
            let names = text.split(separator: ",").map { String($0) }
            guard !names.isEmpty else { throw Unreadable("at least one event name is needed") }
            scenario.events = names
        },
        duration("spread", \.spread),
        flag("integer-ids", \.integerIDs),
        flag("null-customers", \.nullCustomers),
        custom("down", repeatable: true) { (scenario, text) throws(Unreadable) in
            scenario.outages.append(try Scenario.Outage(parsing: text))
        },
        custom("refail") { (scenario, text) throws(Unreadable) in
            scenario.refail = try Scenario.Refail(parsing: text)
        },
        duration("receiver-latency", \.receiverLatency, live: true),
        word("log-shape", \.logShape),
        word("paging", \.paging),
        word("next-url", \.nextURL),
        word("order", \.order),
        number("page-size", \.pageSize, in: 1...100_000, live: true),
        flag("no-count", \.noCount, live: true),
        custom("loop-page", live: true) { (scenario, text) throws(Unreadable) in
            scenario.loopPage = text == "0" ? nil : try whole(text, in: 2...1_000_000)
        },
        custom("empty-pages", live: true) { (scenario, text) throws(Unreadable) in
            scenario.emptyPages = text == "endless" ? .endless : .some(try whole(text, in: 0...1_000))
        },
        number("delete-while-paging", \.deleteWhilePaging, in: 0...1_000, live: true),
        word("spelling", \.spelling),
        custom("time", live: true) { (scenario, text) throws(Unreadable) in
            scenario.time = try oneOf(text)
        },
        flag("gzip", \.gzip, live: true),
        word("retry-logs", \.retryLogs),
        flag("in-place-updated-at", \.inPlaceUpdatedAt, live: true),
        duration("log-delay", \.logDelay, live: true),
        duration("retry-delay", \.retryDelay, live: true),
        duration("latency", \.latency, live: true),
        custom("fault", repeatable: true) { (scenario, text) throws(Unreadable) in
            scenario.faults.append(try Fault(parsing: text))
        },
        text("token", \.token),
        text("username", \.username),
        text("password", \.password),
        duration("token-lifetime", \.tokenLifetime, live: true),
        text("ledger", \.ledger),
    ]
}

// MARK: Kinds of settings

extension ScenarioSetting {
    /// The place of a value in the scenario.
    private typealias Place<Value> = any WritableKeyPath<Scenario, Value> & Sendable

    private static func custom(
        _ name: String, live: Bool = false, repeatable: Bool = false,
        _ apply: @escaping @Sendable (inout Scenario, String) throws(Unreadable) -> Void
    ) -> ScenarioSetting {
        ScenarioSetting(name: name, isLive: live, isRepeatable: repeatable, apply: apply)
    }

    private static func number(
        _ name: String, _ path: Place<Int>, in range: ClosedRange<Int>, live: Bool = false
    ) -> ScenarioSetting {
        custom(name, live: live) { (scenario, text) throws(Unreadable) in
            scenario[keyPath: path] = try whole(text, in: range)
        }
    }

    private static func duration(_ name: String, _ path: Place<Duration>, live: Bool = false) -> ScenarioSetting {
        custom(name, live: live) { (scenario, text) throws(Unreadable) in
            scenario[keyPath: path] = try Duration(parsing: text)
        }
    }

    private static func flag(_ name: String, _ path: Place<Bool>, live: Bool = false) -> ScenarioSetting {
        custom(name, live: live) { (scenario, text) throws(Unreadable) in
            guard let value = Bool(text) else { throw Unreadable("'\(text)' is not true or false") }
            scenario[keyPath: path] = value
        }
    }

    /// A setting that is one word of a list. All of these may change while the sandbox runs.
    private static func word<Word: RawRepresentable<String> & CaseIterable & SendableMetatype>(
        _ name: String, _ path: Place<Word>
    ) -> ScenarioSetting {
        custom(name, live: true) { (scenario, text) throws(Unreadable) in
            scenario[keyPath: path] = try oneOf(text)
        }
    }

    private static func text(_ name: String, _ path: Place<String?>) -> ScenarioSetting {
        custom(name) { (scenario, text) throws(Unreadable) in
            guard !text.isEmpty else { throw Unreadable("it is empty") }
            scenario[keyPath: path] = text
        }
    }

    private static func whole(_ text: String, in range: ClosedRange<Int>) throws(Unreadable) -> Int {
        guard let value = Int(text), range.contains(value) else {
            throw Unreadable("'\(text)' is not a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }

    private static func oneOf<Word: RawRepresentable<String> & CaseIterable>(_ text: String) throws(Unreadable) -> Word
    {
        guard let word = Word(rawValue: text) else {
            let known = Word.allCases.map(\.rawValue).joined(separator: ", ")
            throw Unreadable("'\(text)' is none of \(known)")
        }
        return word
    }
}

extension Scenario.Outage {
    /// Reads `INDEX:FROM-TO`, for example `1:0-15`.
    init(parsing text: String) throws(Unreadable) {
        let parts = text.split(separator: ":").map(String.init)
        let times = (parts.last ?? "").split(separator: "-").map { Double($0) }
        guard parts.count == 2, let index = Int(parts[0]), index >= 0, times.count == 2, let from = times[0],
            let to = times[1], from < to
        else { throw Unreadable("'\(text)' is not ENDPOINT_INDEX:FROM-TO in seconds, for example 1:0-15") }
        self.init(endpointIndex: index, from: from, to: to)
    }
}

extension Scenario.Refail {
    /// Reads `COUNT:TIMES`, for example `20:2`.
    init(parsing text: String) throws(Unreadable) {
        let numbers = text.split(separator: ":").map { Int($0) }
        guard numbers.count == 2, let count = numbers[0], let times = numbers[1], count >= 0, times >= 0 else {
            throw Unreadable("'\(text)' is not COUNT:TIMES, for example 20:2")
        }
        self.init(count: count, times: times)
    }
}
