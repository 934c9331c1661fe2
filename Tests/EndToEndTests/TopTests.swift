import Foundation
import GRDB
import TestSupport
import Testing

/// `redeliver top` in a terminal: what it shows, and that it leaves the terminal as it was.
@Suite struct TopTests {
    /// A database with two endpoints and three deliveries that wait for ten minutes.
    private func filled(_ bench: Bench) async throws -> (sandbox: SandboxProcess, redeliver: RedeliverProcess) {
        let sandbox = try await bench.sandbox("--failures", "3", "--spread", "1s")
        var settings = RedeliverSettings(sandbox)
        settings.policy = "schedule: [10m, 10m]"
        let redeliver = try bench.redeliver(settings)
        #expect(try await redeliver.once().ending == .code(0))
        return (sandbox, redeliver)
    }

    private func top(
        _ bench: Bench, _ redeliver: RedeliverProcess, in terminal: PseudoTerminal, environment: [String: String] = [:]
    ) async throws -> RunningProgram {
        let program = try bench.start(
            "redeliver", ["top", "--database", redeliver.database.path], in: terminal, environment: environment)
        try await waitUntil("top shows the endpoints") {
            guard program.isRunning else { throw SandboxError("it ended: \(program.errors) \(terminal.written)") }
            return terminal.picture.contains("receiver-0") && terminal.picture.contains("receiver-1")
        }
        return program
    }

    @Test func `top shows the queue and follows what the daemon does`() async throws {
        try await withBench { bench in
            let (sandbox, redeliver) = try await filled(bench)
            let terminal = try PseudoTerminal()
            let program = try await top(bench, redeliver, in: terminal)
            for text in ["3 scheduled", "3 in 15 min", "calls: 0", "LAST FAILURES", "active"] {
                #expect(terminal.picture.contains(text), "\(text) is not in \(terminal.picture)")
            }

            try await sandbox.control(#"{"fail": {"count": 4}}"#)
            #expect(try await redeliver.once().ending == .code(0))
            try await waitUntil("the picture follows") { terminal.picture.contains("7 scheduled") }
            try await DatabaseQueue(path: redeliver.database.path).write {
                try $0.execute(sql: "UPDATE endpoint SET hold_reason = 'log_silent', hold_since_ms = 1")
            }
            try await waitUntil("the hold shows") { terminal.picture.contains("held: log_silent") }
            #expect(program.errors.isEmpty)
        }
    }

    @Test(arguments: ["q", "\u{3}"]) func `a key ends top and the terminal is as it was`(key: String) async throws {
        try await withBench { bench in
            let (_, redeliver) = try await filled(bench)
            let terminal = try PseudoTerminal()
            let before = terminal.settings
            let program = try await top(bench, redeliver, in: terminal)
            #expect(terminal.settings != before)

            terminal.type("xyz\u{1B}[A" + key)
            #expect(try await program.ending() == .code(0))
            expectGivenBack(terminal, before)
        }
    }

    @Test(arguments: [SIGTERM, SIGINT, SIGHUP]) func `a signal ends top and the terminal is as it was`(
        signal: Int32
    ) async throws {
        try await withBench { bench in
            let (_, redeliver) = try await filled(bench)
            let terminal = try PseudoTerminal()
            let before = terminal.settings
            let program = try await top(bench, redeliver, in: terminal)

            #expect(try await program.stop(signal) == .code(0))
            expectGivenBack(terminal, before)
        }
    }

    private func expectGivenBack(_ terminal: PseudoTerminal, _ before: [UInt8]) {
        let written = terminal.written
        #expect(!before.isEmpty && terminal.settings == before)
        #expect(written.hasPrefix("\u{1B}[?1049h") && written.hasSuffix("\u{1B}[?1049l"))
        #expect(written.components(separatedBy: "\u{1B}[?25l").count == 2)
        #expect(written.components(separatedBy: "\u{1B}[?25h").count == 2)
    }

    @Test func `a database that goes and comes back shows its error, and then itself`() async throws {
        try await withBench { bench in
            let (_, redeliver) = try await filled(bench)
            let terminal = try PseudoTerminal()
            let before = terminal.settings
            let program = try await top(bench, redeliver, in: terminal)
            let aside = redeliver.database.appendingPathExtension("aside")

            try FileManager.default.moveItem(at: redeliver.database, to: aside)
            try await waitUntil("the error shows") { terminal.picture.contains("the figures below are") }
            #expect(terminal.picture.contains("there is no such file") && terminal.picture.contains("receiver-0"))
            try FileManager.default.moveItem(at: aside, to: redeliver.database)
            try await waitUntil("the error is over") { !terminal.picture.contains("the figures below are") }
            #expect(terminal.picture.contains("3 scheduled"))
            terminal.type("q")
            #expect(try await program.ending() == .code(0))
            expectGivenBack(terminal, before)
        }
    }

    @Test func `the picture follows the size of the window`() async throws {
        try await withBench { bench in
            let (_, redeliver) = try await filled(bench)
            let terminal = try PseudoTerminal(columns: 60, rows: 20)
            let program = try await top(bench, redeliver, in: terminal)
            let lines = terminal.picture.components(separatedBy: "\r\n")
            #expect(lines.count <= 20 && lines.allSatisfy { $0.count <= 60 })

            terminal.resize(columns: 100, rows: 8)
            program.send(SIGWINCH)
            try await waitUntil("it is drawn anew") { terminal.picture.components(separatedBy: "\r\n").count == 8 }
            #expect(program.isRunning && terminal.picture.contains("receiver-1"))
            #expect(!terminal.picture.contains("LAST FAILURES"))
        }
    }

    @Test(arguments: [("", true), ("1", false)]) func `colours are there unless NO_COLOR refuses them`(
        value: String, hasColours: Bool
    ) async throws {
        try await withBench { bench in
            let (_, redeliver) = try await filled(bench)
            let terminal = try PseudoTerminal()
            _ = try await top(bench, redeliver, in: terminal, environment: ["NO_COLOR": value])
            #expect(terminal.written.contains("\u{1B}[1m") == hasColours)
        }
    }

    @Test func `without a terminal top is refused with 64 and points to status`() async throws {
        try await withBench { bench in
            let finished = try await bench.run("redeliver", ["top", "--database", "x.db"])
            #expect(finished.ending == .code(64) && finished.output.isEmpty)
            #expect(finished.errors.contains("`redeliver status`"))

            let terminal = try PseudoTerminal()
            let dumb = try bench.start(
                "redeliver", ["top", "--database", "x.db"], in: terminal, environment: ["TERM": "dumb"])
            #expect(try await dumb.ending() == .code(64))
        }
    }

    @Test func `a database that is not there at the start is an error, and the terminal is left alone`() async throws {
        try await withBench { bench in
            let terminal = try PseudoTerminal()
            let program = try bench.start("redeliver", ["top", "--database", "no-such.db"], in: terminal)
            #expect(try await program.ending() == .code(74))
            #expect(program.errors.contains("no-such.db") && terminal.written.isEmpty)
        }
    }
}
