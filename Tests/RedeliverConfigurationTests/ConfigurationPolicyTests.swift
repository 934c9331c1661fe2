import DeliveryQueue
import RedeliverConfiguration
import Testing

@Suite struct ConfigurationPolicyTests {
    private func sample(_ policies: String...) -> ConfigurationSample {
        ConfigurationSample(lines: ["policies:"] + policies.map { "  - \($0)" })
    }

    @Test func `the issue's two policies become what they say`() throws {
        let policies = try ConfigurationSample(lines: [
            "policies:",
            "  - events: [\"profile_status_change\", \"document_*\"]",
            "    initial_delay: 2m", "    multiplier: 1.5", "    max_delay: 6h", "    jitter: 0.2",
            "    max_attempts: 9",
            "    max_age: 48h", "    on_superseded: skip",
            "  - events: [\"*\"]", "    schedule: [0s, 1m, 5m, 30m, 2h, 6h]",
        ]).read().policies

        let first = RetryPolicy(
            spacing: .exponential(initial: .seconds(120), multiplier: 1.5, cap: .seconds(21_600), attempts: 9),
            jitter: 0.2, maxAge: .seconds(48 * 3_600), onSuperseded: .skip)
        let waits = [0, 60, 300, 1_800, 7_200, 21_600].map { Duration.seconds($0) }
        #expect(
            policies
                == PolicyBook(entries: [
                    .init(events: ["profile_status_change", "document_*"], policy: first),
                    .init(events: ["*"], policy: RetryPolicy(spacing: .listed(waits))),
                ]))
    }

    @Test(arguments: [
        ("multiplier: 2", "multiplier"), ("max_delay: 1h, initial_delay: 1m", "initial_delay, max_delay"),
        ("max_attempts: 3", "max_attempts"),
        (
            "initial_delay: 1m, multiplier: 2, max_delay: 1h, max_attempts: 3",
            "initial_delay, multiplier, max_delay, max_attempts"
        ),
        ("multiplier: x", "multiplier"),
    ])
    func `a schedule and a growing delay exclude each other`(keys: String, named: String) {
        let problems = sample("{events: [a], schedule: [1m], \(keys)}").problems()
        #expect(problems.first == "policies[0].schedule: cannot be used together with \(named); keep one or the other")
        #expect(problems.count == (keys.contains("x") && !keys.contains("max") ? 2 : 1))
    }

    @Test func `jitter, age and superseding go with a schedule`() throws {
        let policies = try sample("{events: [a], schedule: [1m], jitter: 0, max_age: 1h, on_superseded: skip}").read()
            .policies
        let expected = RetryPolicy(
            spacing: .listed([.seconds(60)]), jitter: 0, maxAge: .seconds(3_600), onSuperseded: .skip)
        #expect(policies.policy(for: "a").policy == expected)
    }

    @Test(
        arguments: [
            ("{}", ["policies[0].events: is required"]),
            (
                "{events: }",
                [
                    "policies[0].events: has no value, expected an event's name or a pattern with * and ? or a list of them"
                ]
            ),
            ("{events: []}", ["policies[0].events: has 0 entries; 1…1000 are allowed"]),
            ("{events: ['']}", ["policies[0].events[0]: is empty, expected an event's name or a pattern with * and ?"]),
            (
                "{events: [a b]}",
                ["policies[0].events[0]: expected an event's name or a pattern with * and ?, found 'a b'"]
            ),
            (
                "{events: [a, [b], ~]}",
                [
                    "policies[0].events[1]: expected a single value, found a list",
                    "policies[0].events[2]: expected a single value, found none",
                ]
            ),
            ("{events: [a, b, a]}", ["policies[0].events[2]: 'a' is in policies[0] already"]),
            ("{events: [a], on_superseded: drop}", ["policies[0].on_superseded: expected retry or skip, found 'drop'"]),
            (
                "{events: [a], initial_delay: 1h, max_delay: 59m}",
                ["policies[0].max_delay: max_delay 59m is shorter than initial_delay 1h"]
            ),
            (
                "{events: [a], initial_delay: 13h}",
                ["policies[0].initial_delay: max_delay 12h is shorter than initial_delay 13h"]
            ),
            (
                "{events: [a], max_delay: 59s}",
                ["policies[0].max_delay: max_delay 59s is shorter than initial_delay 1m"]
            ),
            ("{events: [a], initial_delay: 1h, max_delay: 1h}", []),
            ("{events: [a], schedule: []}", ["policies[0].schedule: has 0 entries; 1…100 are allowed"]),
            (
                "{events: [a], schedule: 1m}",
                ["policies[0].schedule: expected a list of durations such as [1m, 5m], found a single value"]
            ),
            ("{events: [a], schedule: [0ms, 100ms, 30d]}", []),
            (
                "{events: [a], schedule: [1m, 5, 99ms, 31d, x]}",
                [
                    "policies[0].schedule[1]: 5 needs a unit, for example 30s",
                    "policies[0].schedule[2]: 99ms is outside 100ms…30d",
                    "policies[0].schedule[3]: 31d is outside 100ms…30d",
                    "policies[0].schedule[4]: expected a duration such as 250ms, 30s, 5m, 6h or 7d, found 'x'",
                ]
            ),
        ] as [(String, [String])])
    func `a faulty policy says what is wrong`(policy: String, problems: [String]) {
        #expect(sample(policy).problems() == problems)
    }

    @Test func `a schedule has at most a hundred waits`() {
        func schedule(_ count: Int) -> String { "[\(Array(repeating: "1m", count: count).joined(separator: ", "))]" }
        #expect(sample("{events: [a], schedule: \(schedule(100))}").problems() == [])
        #expect(
            sample("{events: [a], schedule: \(schedule(101))}").problems() == [
                "policies[0].schedule: has 101 entries; 1…100 are allowed"
            ])
    }

    @Test func `an event stands in one policy only, but patterns may overlap`() {
        let problems = sample("{events: [a, b]}", "{events: [c, b]}", "{events: 'a'}", "{events: ['?', '*', 'b*']}")
            .problems()
        #expect(
            problems == [
                "policies[1].events[1]: 'b' is in policies[0] already",
                "policies[2].events[0]: 'a' is in policies[0] already",
            ])
    }
}
