import Foundation

@testable import RedeliverConfiguration

/// Configurations that together have every key.
enum EveryKey {
    /// What the variables hold that `token_env` and `password_env` name.
    static let environment = ["REDELIVER_TEST_SECRET": "secret"]

    static func write(_ yaml: String, _ bench: Bench) throws -> URL {
        let file = bench.folder.appending(path: "every.yaml")
        try yaml.write(to: file, atomically: true, encoding: .utf8)
        return file
    }

    // MARK: - Keys

    /// The dotted names of all keys; those of the entries of lists without a number.
    static let all = names(of: ConfigurationKeys.all, under: "")

    private static func names(of settings: [Setting], under section: String) -> Set<String> {
        settings.reduce(into: []) { names, setting in
            let path = section.isEmpty ? setting.name : "\(section).\(setting.name)"
            switch setting.kind {
            case .section(let inner, _), .list(let inner, _): names.formUnion(self.names(of: inner, under: path))
            default: names.insert(path)
            }
        }
    }

    /// The keys that a configuration gives, in the same form.
    static func keys(in yaml: String) throws -> Set<String> {
        let settings = NodeReader(try YAMLDocument(text: yaml), known: ConfigurationKeys.all).settings
        return Set(settings.items.keys.map { $0.replacing(/\[[0-9]+\]/, with: "") })
    }

    // MARK: - Configurations

    /// All but the way to the provider: a sandbox on this machine.
    static func plain(_ sandbox: SandboxProcess, _ bench: Bench) throws -> String {
        try "\(sandbox.token)\n".write(
            to: bench.folder.appending(path: "token"), atomically: true, encoding: .utf8)
        return """
            provider:
              base_url: \(sandbox.provider)
              allow_insecure_http: true
              auth: {token_file: \(bench.folder.path)/token}
              request_timeout: 5s
              log_fields:
                {task_id: [task_id, id], event_type: [event_type], customer_id: customer_id, webhook_id: webhook_id,
                 body: body, outcome: [status, state], time: [created_at, timestamp], error: error, entries: results,
                 next: next, time_zone: "+00:00"}
            endpoints: [{id: "\(sandbox.endpoints[0])", name: receiver-0, webhook_id: w}]
            database: \(bench.folder.path)/every.db
            disk: {reserve_mib: 1}
            metrics:
              {textfile: \(bench.folder.path)/every.prom, interval: 1s,
               listen: "127.0.0.1:\(Int.random(in: 12_000..<30_000))"}
            poll: {interval: 5s, overlap: 15m, initial_lookback: 72h, requests_per_minute: 6000}
            confirm: {by: log, interval: 5s, within: 30s}
            retry: {concurrency: 4, per_second: 50, burst: 5, fresh_within: 5s, body: json}
            circuit: {enabled: true, open_after: 5, trial_delays: [30s, 1m], max_hold: 14d, ramp: true}
            policies:
              - {events: ["a*"], initial_delay: 1s, multiplier: 2, max_delay: 10s, max_attempts: 5, jitter: 0.1,
                 max_age: 72h, on_superseded: skip}
              - {events: ["*"], schedule: [1s, 2s]}
            """
    }

    /// A provider behind TLS and a proxy. Nothing listens there.
    ///
    /// - Returns: nil where there is no openssl, which makes the certificate.
    static func behindProxy(_ bench: Bench) async throws -> String? {
        guard let openssl = BuiltPrograms.tool("openssl") else {
            print("openssl is not installed: no certificate for the keys about TLS, skipped")
            return nil
        }
        let folder = bench.folder.path
        let made = try await bench.run(
            openssl,
            [
                "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=test", "-days", "2", "-keyout",
                "\(folder)/key.pem", "-out", "\(folder)/certificate.pem",
            ])
        guard made.ending == .code(0) else { throw SandboxError("openssl: \(made.errors)") }
        for (name, text) in [("password", "p\n"), ("proxy", "user:password\n")] {
            try text.write(to: bench.folder.appending(path: name), atomically: true, encoding: .utf8)
        }
        return """
            provider:
              base_url: https://127.0.0.1:9
              auth: {username: u, password_file: \(folder)/password}
              request_timeout: 2s
              ca_file: \(folder)/certificate.pem
              proxy: http://127.0.0.1:9
              proxy_credentials_file: \(folder)/proxy
              client_certificate: \(folder)/certificate.pem
              client_key: \(folder)/key.pem
            endpoints: [{id: e, name: receiver-0}]
            database: \(folder)/behind.db
            """
    }

    /// The forms of `provider.auth` that the other configurations do not have.
    static let logins = [
        "token: secret", "token_env: REDELIVER_TEST_SECRET", "username: u, password: secret",
        "username: u, password_env: REDELIVER_TEST_SECRET",
    ]

    static func login(_ auth: String, _ bench: Bench) throws -> String {
        """
        provider: {base_url: "http://127.0.0.1:9", auth: {\(auth)}, request_timeout: 2s}
        endpoints: [{id: e}]
        database: \(bench.folder.path)/login.db
        """
    }
}
