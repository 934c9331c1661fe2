import Foundation
import Testing

/// Every command once with every key of the configuration: none of them may end by a signal. (`simulate` did, with
/// `metrics.listen`.)
@Suite struct EveryKeyTests {
    /// What is typed after the command and before `--config`. `parent` stands for commands that only have subcommands.
    private static func arguments(_ bench: Bench) -> [String: [[String]]] {
        let new = { (name: String) in bench.folder.appending(path: name).path }
        let reason = ["--reason", "x"]
        return [
            "run": [["--once"]], "check": [[]], "policies": [[], ["a", "--csv"]],
            "simulate": [["--outage", "10m", "--failures", "20", "--neighbours", "1"]], "status": [[], ["--json"]],
            "doctor": [[], ["--fix"]],
            "deliveries list": [[], ["--csv"], ["--raw-csv"], ["--json"]], "deliveries show": [["id:1"]],
            "deliveries retry": [["id:1"] + reason], "deliveries discard": [["id:1"] + reason],
            "deliveries requeue": [["id:1"] + reason], "endpoints pause": [["receiver-0"] + reason],
            "endpoints resume": [["receiver-0"] + reason],
            "endpoints create": [["--url", "https://receiver.example/x", "--event", "a"]],
            "endpoints update": [["receiver-0", "--event", "a"]],
            "endpoints secret show": [["receiver-0"]],
            "endpoints secret rotate": [["receiver-0", "--output", new("secret")]],
            "endpoints logs": [["receiver-0"], ["receiver-0", "--csv"]],
            "endpoints test": [["receiver-0", "--event", "a"]], "events": [[], ["--examples"]],
            "database backup": [[new("backup.db")]], "database restore": [[new("backup.db")]],
            "database prune": [[], ["--confirm"]], "database check": [[]],
        ]
    }

    /// `top` needs a terminal, and `verify` has no configuration.
    private static let others: Set<String> = ["top", "verify"]

    /// Every key that does not need TLS; of the forms of `provider.auth`, one.
    private func yaml(_ sandbox: SandboxProcess, _ bench: Bench) throws -> String {
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
                 next: next}
            endpoints: [{id: "\(sandbox.endpoints[0])", name: receiver-0, webhook_id: w}]
            database: \(bench.folder.path)/every.db
            disk: {reserve_mib: 1}
            metrics: {textfile: \(bench.folder.path)/every.prom, interval: 1s, listen: "127.0.0.1:0"}
            poll: {interval: 1s, overlap: 15m, initial_lookback: 72h}
            confirm: {by: log, interval: 1s, within: 3s}
            retry: {concurrency: 4, per_second: 50, burst: 5}
            circuit: {enabled: true, open_after: 5, trial_delays: [30s, 1m], max_hold: 14d, ramp: true}
            policies:
              - {events: ["a*"], initial_delay: 1s, multiplier: 2, max_delay: 10s, max_attempts: 5, jitter: 0.1,
                 max_age: 72h, on_superseded: skip}
              - {events: ["*"], schedule: [1s, 2s]}
            """
    }

    @Test func `no command ends by a signal, whatever is configured`() async throws {
        try await withBench { bench in
            let sandbox = try await bench.sandbox("--failures", "2", "--endpoints", "1")
            let file = bench.folder.appending(path: "every.yaml")
            try yaml(sandbox, bench).replacing("127.0.0.1:0", with: "127.0.0.1:\(Int.random(in: 12_000..<30_000))")
                .write(to: file, atomically: true, encoding: .utf8)
            let typed = Self.arguments(bench)
            let tree = try await CommandTree(of: "redeliver", bench)
            let leaves = tree.all.filter { $0.command.subcommands?.isEmpty ?? true }
                .map { $0.path.dropFirst().joined(separator: " ") }
            #expect(Set(leaves) == Set(typed.keys).union(Self.others), "a command is missing here, or is gone")

            // The database comes first.
            for command in ["run"] + typed.keys.sorted() {
                for arguments in typed[command] ?? [] {
                    let words = command.split(separator: " ").map(String.init) + arguments
                    let finished = try await bench.run("redeliver", words + ["--config", file.path])
                    guard case .code(let code) = finished.ending else {
                        Issue.record("\(words): \(finished.ending)")
                        continue
                    }
                    #expect(code != 78 && !finished.errors.contains("Usage:"), "\(words): \(finished.errors)")
                }
            }
        }
    }
}
