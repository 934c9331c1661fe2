import DeliveryQueue
import RedeliverConfiguration
import Testing

/// A key, its smallest and largest value, and the nearest values outside.
struct RangeCase: Sendable, CustomTestStringConvertible {
    let key: String
    let range: String
    let inside: [String]
    let outside: [String]

    var testDescription: String { key }

    init(_ key: String, _ range: String, inside: [String], outside: [String]) {
        (self.key, self.range, self.inside, self.outside) = (key, range, inside, outside)
    }
}

@Suite struct ConfigurationRangeTests {
    static let cases = [
        RangeCase("provider.request_timeout", "1s…10m", inside: ["1s", "10m"], outside: ["999ms", "601s", "0s"]),
        RangeCase("disk.reserve_mib", "1…1048576", inside: ["1", "1048576"], outside: ["0", "1048577"]),
        RangeCase("metrics.interval", "1s…1h", inside: ["1s", "1h"], outside: ["999ms", "3601s"]),
        RangeCase("poll.interval", "250ms…1d", inside: ["250ms", "1d"], outside: ["249ms", "86401s", "0s"]),
        RangeCase("poll.overlap", "0s…7d", inside: ["0s", "0d", "7d"], outside: ["604801s"]),
        RangeCase("poll.initial_lookback", "1m…90d", inside: ["1m", "90d"], outside: ["59s", "2161h"]),
        RangeCase("poll.requests_per_minute", "1…100000", inside: ["1", "100000"], outside: ["0", "100001"]),
        RangeCase("confirm.interval", "250ms…1h", inside: ["250ms", "10m"], outside: ["249ms", "3601s"]),
        RangeCase("confirm.within", "1s…7d", inside: ["15s", "7d"], outside: ["999ms", "8d"]),
        RangeCase(
            "retry.concurrency", "1…256", inside: ["1", "256"], outside: ["0", "257", "-1", "99999999999999999999"]),
        RangeCase(
            "retry.per_second", "0.01…10000", inside: ["0.01", "10000", "3"], outside: ["0.009", "10000.5", "0", "-1"]),
        RangeCase("retry.burst", "1…10000", inside: ["1", "10000"], outside: ["0", "10001"]),
        RangeCase("retry.fresh_within", "1s…5m", inside: ["1s", "5m"], outside: ["999ms", "301s", "0s"]),
        RangeCase("circuit.open_after", "1…100", inside: ["1", "100"], outside: ["0", "101"]),
        RangeCase("circuit.max_hold", "1s…365d", inside: ["1s", "365d"], outside: ["999ms", "366d"]),
        RangeCase("policies.initial_delay", "100ms…7d", inside: ["100ms", "12h"], outside: ["99ms", "0s", "169h"]),
        RangeCase("policies.multiplier", "1…100", inside: ["1", "1.5", "100"], outside: ["0.99", "100.1"]),
        RangeCase("policies.max_delay", "100ms…30d", inside: ["1m", "30d"], outside: ["99ms", "31d"]),
        RangeCase("policies.jitter", "0…1", inside: ["0", "0.0", "1"], outside: ["-0.1", "1.01"]),
        RangeCase("policies.max_attempts", "1…1000", inside: ["1", "1000"], outside: ["0", "1001"]),
        RangeCase("policies.max_age", "1s…365d", inside: ["1s", "365d"], outside: ["999ms", "366d"]),
    ]

    @Test(arguments: cases) func `the edges of a range are allowed and their neighbours are not`(example: RangeCase) {
        for value in example.inside {
            #expect(ConfigurationSample.with(example.key, value).problems() == [], "\(value)")
        }
        let key = example.key.replacing("policies.", with: "policies[0].")
        for value in example.outside {
            let problems = ConfigurationSample.with(example.key, value).problems()
            #expect(problems == ["\(key): \(value) is outside \(example.range)"])
        }
    }

    @Test func `every key with a range stands in this table`() {
        let tested = Set(Self.cases.map(\.key)).union(["policies.schedule", "circuit.trial_delays"])
        #expect(ConfigurationKeyTable.rangedPaths.subtracting(tested) == [])
    }

    @Test func `seven days is the longest first delay when the longest delay allows it`() throws {
        let sample = ConfigurationSample(lines: ["policies: [{events: [a], initial_delay: 7d, max_delay: 30d}]"])
        #expect(try sample.read().policies.policy(for: "a").policy.wait(beforeAttempt: 1) == .seconds(7 * 86_400))
    }

    @Test func `an hour is the longest interval of confirming when it fits`() {
        #expect(ConfigurationSample(lines: ["confirm: {interval: 1h, within: 1h}"]).problems() == [])
        #expect(ConfigurationSample(lines: ["confirm: {interval: 250ms, within: 1s}"]).problems() == [])
    }

    @Test(arguments: [
        ("{within: 10s}", "confirm.within: within 10s is shorter than interval 15s"),
        ("{interval: 11m}", "confirm.interval: within 10m is shorter than interval 11m"),
        ("{interval: 20s, within: 19s}", "confirm.within: within 19s is shorter than interval 20s"),
    ])
    func `confirming must not end before it has looked once`(confirm: String, problem: String) {
        #expect(ConfigurationSample(lines: ["confirm: \(confirm)"]).problems() == [problem])
    }

    @Test func `names and ids have a length and letters`() {
        let long = String(repeating: "n", count: 65)
        let longID = String(repeating: "i", count: 201)
        let cases = [
            ("endpoints.name", "Aa0._-", [String]()),
            ("endpoints.name", String(long.dropLast()), []),
            ("endpoints.name", long, ["endpoints[1].name: is 65 characters long, at most 64 are allowed"]),
            (
                "endpoints.name", "'core banking'",
                ["endpoints[1].name: expected a name of letters, digits, . _ -, found 'core banking'"]
            ),
            ("endpoints.name", "''", ["endpoints[1].name: is empty, expected a name of letters, digits, . _ -"]),
            (
                "endpoints.name", "müller",
                [
                    "endpoints[1].name: expected a name of letters, digits, . _ -, found 'müller'"
                ]
            ),
            ("endpoints.webhook_id", String(longID.dropLast()), []),
            (
                "endpoints.webhook_id", longID,
                ["endpoints[1].webhook_id: is 201 characters long, at most 200 are allowed"]
            ),
            ("endpoints.webhook_id", #""a\nb""#, ["endpoints[1].webhook_id: expected an id, found 'a b'"]),
            ("endpoints.webhook_id", #""""#, ["endpoints[1].webhook_id: is empty, expected an id"]),
        ]
        for (key, value, problems) in cases {
            #expect(ConfigurationSample.with(key, value).problems() == problems)
        }
    }

    @Test func `ids and names are unique, also a name that is another endpoint's id`() {
        let twice = ConfigurationSample(endpoints: "[{id: a}, {id: b, name: x}, {id: a, name: y}, {id: c, name: x}]")
        #expect(
            twice.problems() == [
                "endpoints[2].id: 'a' is the same as endpoints[0].id",
                "endpoints[3].name: 'x' is the same as endpoints[1].name",
            ])
        let crossed = ConfigurationSample(endpoints: "[{id: a}, {id: b, name: a}]")
        #expect(crossed.problems() == ["endpoints[1].name: 'a' is the same as endpoints[0].id"])
        let plainTwice = ConfigurationSample(endpoints: "[{id: a}, {id: a}]")
        #expect(plainTwice.problems() == ["endpoints[1].id: 'a' is the same as endpoints[0].id"])
    }

    @Test(arguments: ["[]", "", "~"]) func `at least one endpoint is needed`(endpoints: String) {
        let sample = ConfigurationSample(endpoints: endpoints)
        #expect(sample.problems() == ["endpoints: has 0 entries; 1…1000 are allowed"])
    }

    @Test func `the metrics file must be one that is collected, and not the database`() {
        #expect(
            ConfigurationSample.with("metrics.textfile", "/tmp/redeliver.txt").problems()
                == ["metrics.textfile: must end in .prom, or node_exporter does not see it"])
        let same = ConfigurationSample(database: "/d/x.prom", lines: ["metrics: {textfile: /d/./x.prom}"])
        #expect(same.problems() == ["metrics.textfile: must not be the same file as database"])
    }
}
