import Foundation
import TestSupport
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

    /// The process id of another pid namespace means nothing here: without its host the refusal would name a process
    /// that is not there, or somebody else's.
    @Test func `a second daemon in another container is refused, from either side`() async throws {
        try await withBench { bench in
            guard let unshare = try await containers(bench) else {
                return print("unshare is not permitted: the test of two containers is skipped")
            }
            let inside = [
                "--pid", "--fork", "--mount-proc", "--kill-child", try BuiltPrograms.url(of: "redeliver").path,
            ]
            let sandbox = try await bench.sandbox("--failures", "5")
            let redeliver = try bench.redeliver(RedeliverSettings(sandbox))
            let run = ["run", "--config", redeliver.configuration.path]

            let outer = try await redeliver.start()
            let second = try await bench.run(unshare, inside + run)
            #expect(second.ending == .code(75))
            #expect(second.errors.contains("(process \(outer.pid) of "), "\(second.errors)")
            #expect(second.errors.contains("which is another container or machine) already works on it; stop that one"))
            #expect(try await outer.stop(SIGKILL) == .signal(SIGKILL))

            let inner = try bench.start(unshare, inside + run)
            try await waitUntil("the daemon in the container starts") { inner.errors.contains(" started") }
            let outside = try await bench.run("redeliver", run)
            #expect(outside.ending == .code(75))
            #expect(outside.errors.contains(/\(process [12] of [^ ]+, which is another container or machine\)/))
            let doctor = try await redeliver.run("doctor")
            #expect(doctor.output.contains(/daemon +ok +runs *\n/), "\(doctor.output)")
            try await inner.stop(SIGKILL)
            #expect(try await redeliver.once().ending == .code(0))
        }
    }

    /// nil where this user may not make a pid namespace.
    private func containers(_ bench: Bench) async throws -> URL? {
        guard let unshare = BuiltPrograms.tool("unshare") else { return nil }
        let trial = try await bench.run(unshare, ["--pid", "--fork", "--mount-proc", "--kill-child", "true"])
        return trial.ending == .code(0) ? unshare : nil
    }

    @Test(arguments: ["1\n", "\u{0}\u{1b}[2Jgarbage", ""])
    func `the lock file of a killed daemon is no obstacle, whatever stands in it`(garbage: String) async throws {
        try await withBench { bench in
            let sandbox = try await bench.sandbox("--failures", "3")
            let redeliver = try bench.redeliver(RedeliverSettings(sandbox))
            try await redeliver.start().stop(SIGKILL)
            let lock = URL(filePath: redeliver.database.path + ".lock")
            try Data(garbage.utf8).write(to: lock)
            try FileManager.default.setAttributes([.posixPermissions: 0o444], ofItemAtPath: lock.path)

            let daemon = try await redeliver.start()
            let second = try await redeliver.once()
            #expect(second.ending == .code(75) && second.errors.contains("(process \(daemon.pid))"))
            try await redeliver.waitUntilDelivered(3)
            #expect(try await daemon.stop() == .code(0))
        }
    }

    @Test(arguments: [("0x6969", "NFS"), ("0xff534d42", "CIFS"), ("0xfe534d42", "SMB2"), ("0x517b", "SMB")])
    func `a database on a network file system is refused before anything is made`(type: String, name: String)
        async throws
    {
        try await withBench { bench in
            let sandbox = try await bench.sandbox("--failures", "1")
            let redeliver = try bench.redeliver(RedeliverSettings(sandbox))
            let environment = try KillPoint.environment(fileSystem: type)

            let refused = try await redeliver.run("run", "--once", environment: environment)
            #expect(refused.ending == .code(74))
            #expect(refused.errors.contains("lies on \(name), a network file system; name a file on a local disk"))
            #expect(try FileManager.default.contentsOfDirectory(atPath: redeliver.folder.path) == ["redeliver.yaml"])
            let doctor = try await redeliver.run("doctor", environment: environment)
            #expect(doctor.output.contains("is on \(name), a network file system, which the daemon refuses"))
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
}
