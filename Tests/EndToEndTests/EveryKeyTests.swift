import Foundation
import TestSupport
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

    @Test func `no command ends by a signal, whatever is configured`() async throws {
        try await withBench { bench in
            let sandbox = try await bench.sandbox("--failures", "2", "--endpoints", "1")
            let typed = Self.arguments(bench)
            let tree = try await CommandTree(of: "redeliver", bench)
            let leaves = tree.all.filter { $0.command.subcommands?.isEmpty ?? true }
                .map { $0.path.dropFirst().joined(separator: " ") }
            #expect(Set(leaves) == Set(typed.keys).union(Self.others), "a command is missing here, or is gone")
            let file = try EveryKey.write(EveryKey.plain(sandbox, bench), bench)
            // The database comes first.
            for command in ["run"] + typed.keys.sorted() {
                for arguments in typed[command] ?? [] {
                    try await expectNoSignal(command.split(separator: " ").map(String.init) + arguments, file, bench)
                }
            }
            try await expectTopEnds(file, bench)
            let secret = bench.folder.appending(path: "token")
            let verify = try await bench.run(
                "redeliver", ["verify", "--secret-file", secret.path, "--signature", "cQ6x"], input: secret)
            #expect([.code(1), .code(64)].contains(verify.ending), "\(verify.errors)")
        }
    }

    /// A provider behind TLS and a proxy, at which nothing answers.
    @Test func `no command ends by a signal, whatever stands between it and the provider`() async throws {
        try await withBench { bench in
            guard let yaml = try await EveryKey.behindProxy(bench) else { return }
            let file = try EveryKey.write(yaml, bench)
            let typed = Self.arguments(bench)
            for command in ["run"] + typed.keys.sorted() {
                for arguments in typed[command] ?? [] {
                    try await expectNoSignal(command.split(separator: " ").map(String.init) + arguments, file, bench)
                }
            }
            try await expectTopEnds(file, bench)
        }
    }

    @Test(arguments: EveryKey.logins) func `no command ends by a signal, however it logs in`(auth: String) async throws
    {
        try await withBench { bench in
            let file = try EveryKey.write(EveryKey.login(auth, bench), bench)
            for command in [["run", "--once"], ["check"], ["doctor"], ["endpoints", "logs", "e"], ["events"]] {
                try await expectNoSignal(command, file, bench)
            }
        }
    }

    /// So that a new key is not forgotten here.
    @Test func `the configurations have every key that there is`() async throws {
        try await withBench { bench in
            let sandbox = try await bench.sandbox("--failures", "1", "--endpoints", "1")
            var texts = [try EveryKey.plain(sandbox, bench)]
            guard let behindProxy = try await EveryKey.behindProxy(bench) else { return }
            texts.append(behindProxy)
            texts += try EveryKey.logins.map { try EveryKey.login($0, bench) }
            let given = try texts.map(EveryKey.keys).reduce(into: Set()) { $0.formUnion($1) }
            #expect(EveryKey.all.subtracting(given) == [], "add it to a configuration in EveryKey.swift")
        }
    }

    // MARK: -

    private func expectNoSignal(_ words: [String], _ file: URL, _ bench: Bench) async throws {
        let finished = try await bench.run(
            "redeliver", words + ["--config", file.path], environment: EveryKey.environment)
        guard case .code(let code) = finished.ending else {
            Issue.record("\(words): \(finished.ending)")
            return
        }
        #expect(code != 78 && !finished.errors.contains("Usage:"), "\(words): \(finished.errors)")
    }

    private func expectTopEnds(_ file: URL, _ bench: Bench) async throws {
        let terminal = try PseudoTerminal()
        let top = try bench.start("redeliver", ["top", "--config", file.path], in: terminal)
        try await waitUntil("top shows the queue") {
            guard top.isRunning else { throw SandboxError("it ended: \(top.errors) \(terminal.written)") }
            return terminal.picture.contains("redeliver top")
        }
        terminal.type("q")
        #expect(try await top.ending() == .code(0), "\(top.errors)")
    }
}
