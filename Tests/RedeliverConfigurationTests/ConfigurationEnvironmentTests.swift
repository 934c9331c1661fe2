import DeliveryQueue
import Foundation
import HostileInput
import ProviderAPI
import Testing

@testable import RedeliverConfiguration

@Suite struct ConfigurationEnvironmentTests {
    @Test func `variables win over the file and the defaults`() throws {
        let configuration = try ConfigurationSample(lines: ["retry: {concurrency: 3}"]).read([
            "REDELIVER_PROVIDER_BASE_URL": "http://127.0.0.1:8080/",
            "REDELIVER_PROVIDER_REQUEST_TIMEOUT": "2s",
            "REDELIVER_PROVIDER_LOG_FIELDS_TASK_ID": "uuid",
            "REDELIVER_RETRY_CONCURRENCY": "5",
            "REDELIVER_RETRY_PER_SECOND": "0.5",
            "REDELIVER_DATABASE": "other.db",
            "REDELIVER_METRICS_TEXTFILE": "/m/r.prom",
            "REDELIVER_POLL_INTERVAL": "1s",
            "REDELIVER_CONFIRM_BY": "answer",
            "PATH": "/bin",
        ])
        #expect(configuration.provider.baseURL == "http://127.0.0.1:8080")
        #expect(configuration.provider.requestTimeout == .seconds(2))
        #expect(configuration.provider.fields.taskID == ["uuid"])
        #expect(configuration.retry == .init(concurrency: 5, perSecond: 0.5, burst: 20, freshWithin: .seconds(5)))
        #expect(configuration.database == "/etc/redeliver/other.db")
        #expect(configuration.metrics.textfile == "/m/r.prom")
        #expect(configuration.poll.interval == .seconds(1))
        #expect(configuration.confirm.by == .answer)
    }

    @Test(arguments: [
        ("REDELIVER_RETRY_CONCURRENCY", "99999", "99999 is outside 1…256"),
        ("REDELIVER_POLL_INTERVAL", "60", "60 needs a unit, for example 30s"),
        ("REDELIVER_CONFIRM_BY", "x", "expected log or answer, found 'x'"),
        ("REDELIVER_DATABASE", "", "is empty, expected a path"),
        ("REDELIVER_METRICS_TEXTFILE", "r.txt", "must end in .prom, or node_exporter does not see it"),
        ("REDELIVER_CONFIRM_WITHIN", "10s", "within 10s is shorter than interval 15s"),
        ("REDELIVER_RETRY_CONCURENCY", "1", "unknown variable, did you mean REDELIVER_RETRY_CONCURRENCY?"),
        ("REDELIVER_DATABSE", "1", "unknown variable, did you mean REDELIVER_DATABASE?"),
        (
            "REDELIVER_ENDPOINTS_0_ID", "1",
            "unknown variable; write REDELIVER_ and a key's path, as in REDELIVER_RETRY_CONCURRENCY for "
                + "retry.concurrency; endpoints and policies can be set in the file only"
        ),
    ])
    func `a fault of a variable names the variable`(variable: String, value: String, problem: String) {
        let faults = ConfigurationSample().faults([variable: value])
        #expect(faults.map(\.problem) == [problem])
        #expect(faults.first?.line(path: "redeliver.yaml") == "environment: \(variable): \(problem)")
        #expect(faults.first?.line == nil)
    }

    @Test func `a faulty variable does not fall back to the file's value`() {
        let sample = ConfigurationSample.with("retry.concurrency", "5")
        #expect(sample.problems(["REDELIVER_RETRY_CONCURRENCY": "x"]).count == 1)
    }

    @Test func `variables of other uses are left alone`() throws {
        let environment = ["REDELIVER_LOG_LEVEL": "debug", "REDELIVER_TEST_SEED": "7", "REDELIVERY": "x", "HOME": "/"]
        #expect(try ConfigurationSample().read(environment) == ConfigurationSample().read())
    }

    /// Kubernetes puts these into every pod beside a Service of that name, and the daemon did not start.
    @Test(arguments: [
        "SERVICE_HOST", "SERVICE_PORT", "SERVICE_PORT_METRICS", "PORT", "PORT_9464_TCP", "PORT_9464_TCP_ADDR",
        "PORT_9464_TCP_PORT", "PORT_9464_TCP_PROTO", "PORT_53_UDP_ADDR", "METRICS_SERVICE_HOST",
        "A_B_SERVICE_PORT_HTTP", "METRICS_PORT", "METRICS_PORT_80_TCP_ADDR",
    ]) func `variables that Kubernetes sets for a Service of our name are left alone`(name: String) throws {
        let environment = ["REDELIVER_\(name)": "tcp://10.0.0.1:9464"]
        #expect(try ConfigurationSample().read(environment) == ConfigurationSample().read())
    }

    @Test(arguments: ["PORTS", "SERVICE_HOSTS", "PORT_X_TCP", "RETRY_SERVICE"])
    func `what only looks like one is unknown`(name: String) {
        #expect(ConfigurationSample().problems(["REDELIVER_\(name)": "x"]).count == 1)
    }

    @Test func `a variable that token_env names is known, whatever it is called`() throws {
        let sample = ConfigurationSample(auth: "{token_env: REDELIVER_TOKEN}")
        #expect(try sample.read(["REDELIVER_TOKEN": "abc"]).provider.credential == .token(Secret("abc")))
        #expect(ConfigurationSample().problems(["REDELIVER_TOKEN": "abc"]).count == 1)
    }

    @Test(
        arguments: [
            ("{username: b, password: c}", ["AUTH_TOKEN": "t"], Credential.token(Secret("t"))),
            ("{token_file: /none}", ["AUTH_TOKEN": "t"], .token(Secret("t"))),
            ("{token: f}", ["AUTH_TOKEN_ENV": "KYC"], .token(Secret("kyc"))),
            ("", ["AUTH_TOKEN": "t"], .token(Secret("t"))),
            (
                "{token: f}", ["AUTH_USERNAME": "u", "AUTH_PASSWORD": "p"],
                .login(username: "u", password: .value(Secret("p")))
            ),
            (
                "{username: b, password_file: /none}", ["AUTH_PASSWORD": "p"],
                .login(username: "b", password: .value(Secret("p")))
            ),
            (
                "{username: b, password: c}", ["AUTH_USERNAME": "u"],
                .login(username: "u", password: .value(Secret("c")))
            ),
        ] as [(String, [String: String], Credential)])
    func `a form in the environment takes the place of the file's form`(
        auth: String, variables: [String: String], credential: Credential
    ) throws {
        var environment = ["KYC": "kyc"]
        for (name, value) in variables { environment["REDELIVER_PROVIDER_\(name)"] = value }
        #expect(try ConfigurationSample(auth: auth).read(environment).provider.credential == credential)
    }

    @Test func `two forms in the environment, or half a one, are faults`() {
        let two = ["REDELIVER_PROVIDER_AUTH_TOKEN": "a", "REDELIVER_PROVIDER_AUTH_TOKEN_FILE": "b"]
        #expect(ConfigurationSample().faults(two).map(\.key) == ["provider.auth"])
        let half = ["REDELIVER_PROVIDER_AUTH_PASSWORD": "a"]
        #expect(ConfigurationSample().faults(half).map(\.key) == ["provider.auth"])
        #expect(ConfigurationSample().faults(half).first?.variable == "REDELIVER_PROVIDER_AUTH_PASSWORD")
    }

    @Test func `the environment is checked even when the file is no YAML`() {
        let faults = ConfigurationSample.faults("a: [", ["REDELIVER_RETRY_BURST": "0", "REDELIVER_X_Y_Z": "1"])
        #expect(faults.map(\.variable) == [nil, "REDELIVER_RETRY_BURST", "REDELIVER_X_Y_Z"])
    }

    @Test func `every single value outside lists has a variable of its own`() {
        let names = EnvironmentOverrides.keys.map(\.variable)
        #expect(Set(names).count == names.count)
        let lists: Set<String> = ["endpoints", "policies", "circuit.trial_delays"]
        let scalars = ConfigurationKeyTable.paths.filter { !$0.contains("[]") && !lists.contains($0) }
        #expect(EnvironmentOverrides.keys.map(\.path) == scalars)
    }
}
