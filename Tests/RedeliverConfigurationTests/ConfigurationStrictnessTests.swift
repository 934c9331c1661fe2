import RedeliverConfiguration
import Testing

@Suite struct ConfigurationStrictnessTests {
    @Test(arguments: [
        ("provider.allow_insecure_http", "yes", "expected true or false, found 'yes'"),
        ("provider.request_timeout", "[30s]", "expected a duration, 1s…10m, found a list"),
        ("provider.request_timeout", "30", "30 needs a unit, for example 30s"),
        ("provider.request_timeout", "", "has no value, expected a duration, 1s…10m"),
        ("provider.log_fields", "[a]", "expected a mapping of keys to values, found a list"),
        ("provider.log_fields", "task_id", "expected a mapping of keys to values, found a single value"),
        ("metrics", "redeliver.prom", "expected a mapping of keys to values, found a single value"),
        ("metrics.textfile", "{a: b}", "expected a path, found a mapping"),
        ("confirm.by", "logs", "expected log or answer, found 'logs'"),
        ("confirm.by", "[log]", "expected log or answer, found a list"),
        ("retry.concurrency", "many", "expected a whole number, 1…256, found 'many'"),
        ("retry.concurrency", "1.5", "expected a whole number, 1…256, found '1.5'"),
        ("retry.concurrency", "0x10", "expected a whole number, 1…256, found '0x10'"),
        ("retry.concurrency", "~", "has no value, expected a whole number, 1…256"),
        ("retry.concurrency", "{a: 1}", "expected a whole number, 1…256, found a mapping"),
        ("retry.per_second", "fast", "expected a number, 0.01…10000, found 'fast'"),
        ("retry.per_second", ".inf", "expected a number, 0.01…10000, found '.inf'"),
        ("retry.per_second", "nan", "expected a number, 0.01…10000, found 'nan'"),
        ("retry.per_second", "1e3", "expected a number, 0.01…10000, found '1e3'"),
        ("retry", "[1]", "expected a mapping of keys to values, found a list"),
        ("policies", "none", "expected a list of mappings, each beginning with -, found a single value"),
        ("policies", "{a: b}", "expected a list of mappings, each beginning with -, found a mapping"),
        (
            "poll.interval", "!!int 60",
            "begins with !, which is a YAML tag and not supported; put the value in quotes"
        ),
    ])
    func `a value of the wrong type says what is allowed and what was found`(
        key: String, value: String, problem: String
    ) {
        #expect(ConfigurationSample.with(key, value).problems() == ["\(key): \(problem)"])
    }

    @Test func `what is required is missed, and nothing else`() {
        #expect(
            ConfigurationSample.faults("retry: {}").map { "\($0.key): \($0.problem)" }.sorted() == [
                "database: is required", "endpoints: is required",
                "provider.auth: is required: exactly one of token, token_file, token_env, or username with exactly one of "
                    + "password, password_file, password_env",
                "provider.base_url: is required",
            ])
    }

    @Test func `numbers and flags may stand in quotes`() throws {
        let sample = ConfigurationSample(
            provider: ["allow_insecure_http: 'true'"], lines: ["retry: {concurrency: \"7\", per_second: '2.5'}"])
        #expect(try sample.read().retry.concurrency == 7)
    }

    @Test func `an entry of the wrong type is one fault and its keys are not missed`() {
        let sample = ConfigurationSample(endpoints: "[e-1, {id: [x]}, ~]", lines: ["policies: [a, {events: [b]}]"])
        #expect(
            sample.problems() == [
                "endpoints[0]: expected a mapping of keys to values, found a single value",
                "endpoints[1].id: expected an id, found a list",
                "endpoints[2].id: is required",
                "policies[0]: expected a mapping of keys to values, found a single value",
            ])
    }

    @Test(arguments: [
        ("retry.concurency", "unknown key 'concurency', did you mean 'concurrency'?"),
        ("retry.per_secnd", "unknown key 'per_secnd', did you mean 'per_second'?"),
        ("retry.Burst", "unknown key 'Burst', did you mean 'burst'?"),
        (
            "poll.lookback",
            "unknown key 'lookback'; known keys: interval, overlap, initial_lookback, requests_per_minute"
        ),
        ("confirm.timeout", "unknown key 'timeout'; known keys: by, interval, within"),
        ("metrics.intervall", "unknown key 'intervall', did you mean 'interval'?"),
        ("provider.base_ulr", "unknown key 'base_ulr', did you mean 'base_url'?"),
        ("provider.log_fields.taskid", "unknown key 'taskid', did you mean 'task_id'?"),
        ("endpoints.webhookid", "unknown key 'webhookid', did you mean 'webhook_id'?"),
        ("policies.max_atempts", "unknown key 'max_atempts', did you mean 'max_attempts'?"),
        ("databse", "unknown key 'databse', did you mean 'database'?"),
        (
            "logging",
            "unknown key 'logging'; known keys: provider, endpoints, database, disk, metrics, poll, confirm, retry, "
                + "circuit, policies"
        ),
        (
            "<<",
            "unknown key '<<'; known keys: provider, endpoints, database, disk, metrics, poll, confirm, retry, "
                + "circuit, policies"
        ),
    ])
    func `an unknown key names the near one, or all`(key: String, problem: String) {
        let faults = ConfigurationSample.with(key, "5").faults()
        #expect(faults.map(\.problem) == [problem])
    }

    @Test func `a fault prints its file, line, column and key`() {
        let yaml = """
            provider:
              base_url: https://eu.amani.ai
              auth: {token: abc}
            endpoints: [{id: 1}]
            retry: {concurrency: 99999}
            databsae: x.db
            """
        do throws(ConfigurationError) {
            _ = try WorkerConfiguration.read(yaml: yaml, path: "redeliver.yaml", environment: [:])
            Issue.record("accepted")
        } catch {
            #expect(
                error.description == """
                    redeliver.yaml: database: is required
                    redeliver.yaml:5:22: retry.concurrency: 99999 is outside 1…256
                    redeliver.yaml:6:1: databsae: unknown key 'databsae', did you mean 'database'?
                    """)
        }
    }

    @Test func `all faults of all kinds are reported at once, in the order of the file`() {
        let yaml = """
            provider:
              base_url: http://kyc.example.com
              auth: {token: a, token_env: B}
              request_timeout: 30
              request_timeot: 30s
            endpoints:
              - name: ok
              - {id: 2, name: "not ok"}
            database: [x]
            poll: {interval: 1ms, interval: 1s}
            confirm: {by: guess, within: 5s}
            retry: {concurrency: many, burst: 0}
            policies:
              - {events: [a, a], schedule: [1m, 5], multiplier: 2}
              - {initial_delay: 1h, max_delay: 1m}
            colour: red
            """
        let faults = ConfigurationSample.faults(yaml, ["REDELIVER_RETRY_BURTS": "1", "REDELIVER_POLL_OVERLAP": "x"])
        #expect(
            faults.map { "\($0.line ?? 0) \($0.variable ?? $0.key)" } == [
                "2 provider.base_url", "3 provider.auth", "4 provider.request_timeout", "5 provider.request_timeot",
                "7 endpoints[0].id", "8 endpoints[1].name", "9 database", "10 poll.interval", "11 confirm.by",
                "11 confirm.within", "12 retry.concurrency", "12 retry.burst", "14 policies[0].events[1]",
                "14 policies[0].schedule", "14 policies[0].schedule[1]", "15 policies[1].events",
                "15 policies[1].max_delay", "16 ", "0 REDELIVER_POLL_OVERLAP", "0 REDELIVER_RETRY_BURTS",
            ])
    }

    @Test func `a repeated key is a fault beside all others`() {
        let yaml = """
            provider: {base_url: https://eu.amani.ai, auth: {token: a}}
            endpoints:
              - {id: a, "id": b}
            retry:
              burst: 1
              concurrency: 0
              burst: 2
              'burst': 3
            database: a.db
            colour: red
            colour: blue
            """
        let faults = ConfigurationSample.faults(yaml)
        let twice = "this key appears more than once in its mapping"
        #expect(
            faults.map { "\($0.line ?? 0):\($0.column ?? 0) \($0.key) \($0.problem.prefix(46))" } == [
                "3:6 endpoints[0].id \(twice)", "5:3 retry.burst \(twice)", "6:16 retry.concurrency 0 is outside 1…256",
                "7:3 retry.burst \(twice)", "10:1  unknown key 'colour'; known keys: provider, en",
                "11:1  unknown key 'colour'; known keys: provider, en",
            ])
    }

    @Test func `a repeated key that is not written plainly still has a fault`() {
        let yaml = ConfigurationSample(lines: [#""po\u006cl": {}"#, "poll: {}"]).yaml
        let faults = ConfigurationSample.faults(yaml)
        #expect(
            faults == [.init(line: 6, column: 1, key: "", problem: "this key appears more than once in its mapping")])
    }

    @Test func `more repeated keys than anybody writes end in a fault, not in endless work`() {
        let lines = (0..<60).flatMap { ["key\($0): 1", "key\($0): 2"] }
        #expect(ConfigurationSample.faults(lines.joined(separator: "\n")).count == 1)
    }

    @Test func `a key must be a word`() {
        let yaml = ConfigurationSample(lines: ["? [a, b]", ": c", "? {d: e}", ": f"]).yaml
        #expect(
            ConfigurationSample.faults(yaml).map(\.problem) == [
                "a key must be a single word, found a list", "a key must be a single word, found a mapping",
            ])
    }

    @Test(arguments: ["\u{202E}", "\u{9B}", "\u{85}", "\u{2028}", "\u{E0001}"]) func `no fault steers a terminal`(
        sign: String
    ) {
        let lines = ["colour\(sign): x", "poll: {interval: 1s\(sign)}", "retry: {bur\(sign)st: 1}"]
        let text = lines.flatMap { ConfigurationSample.faults(ConfigurationSample(lines: [$0]).yaml) }
            .map { $0.line(path: "c.yaml") }.joined()
        #expect(!text.isEmpty && !text.unicodeScalars.contains(where: sign.unicodeScalars.contains))
    }
}
