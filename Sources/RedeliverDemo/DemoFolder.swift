import Foundation

/// The demo's files in a temporary folder, which ``remove()`` deletes.
struct DemoFolder {
    let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory.appending(path: "redeliver-demo-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    var configuration: URL { url.appending(path: "redeliver.yaml") }
    var database: URL { url.appending(path: "redeliver.db") }
    var metrics: URL { url.appending(path: "redeliver.prom") }
    var daemonOutput: URL { url.appending(path: "redeliver.log") }

    var daemonLog: String { (try? String(contentsOf: daemonOutput, encoding: .utf8)) ?? "" }

    /// Writes a configuration with delays of seconds, where production has minutes and hours.
    func writeConfiguration(for sandbox: Sandbox.Address) throws {
        let endpoints = zip(sandbox.endpoints, ["core-banking", "crm"]).map { "  - {id: \"\($0)\", name: \($1)}" }
        let yaml = """
            provider:
              base_url: \(sandbox.provider)
              auth: {token: "\(sandbox.token)"}
            endpoints:
            \(endpoints.joined(separator: "\n"))
            database: redeliver.db
            metrics: {interval: 1s}
            poll: {interval: 2s}
            confirm: {interval: 500ms, within: 10s}
            retry: {concurrency: 16, per_second: 60, burst: 30}
            circuit: {trial_delays: [1s, 2s, 2s]}
            policies:
              - {events: ["*"], initial_delay: 1s, multiplier: 2, max_delay: 4s, max_attempts: 20}
            """
        try yaml.write(to: configuration, atomically: true, encoding: .utf8)
    }

    func remove() {
        try? FileManager.default.removeItem(at: url)
    }
}
