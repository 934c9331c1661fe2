import Foundation
import TestSupport
import Testing

/// Every command, with everything that must stay hidden known: nothing that is printed or written shows any of it.
@Suite struct SecretSweepTests {
    private static let token = "tok-5weep-4711-do-not-show"
    private static let password = "pa55-5weep-0815-do-not-show"
    private static let header = "h3ader-5weep-2342-do-not-show"

    /// What is searched for, and where it was searched.
    private struct Hidden {
        var secrets: [String]
        /// A text of each body; bodies are for the database and for those who ask for one.
        var bodies: [String] = []

        func expect(_ name: String, _ text: String, sourceLocation: SourceLocation = #_sourceLocation) {
            for (number, secret) in (secrets + bodies).enumerated() where text.contains(secret) {
                // Not the text itself: the record of a test is printed too.
                Issue.record("\(name) shows hidden text \(number)", sourceLocation: sourceLocation)
            }
        }
    }

    /// An installation whose secrets are known, and what it has run so far.
    private struct Sweep {
        let sandbox: SandboxProcess
        let redeliver: RedeliverProcess
        let environment: [String: String]
        var hidden: Hidden
        var paths: Set<String> = []

        /// - Parameters:
        ///   - path: the words of the command.
        ///   - codes: how it may end; 70, the unexpected, never.
        mutating func run(_ path: String, _ arguments: [String] = [], input: URL? = nil, codes: Set<Int32> = [0])
            async throws
        {
            paths.insert(path)
            let needsConfiguration = path != "verify"
            let finished = try await redeliver.bench.run(
                "redeliver",
                path.split(separator: " ").map(String.init) + arguments
                    + (needsConfiguration ? ["--config", redeliver.configuration.path] : []),
                environment: environment, input: input)
            hidden.expect("\(path) \(arguments)", finished.output + finished.errors)
            let ends = codes.map { RunningProgram.Ending.code($0) }
            #expect(ends.contains(finished.ending), "\(path) \(arguments): \(finished.ending) \(finished.errors)")
        }

        func file(_ name: String) -> String { redeliver.folder.appending(path: name).path }
    }

    @Test(arguments: Torture.isLong ? [true, false] : [true])
    func `no command shows a secret or a body, whatever the provider answers`(
        withPassword: Bool
    ) async throws {
        try await withBench { bench in
            var sweep = try await prepare(bench, withPassword: withPassword)
            let daemon = try await sweep.redeliver.start(["--log-level", "trace"], environment: sweep.environment)
            try await sweep.redeliver.waitUntilDelivered(3)
            try await actOnDeliveries(&sweep)
            try await useTheProvider(&sweep)
            try await keepTheDatabase(&sweep)
            try await watch(&sweep, bench)
            try await daemon.stop()
            sweep.hidden.expect("the daemon's log", daemon.output + daemon.errors)
            try await askAFaultyProvider(&sweep)

            let all = try await CommandTree(of: "redeliver", bench).all
            let commands = all.filter { ($0.command.subcommands ?? []).allSatisfy { $0.commandName == "help" } }
            #expect(sweep.paths == Set(commands.map { $0.path.dropFirst().joined(separator: " ") }))
            try searchFiles(sweep)
        }
    }

    private func prepare(_ bench: Bench, withPassword: Bool) async throws -> Sweep {
        let flags =
            withPassword ? ["--username", "worker", "--password", Self.password] : ["--token", Self.token]
        let sandbox = try await bench.sandbox(["--endpoints", "1", "--failures", "3"] + flags)
        var settings = RedeliverSettings(sandbox)
        if withPassword { settings.auth = "username: worker, password_env: SANDBOX_PASSWORD" }
        // "eyJ" is the beginning of every JSON web token, which is what a login gives.
        return Sweep(
            sandbox: sandbox, redeliver: try bench.redeliver(settings),
            environment: ["SANDBOX_PASSWORD": Self.password],
            hidden: Hidden(secrets: [Self.token, Self.password, Self.header, "eyJ"]))
    }

    private func actOnDeliveries(_ sweep: inout Sweep) async throws {
        try await sweep.run("endpoints pause", ["receiver-0", "--reason", "sweep"])
        try await sweep.sandbox.control(#"{"fail":{"count":2}}"#)
        let redeliver = sweep.redeliver
        try await waitUntil("two wait") { try redeliver.number("SELECT COUNT(*) FROM delivery") == 5 }
        sweep.hidden.bodies = try redeliver.texts("SELECT CAST(body AS TEXT) FROM delivery_body").compactMap {
            $0.firstMatch(of: /"trace"\s*:\s*"([0-9a-f]+)"/).map { String($0.output.1) }
        }
        #expect(sweep.hidden.bodies.count == 5)

        let waiting = try redeliver.texts("SELECT 'id:' || id FROM delivery WHERE state = 'scheduled' ORDER BY id")
        for arguments in [[], ["--json"], ["--csv"]] { try await sweep.run("deliveries list", arguments) }
        for arguments in [[], ["--json"]] {
            try await sweep.run("deliveries show", [waiting[0]] + arguments)
            try await sweep.run("status", arguments)
        }
        try await sweep.run("deliveries discard", [waiting[0], "--reason", "sweep"])
        try await sweep.run("deliveries requeue", [waiting[0], "--reason", "sweep"])
        try await sweep.run("deliveries retry", ["--state", "scheduled"])
        try await sweep.run("deliveries retry", [waiting[1], "--reason", "sweep"], codes: [64])
        try await sweep.run("endpoints resume", ["receiver-0", "--reason", "sweep"])
        try await redeliver.waitUntilDelivered(5)
    }

    private func useTheProvider(_ sweep: inout Sweep) async throws {
        let (old, new) = (sweep.file("old"), sweep.file("new"))
        let header = ["--header", "X-Key=\(Self.header)"]
        try await sweep.run(
            "endpoints create", ["--url", "http://127.0.0.1:9/hook", "--event", "profile_create"] + header)
        try await sweep.run("endpoints update", ["receiver-0", "--json"] + header)
        try await sweep.run("endpoints secret show", ["receiver-0", "--output", old])
        sweep.hidden.secrets.append(try String(contentsOfFile: old, encoding: .utf8))
        try await sweep.run("endpoints secret rotate", ["receiver-0", "--output", new])
        sweep.hidden.secrets.append(try String(contentsOfFile: new, encoding: .utf8))
        #expect(Set(sweep.hidden.secrets).count == 6)
        for arguments in [[], ["--json"], ["--csv"]] {
            try await sweep.run("endpoints logs", ["receiver-0"] + arguments)
            try await sweep.run("events", arguments)
            try await sweep.run("policies", arguments)
        }
        try await sweep.run(
            "endpoints test", ["receiver-0", "--event", "profile_create", "--wait"], codes: [0, 1, 69])
        try Data("a body".utf8).write(to: URL(filePath: sweep.file("received")))
        try await sweep.run(
            "verify",
            ["--secret-file", new, "--secret-file", old, "--signature", Data(count: 32).base64EncodedString()],
            input: URL(filePath: sweep.file("received")), codes: [1])
    }

    private func keepTheDatabase(_ sweep: inout Sweep) async throws {
        let backup = sweep.file("backup.db")
        try await sweep.run("check")
        try await sweep.run("simulate", ["--outage", "1m", "--failures", "1"])
        try await sweep.run("database backup", [backup])
        try await sweep.run("database restore", [backup])
        try await sweep.run("database restore", [backup, "--confirm"], codes: [75])
        for arguments in [[], ["--json"]] {
            try await sweep.run("database check", arguments)
            try await sweep.run("database prune", arguments)
            try await sweep.run("doctor", arguments)
        }
        try await sweep.run("run", ["--once", "--log-level", "trace"], codes: [75])
    }

    private func watch(_ sweep: inout Sweep, _ bench: Bench) async throws {
        sweep.paths.insert("top")
        let terminal = try PseudoTerminal()
        let top = try bench.start(
            "redeliver", ["top", "--database", sweep.redeliver.database.path], in: terminal, environment: [:])
        try await waitUntil("top shows the endpoint") { terminal.picture.contains("receiver-0") }
        terminal.type("q")
        #expect(try await top.ending() == .code(0))
        sweep.hidden.expect("top", terminal.written + top.errors)
    }

    /// Every command that calls the provider, with answers that are refused, late or nothing that it knows.
    private func askAFaultyProvider(_ sweep: inout Sweep) async throws {
        let faults = ["status=400", "status=401", "status=500", "garbage", "html", "drop-after"]
        let header = ["--header", "X-Key=\(Self.header)"]
        for (number, fault) in faults.enumerated() {
            try await sweep.sandbox.control(#"{"clear_faults":true,"fault":["any:\#(fault)"]}"#)
            let codes: Set<Int32> = [0, 1, 69, 77]
            try await sweep.run("events", codes: codes)
            try await sweep.run(
                "endpoints create", ["--url", "http://127.0.0.1:9/", "--event", "profile_create"] + header, codes: codes
            )
            try await sweep.run("endpoints update", ["receiver-0"] + header, codes: codes)
            try await sweep.run(
                "endpoints secret show", ["receiver-0", "--output", sweep.file("show-\(number)")], codes: codes)
            try await sweep.run(
                "endpoints secret rotate", ["receiver-0", "--output", sweep.file("rotate-\(number)")], codes: codes)
            try await sweep.run("endpoints logs", ["receiver-0"], codes: codes)
            try await sweep.run("endpoints test", ["receiver-0", "--event", "profile_create"], codes: codes)
            try await sweep.run("doctor", codes: codes)
            try await sweep.run("run", ["--once", "--log-level", "trace"], codes: codes)
        }
    }

    /// Everything but the configuration and the files that were made for a secret.
    private func searchFiles(_ sweep: Sweep) throws {
        let names = try FileManager.default.contentsOfDirectory(atPath: sweep.redeliver.folder.path)
        #expect(Set(names).isSuperset(of: ["backup.db", "redeliver.db", "redeliver.prom"]))
        for name in names where !["redeliver.yaml", "old", "new"].contains(name) {
            let bytes = try Data(contentsOf: URL(filePath: sweep.file(name)))
            let isDatabase = name.contains(".db")
            for (number, hidden) in (sweep.hidden.secrets + (isDatabase ? [] : sweep.hidden.bodies)).enumerated() {
                #expect(bytes.range(of: Data(hidden.utf8)) == nil, "\(name) holds hidden text \(number)")
            }
        }
    }
}
