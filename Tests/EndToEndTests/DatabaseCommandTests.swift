import Foundation
import TestSupport
import Testing

/// `redeliver database …` with the built programs, beside a daemon at work and without one.
@Suite struct DatabaseCommandTests {
    private func slow(_ sandbox: SandboxProcess) -> RedeliverSettings {
        var settings = RedeliverSettings(sandbox)
        settings.retry = "concurrency: 4, per_second: 20, burst: 2"
        return settings
    }

    @Test func `a backup while the daemon delivers is whole, and a restore is refused while it runs`() async throws {
        try await withBench { bench in
            let sandbox = try await bench.sandbox("--failures", "60", "--time", "milliseconds")
            let redeliver = try bench.redeliver(slow(sandbox))
            let daemon = try await redeliver.start()
            try await waitUntil("deliveries arrive") { try await redeliver.status().totals.delivered > 5 }
            for number in 0..<3 {
                let file = redeliver.folder.appending(path: "backup-\(number).db").path
                let backup = try await redeliver.run("database", "backup", file)
                #expect(backup.ending == .code(0), "\(backup.errors)")
                #expect(backup.output.hasPrefix("backup written and verified: \(file)\n  "))
                let check = try await bench.run("redeliver", ["database", "check", "--database", file])
                #expect(check.ending == .code(0), "\(check.output)")
            }
            let names = try FileManager.default.contentsOfDirectory(atPath: redeliver.folder.path)
            #expect(names.filter { $0.hasPrefix("backup") }.sorted() == ["backup-0.db", "backup-1.db", "backup-2.db"])

            let file = redeliver.folder.appending(path: "backup-0.db").path
            let again = try await redeliver.run("database", "backup", file)
            #expect(again.ending == .code(74) && again.errors.contains("the file exists"))
            let restore = try await redeliver.run("database", "restore", file, "--confirm")
            #expect(restore.ending == .code(75) && restore.errors.contains("process \(daemon.pid)"))
            let rehearsal = try await redeliver.run("database", "restore", file)
            #expect(rehearsal.ending == .code(0))
            #expect(rehearsal.output.contains("stop the daemon (process \(daemon.pid)) first"))
            let check = try await redeliver.run("database", "check")
            #expect(check.ending == .code(0), "\(check.output)")

            try await redeliver.waitUntilDelivered(60)
            #expect(try await daemon.stop() == .code(0))
            let summary = try await sandbox.summary()
            #expect(summary.arrived == 60 && summary.arrivedMoreThanOnce == 0)
        }
    }

    /// The way back in time: after the backup most retries are made, new failures come and are retried, the daemon dies
    /// in the middle of calls. The restored database must not lose any, nor send again what has arrived.
    @Test(arguments: ["same", "named", "silent", "in-place"])
    func `restoring an older backup loses nothing and doubles nothing, however the log shows retries`(shape: String)
        async throws
    {
        try await expectRestored(shape) { _ in }
    }

    /// When the replaced database tells nothing, the log alone has to.
    @Test(arguments: ["same", "in-place"])
    func `restoring over a damaged database loses nothing and doubles nothing`(shape: String) async throws {
        try await expectRestored(shape) { redeliver in
            for name in ["-wal", "-shm"] {
                try? FileManager.default.removeItem(atPath: redeliver.database.path + name)
            }
            try Data("this was a database".utf8).write(to: redeliver.database)
        }
    }

    private func expectRestored(_ shape: String, harm: @Sendable (RedeliverProcess) throws -> Void) async throws {
        try await withBench { bench in
            let sandbox = try await bench.sandbox(
                ["--failures", "50", "--refail", "12:1", "--time", "milliseconds", "--retry-logs", shape]
                    + (shape == "in-place" ? ["--in-place-updated-at"] : []))
            let redeliver = try bench.redeliver(slow(sandbox))
            let daemon = try await redeliver.start()
            try await waitUntil("some are delivered") { try await redeliver.status().totals.delivered >= 8 }
            let file = redeliver.folder.appending(path: "backup.db").path
            #expect(try await redeliver.run("database", "backup", file).ending == .code(0))
            try await sandbox.control(#"{"fail":{"count":10}}"#)
            try await waitUntil("many more are called") { try await sandbox.summary().retryCalls >= 55 }
            try await daemon.stop(SIGKILL)
            try harm(redeliver)

            let restore = try await redeliver.run("database", "restore", file, "--confirm")
            #expect(restore.ending == .code(0), "\(restore.errors)")
            #expect(restore.output.contains("the replaced database is kept as"))
            let check = try await redeliver.run("database", "check")
            #expect(check.ending == .code(0), "\(check.output)")
            let next = try await redeliver.start()
            try await waitUntil("all have arrived") {
                try await sandbox.summary().arrived == 60
            }
            // What arrived before the database was lost may be in the log as a success only: nothing is left to do for
            // it.
            let open = "SELECT COUNT(*) FROM delivery WHERE state <> 'delivered'"
            try await waitUntil("all that failed is known to have arrived") { try redeliver.number(open) == 0 }
            #expect(try await next.stop() == .code(0))

            let summary = try await sandbox.summary()
            #expect(summary.arrived == 60 && summary.arrivedBytesMatch == 60)
            #expect(summary.arrivedMoreThanOnce == 0)
            #expect(summary.maxConcurrentRetriesPerTask == 1)
        }
    }

    @Test func `a backup that finds no room leaves nothing behind`() async throws {
        try await withBench { bench in
            let sandbox = try await bench.sandbox("--failures", "20")
            let redeliver = try bench.redeliver(RedeliverSettings(sandbox))
            #expect(try await redeliver.once().ending == .code(0))
            let target = bench.folder.appending(path: "backups")
            try FileManager.default.createDirectory(at: target, withIntermediateDirectories: true)
            let shell = try #require(BuiltPrograms.tool("sh"))
            // 64 blocks of 512 bytes; the signal that would end the program is ignored, as on a full disk there is
            // none.
            let command = """
                trap '' XFSZ; ulimit -f 64
                '\(try BuiltPrograms.url(of: "redeliver").path)' database backup '\(target.path)/x.db' \
                --database '\(redeliver.database.path)' 2> /dev/null
                """
            let backup = try bench.start(shell, ["-c", command])
            #expect(try await backup.ending() == .code(74))
            #expect(try FileManager.default.contentsOfDirectory(atPath: target.path) == [])

            let noFolder = try await redeliver.run("database", "backup", "\(target.path)/none/x.db")
            #expect(noFolder.ending == .code(74) && noFolder.errors.contains("No such file or directory"))
        }
    }

    @Test func `damage is found and told with what to do, and no backup is made of it`() async throws {
        try await withBench { bench in
            let sandbox = try await bench.sandbox("--failures", "40")
            let redeliver = try bench.redeliver(RedeliverSettings(sandbox))
            let daemon = try await redeliver.start()
            try await redeliver.waitUntilDelivered(40)
            #expect(try await daemon.stop() == .code(0))
            let handle = try FileHandle(forUpdating: redeliver.database)
            try handle.seek(toOffset: try handle.seekToEnd() / 2)
            try handle.write(contentsOf: [UInt8](repeating: 0xA5, count: 16_384))
            try handle.close()

            let check = try await redeliver.run("database", "check", "--json")
            #expect(check.ending == .code(74) && check.output.contains("\"sound\" : false"))
            let text = try await redeliver.run("database", "check")
            #expect(text.output.contains("  to do: ") && text.output.hasSuffix("not sound\n"))
            let file = redeliver.folder.appending(path: "backup.db").path
            #expect(try await redeliver.run("database", "backup", file).ending == .code(74))
            let names = try FileManager.default.contentsOfDirectory(atPath: redeliver.folder.path)
            #expect(names.filter { $0.hasPrefix("backup") } == [])
            let doctor = try await redeliver.run("doctor")
            #expect(doctor.ending == .code(1) && doctor.output.contains(/database integrity +bad/))
        }
    }

    @Test func `pruning counts first, then removes beside the daemon`() async throws {
        try await withBench { bench in
            let sandbox = try await bench.sandbox("--failures", "5")
            let redeliver = try bench.redeliver(RedeliverSettings(sandbox))
            let first = try await redeliver.start()
            try await redeliver.waitUntilDelivered(5)
            try await first.stop()
            let week = 8 * 86_400_000
            try redeliver.change("UPDATE delivery SET finalized_ms = finalized_ms - \(week) WHERE state = 'delivered'")
            let rehearsal = try await redeliver.run("database", "prune")
            #expect(
                rehearsal.ending == .code(0) && rehearsal.output.contains("bodies of delivered deliveries  5 "))
            let bodies = "SELECT COUNT(*) FROM delivery_body WHERE body IS NULL"
            #expect(try redeliver.number(bodies) == 0)
            #expect(try await redeliver.run("database", "prune", "--confirm").ending == .code(0))
            #expect(try redeliver.number(bodies) == 5)

            let daemon = try await redeliver.start()
            #expect(try await redeliver.run("database", "prune", "--confirm").ending == .code(0))
            #expect(daemon.isRunning)
            try await daemon.stop()
        }
    }
}
