import Foundation
import GRDB
import Testing

/// Wrong input gets an exit code and a message that says operation, object, cause and what to do, and changes nothing.
@Suite struct BadInputTests {
    @Test func `a faulty configuration is refused with 78 and all its faults at once`() async throws {
        try await withBench { bench in
            let file = bench.folder.appending(path: "faulty.yaml")
            let yaml = """
                provider:
                  base_url: http://example.com
                  auth: {token: a, username: b}
                  request_timout: 5s
                endpoints: []
                database: [1]
                poll: {interval: 5}
                retry: {concurrency: 9999, burst: many}
                """
            try yaml.write(to: file, atomically: true, encoding: .utf8)
            for command in [["check"], ["run"], ["run", "--once"], ["status"]] {
                let finished = try await bench.run("redeliver", command + ["--config", file.path])
                #expect(finished.ending == .code(78))
                for part in [
                    "http would send the token unprotected", "provider.auth", "request_timout", "did you mean",
                    "request_timeout", "endpoints", "database", "poll.interval", "9999 is outside 1…256", "retry.burst",
                ] { #expect(finished.errors.contains(part), "\(command): \(part)") }
                #expect(finished.output.isEmpty)
            }
        }
    }

    @Test(
        arguments: [
            (nil, "the file does not exist"),
            ("", "is empty: it needs at least provider"),
            ("# nothing\n", "is empty: it needs at least provider"),
            ("- a\n- b\n", "expected"),
            ("provider: [\n", "redeliver.yaml:"),
            ("\u{0}\u{1}\u{2}", "redeliver.yaml"),
        ] as [(String?, String)])
    func `a configuration that is none is refused with 78`(text: String?, message: String) async throws {
        try await withBench { bench in
            let file = bench.folder.appending(path: "redeliver.yaml")
            try text?.write(to: file, atomically: true, encoding: .utf8)
            let finished = try await bench.run("redeliver", ["run", "--config", file.path])
            #expect(finished.ending == .code(78))
            #expect(finished.errors.contains(message) && finished.errors.contains(file.path), "\(finished.errors)")
        }
    }

    @Test(arguments: [
        ["run", "--onse"], ["run", "--log-level", "loud"], ["frobnicate"], ["status", "extra"],
        ["deliveries", "requeue", "--sinse", "1h"], ["endpoints", "resume"],
    ])
    func `a wrong command line is refused with 64 and shows the usage`(arguments: [String]) async throws {
        try await withBench { bench in
            let finished = try await bench.run("redeliver", arguments)
            #expect(finished.ending == .code(64))
            #expect(finished.errors.contains("Usage: redeliver"))
        }
    }

    /// A pasted argument may hold what steers a terminal.
    @Test(arguments: [
        ["run", "--\u{1B}[31mred"], ["\u{1B}]0;title\u{7}"], ["status", "\u{9B}2J"], ["run", "--log-level", "\u{1B}c"],
        ["check", "--config", "/none/\u{1B}[2J"], ["endpoints", "logs", "", "--config", "\u{1B}[2J"],
    ]) func `control characters in arguments are not echoed`(arguments: [String]) async throws {
        try await withBench { bench in
            let finished = try await bench.run("redeliver", arguments)
            if case .signal = finished.ending { Issue.record("\(finished.ending)") }
            let written = finished.output + finished.errors
            let steering = written.unicodeScalars.filter { $0 != "\n" && $0.properties.generalCategory == .control }
            #expect(steering.isEmpty && !finished.errors.isEmpty, "\(written.debugDescription)")
        }
    }

    @Test func `control characters in paths are not echoed, whatever prints them`() async throws {
        try await withBench { bench in
            let sandbox = try await bench.sandbox("--failures", "1")
            let folder = bench.folder.appending(path: "d\u{1B}]0;title\u{7}\u{9B}2J")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            let redeliver = try RedeliverProcess(bench: bench, folder: folder, settings: RedeliverSettings(sandbox))
            let backup = folder.appending(path: "backup\u{1B}c.db").path
            for arguments in [
                ["check"], ["run", "--once"], ["status"], ["doctor"], ["doctor", "--fix"], ["policies"],
                ["deliveries", "list"], ["database", "check"], ["database", "backup", backup], ["database", "prune"],
                ["database", "prune", "--confirm"], ["database", "restore", backup],
                ["database", "restore", backup, "--confirm"], ["run", "--once", "--log-level", "trace"],
            ] {
                let finished = try await bench.run(
                    "redeliver", arguments + ["--config", redeliver.configuration.path])
                let written = finished.output + finished.errors
                let steering = written.unicodeScalars.filter { $0 != "\n" && $0.properties.generalCategory == .control }
                #expect(steering.isEmpty && !written.isEmpty, "\(arguments): \(written.debugDescription)")
            }
        }
    }

    /// Checked when nothing is mistyped, and before anything is read or sent.
    @Test(
        arguments: [
            (["deliveries", "requeue"], "name a delivery by task id or number"),
            (["deliveries", "discard", "id:1", "--state", "scheduled", "--reason", "x"], "not both"),
            (["deliveries", "retry", "id:1"], "--reason is missing"),
            (["events", "--raw"], "--raw needs --examples"),
            (["endpoints", "create"], "give --url and at least one --event"),
            (["endpoints", "create", "--url", "https://a.test/x"], "give --url and at least one --event"),
            (["endpoints", "create", "--event", "a"], "give --url and at least one --event"),
            (["endpoints", "update", "e"], "nothing to change"),
            (["endpoints", "test", "e", "--event", "a", "--timeout", "5s"], "--timeout needs --wait"),
        ] as [([String], String)])
    func `options that do not say enough are refused with 64 and what to do`(
        arguments: [String], message: String
    ) async throws {
        try await withBench { bench in
            let finished = try await bench.run("redeliver", arguments + ["--config", "/none"])
            #expect(finished.ending == .code(64) && finished.errors.contains(message), "\(finished.errors)")
        }
    }

    @Test func `a level of the log that is none is told, and the usual one holds`() async throws {
        try await withBench { bench in
            let sandbox = try await bench.sandbox("--failures", "1")
            let redeliver = try bench.redeliver(RedeliverSettings(sandbox))
            let run = try await redeliver.run("run", "--once", environment: ["REDELIVER_LOG_LEVEL": "loud"])
            #expect(run.ending == .code(0) && run.errors.contains(" log read"))
            #expect(
                run.errors.hasPrefix(
                    "redeliver: REDELIVER_LOG_LEVEL: 'loud' is not a level; info is used; the levels are trace, "))
        }
    }

    @Test func `commands about a database or an object that is not there say so`() async throws {
        try await withBench { bench in
            let missing = bench.folder.appending(path: "none.db").path
            for arguments in [["status"], ["deliveries", "requeue", "1", "--reason", "x"]] {
                let finished = try await bench.run("redeliver", arguments + ["--database", missing])
                #expect(finished.ending == .code(74))
                #expect(finished.errors.contains(missing) && finished.errors.contains("there is no such file"))
                #expect(!FileManager.default.fileExists(atPath: missing))
            }
            let sandbox = try await bench.sandbox("--failures", "1")
            let redeliver = try bench.redeliver(RedeliverSettings(sandbox))
            _ = try await redeliver.once()
            let delivery = try await redeliver.run("deliveries", "requeue", "99", "--reason", "x")
            #expect(delivery.ending == .code(64) && delivery.errors.contains("there is no delivery 99"))
            let endpoint = try await redeliver.run("endpoints", "resume", "nowhere", "--reason", "x")
            #expect(endpoint.ending == .code(64) && endpoint.errors.contains("there is no endpoint nowhere"))
            // The usage helps with a wrong command line only.
            #expect(!(delivery.errors + endpoint.errors).contains("Usage"))
        }
    }

    @Test func `a directory that does not exist is refused with 74, and nothing is made`() async throws {
        try await withBench { bench in
            let sandbox = try await bench.sandbox("--failures", "1")
            var settings = RedeliverSettings(sandbox)
            settings.database = "not/there/redeliver.db"
            let redeliver = try bench.redeliver(settings)
            for arguments in [["run"], ["run", "--once"]] {
                let finished = try await bench.run("redeliver", arguments + ["--config", redeliver.configuration.path])
                #expect(finished.ending == .code(74))
                #expect(finished.errors.contains("not/there/redeliver.db"))
                #expect(finished.errors.contains("check that the folder exists"))
            }
            #expect(!FileManager.default.fileExists(atPath: redeliver.folder.appending(path: "not").path))
            #expect(try await sandbox.summary().logCalls == 0)
        }
    }

    @Test func `a text file in the database's place is refused and stays as it is`() async throws {
        try await withBench { bench in
            try await expectRefused(bench, saying: "no SQLite database") { url in
                let diary = String(repeating: "This is a diary.\n", count: 100)
                try diary.write(to: url, atomically: true, encoding: .utf8)
            }
        }
    }

    @Test func `another program's database is refused and stays byte-identical`() async throws {
        try await withBench { bench in
            try await expectRefused(bench, saying: "it belongs to another program") { url in
                try change(url, "CREATE TABLE diary (entry TEXT); INSERT INTO diary VALUES ('dear diary')")
            }
        }
    }

    @Test func `a newer database is refused, naming both versions, and stays byte-identical`() async throws {
        try await withBench { bench in
            try await expectRefused(bench, saying: "its schema has version 99, this program knows up to version 1;") {
                try change($0, "PRAGMA application_id = 1919183990; PRAGMA user_version = 99; CREATE TABLE new (a)")
            }
        }
    }

    // MARK: -

    private func expectRefused(_ bench: Bench, saying message: String, _ make: (URL) throws -> Void) async throws {
        let sandbox = try await bench.sandbox("--failures", "1")
        let redeliver = try bench.redeliver(RedeliverSettings(sandbox))
        try make(redeliver.database)
        let before = try Data(contentsOf: redeliver.database)
        for arguments in [["run"], ["run", "--once"], ["status"], ["deliveries", "requeue", "1", "--reason", "x"]] {
            let finished = try await bench.run("redeliver", arguments + ["--config", redeliver.configuration.path])
            #expect(finished.ending == .code(74), "\(arguments)")
            #expect(finished.errors.contains(message), "\(arguments): \(finished.errors)")
            #expect(finished.errors.contains(redeliver.database.path) && finished.errors.contains("; "))
            #expect(try Data(contentsOf: redeliver.database) == before)
        }
        let files = try FileManager.default.contentsOfDirectory(atPath: redeliver.folder.path).sorted()
        #expect(files == ["redeliver.db", "redeliver.db.lock", "redeliver.db.running", "redeliver.yaml"])
        #expect(try await sandbox.summary().logCalls == 0)
    }

    private func change(_ url: URL, _ sql: String) throws {
        let queue = try DatabaseQueue(path: url.path)
        try queue.writeWithoutTransaction { try $0.execute(sql: sql) }
        try queue.close()
    }
}
