import RedeliverConfiguration
import Testing

/// A small configuration without faults, and ways to change one thing in it.
struct ConfigurationSample {
    var baseURL = "https://eu.amani.ai"
    var auth = "{token: t0k3n-for-tests}"
    /// Further lines under `provider`.
    var provider: [String] = []
    var endpoints = "[{id: e-1, name: core-banking}]"
    var database = "/var/lib/redeliver/redeliver.db"
    /// Further lines at the top level.
    var lines: [String] = []

    static let path = "/etc/redeliver/redeliver.yaml"

    var yaml: String {
        let head = ["provider:", "  base_url: \(baseURL)", "  auth: \(auth)"] + provider.map { "  \($0)" }
        return (head + ["endpoints: \(endpoints)", "database: \(database)"] + lines).joined(separator: "\n") + "\n"
    }

    /// The sample with `value` under a dotted key; `policies.` stands for the keys of a single policy, `endpoints.` for
    /// those of a second endpoint.
    static func with(_ key: String, _ value: String) -> ConfigurationSample {
        var sample = ConfigurationSample()
        let parts = key.split(separator: ".").map(String.init)
        switch (parts[0], parts.count) {
        case ("provider", 3): sample.provider = ["\(parts[1]): {\(parts[2]): \(value)}"]
        case ("provider", _): sample.provider = ["\(parts[1]): \(value)"]
        case ("policies", 2): sample.lines = [#"policies: [{events: ["*"], \#(parts[1]): \#(value)}]"#]
        case ("endpoints", 2): sample.endpoints = "[{id: e-1, name: core-banking}, {id: e-2, \(parts[1]): \(value)}]"
        case (_, 2): sample.lines = ["\(parts[0]): {\(parts[1]): \(value)}"]
        default: sample.lines = ["\(key): \(value)"]
        }
        return sample
    }

    func read(_ environment: [String: String] = [:]) throws -> WorkerConfiguration {
        try WorkerConfiguration.read(yaml: yaml, path: Self.path, environment: environment)
    }

    func faults(_ environment: [String: String] = [:]) -> [ConfigurationFault] {
        Self.faults(yaml, environment)
    }

    /// The sample's faults, each as `key: problem` without its place.
    func problems(_ environment: [String: String] = [:]) -> [String] {
        faults(environment).map { "\($0.variable ?? $0.key): \($0.problem)" }
    }

    /// The faults of any text; none when it is a configuration.
    static func faults(_ yaml: String, _ environment: [String: String] = [:]) -> [ConfigurationFault] {
        do throws(ConfigurationError) {
            _ = try WorkerConfiguration.read(yaml: yaml, path: path, environment: environment)
            return []
        } catch {
            #expect(!error.faults.isEmpty)
            return error.faults
        }
    }
}
