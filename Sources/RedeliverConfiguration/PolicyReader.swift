import DeliveryQueue

/// Turns `policies` into a policy book.
enum PolicyReader {
    private static let exponentialKeys = ["initial_delay", "multiplier", "max_delay", "max_attempts"]

    static func read(_ settings: inout Settings) -> PolicyBook {
        guard settings.isGiven("policies") else { return PolicyBook() }
        var entries: [PolicyBook.Entry] = []
        var seen: [String: String] = [:]
        for index in 0..<settings.count("policies") {
            let key = "policies[\(index)]"
            let events = settings.texts("\(key).events")
            refuseRepeated(events, of: key, seen: &seen, &settings)
            entries.append(PolicyBook.Entry(events: events, policy: policy(key, &settings)))
        }
        return PolicyBook(entries: entries)
    }

    private static func policy(_ key: String, _ settings: inout Settings) -> RetryPolicy {
        RetryPolicy(
            spacing: spacing(key, &settings),
            jitter: settings.number("\(key).jitter"),
            maxAge: settings.duration("\(key).max_age"),
            onSuperseded: RetryPolicy.Superseded(rawValue: settings.text("\(key).on_superseded")) ?? .retry)
    }

    private static func spacing(_ key: String, _ settings: inout Settings) -> RetryPolicy.Spacing {
        let schedule = "\(key).schedule"
        if settings.isMentioned(schedule) {
            let mixed = exponentialKeys.filter { settings.isMentioned("\(key).\($0)") }
            if !mixed.isEmpty {
                let names = mixed.joined(separator: ", ")
                settings.addFault(schedule, "cannot be used together with \(names); keep one or the other")
            }
            return .listed(settings.durations(schedule))
        }
        let initial = settings.duration("\(key).initial_delay")
        let cap = settings.duration("\(key).max_delay")
        if cap < initial, !settings.isUnreadable("\(key).max_delay") {
            // The fault belongs to the key that was written, not to the default that it contradicts.
            let culprit = settings.isGiven("\(key).max_delay") ? "max_delay" : "initial_delay"
            let (shorter, longer) = (DurationText.format(cap), DurationText.format(initial))
            settings.addFault("\(key).\(culprit)", "max_delay \(shorter) is shorter than initial_delay \(longer)")
        }
        return .exponential(
            initial: initial, multiplier: settings.number("\(key).multiplier"), cap: cap,
            attempts: settings.integer("\(key).max_attempts"))
    }

    private static func refuseRepeated(
        _ events: [String], of key: String, seen: inout [String: String], _ settings: inout Settings
    ) {
        for (index, event) in events.enumerated() {
            if let other = seen[event] {
                let problem = "'\(SettingProblem.shown(event))' is in \(other) already"
                settings.addFault("\(key).events[\(index)]", problem)
            }
            seen[event] = seen[event] ?? key
        }
    }
}
