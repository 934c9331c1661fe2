import Foundation
import Testing

/// One daemon per database; readers at any time.
@Suite struct InstanceTests {
    @Test func `a second daemon is refused and names the first one's process`() async throws {
        try await withBench { bench in
            let sandbox = try await bench.sandbox("--failures", "5")
            let redeliver = try bench.redeliver(RedeliverSettings(sandbox))
            let daemon = try await redeliver.start()
            for arguments in [["run"], ["run", "--once"]] {
                let second = try await bench.run("redeliver", arguments + ["--config", redeliver.configuration.path])
                #expect(second.ending == .code(75))
                #expect(second.errors.contains("process \(daemon.pid)"))
                #expect(second.errors.contains("stop that one first"))
            }
            #expect(daemon.isRunning)
            try await redeliver.waitUntilDelivered(5)
            #expect(try await daemon.stop() == .code(0))
            #expect(try await redeliver.once().ending == .code(0))
        }
    }

    @Test func `status works while the daemon runs, after a clean stop and after kill -9`() async throws {
        try await withBench { bench in
            let sandbox = try await bench.sandbox("--failures", "5")
            let redeliver = try bench.redeliver(RedeliverSettings(sandbox))
            let daemon = try await redeliver.start()
            try await redeliver.waitUntilDelivered(5)
            #expect(try await redeliver.status().totals.delivered == 5)
            try await daemon.stop()
            #expect(try await redeliver.status().totals.delivered == 5)
            let text = try await redeliver.run("status")
            #expect(text.ending == .code(0) && text.output.hasPrefix("5 delivered, 0 scheduled"))

            let next = try await redeliver.start()
            try await sandbox.control(#"{"fail":{"count":2}}"#)
            try await redeliver.waitUntilDelivered(7)
            try await next.stop(SIGKILL)
            #expect(try await redeliver.status().totals.delivered == 7)
            #expect(try redeliver.number("SELECT COUNT(*) FROM v_by_event_type") > 0)
        }
    }

    /// The database's files and folder without write permission, as on-call's group sees them.
    @Test(.enabled(if: getuid() != 0 || BuiltPrograms.tool("setpriv") != nil))
    func `a user who may only read can open the database while no daemon runs`() async throws {
        try await withBench { bench in
            let sandbox = try await bench.sandbox("--failures", "3")
            let redeliver = try bench.redeliver(RedeliverSettings(sandbox))
            #expect(try await redeliver.once().ending == .code(0))
            let files = FileManager.default
            for name in try files.contentsOfDirectory(atPath: redeliver.folder.path) {
                try files.setAttributes(
                    [.posixPermissions: 0o444], ofItemAtPath: redeliver.folder.appending(path: name).path)
            }
            try files.setAttributes([.posixPermissions: 0o555], ofItemAtPath: redeliver.folder.path)
            defer { try? files.setAttributes([.posixPermissions: 0o755], ofItemAtPath: redeliver.folder.path) }

            let status = try await asOrdinaryUser(bench, ["status", "--database", redeliver.database.path])
            if [.code(126), .code(127)].contains(status.ending) {
                return print("the build folder is closed to other users: reading as one of them is skipped")
            }
            #expect(status.ending == .code(0), "\(status.errors)")
            #expect(status.output.contains("delivered"))
        }
    }

    /// Root may write whatever the mode says, so it becomes somebody else first.
    private func asOrdinaryUser(_ bench: Bench, _ arguments: [String]) async throws -> Finished {
        guard getuid() == 0, let setpriv = BuiltPrograms.tool("setpriv") else {
            return try await bench.run("redeliver", arguments)
        }
        let program = try BuiltPrograms.url(of: "redeliver").path
        let child = try bench.start(
            setpriv, ["--reuid", "65534", "--regid", "65534", "--clear-groups", program] + arguments)
        return Finished(ending: try await child.ending(), output: child.output, errors: child.errors)
    }
}
