import Foundation
import TestSupport
import Testing

/// What the service's user, or whoever may write to its folders, plants there: it harms no file of others, and it keeps
/// nothing waiting.
@Suite struct PlantedFileTests {
    /// The files beside a database have fixed names.
    @Test(arguments: [".lock", ".running", "-wal", "-shm", "-journal"])
    func `a link beside the database is followed by no command of root`(ending: String) async throws {
        try await withBench { bench in
            let sandbox = try await bench.sandbox("--failures", "1")
            let redeliver = try bench.redeliver(RedeliverSettings(sandbox))
            #expect(try await redeliver.once().ending == .code(0))
            let backup = bench.folder.appending(path: "backup.db").path
            #expect(try await redeliver.run("database", "backup", backup).ending == .code(0))
            let victim = bench.folder.appending(path: "victim")
            try "precious".write(to: victim, atomically: false, encoding: .utf8)
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: victim.path)
            let link = URL(filePath: redeliver.database.path + ending)

            for command in [
                ["database", "restore", backup, "--confirm"], ["database", "prune", "--confirm"], ["run", "--once"],
                ["doctor", "--fix"],
            ] {
                try? FileManager.default.removeItem(at: link)
                try FileManager.default.createSymbolicLink(at: link, withDestinationURL: victim)
                _ = try await bench.run("redeliver", command + ["--config", redeliver.configuration.path])

                let facts = try FileManager.default.attributesOfItem(atPath: victim.path)
                #expect(try String(contentsOf: victim, encoding: .utf8) == "precious", "\(command)")
                #expect(facts[.posixPermissions] as? Int == 0o600, "\(command)")
                #expect(facts[.ownerAccountID] as? Int == Int(getuid()), "\(command)")
            }
        }
    }

    @Test func `a link as the lock is refused in words`() async throws {
        try await withBench { bench in
            let redeliver = try bench.redeliver(RedeliverSettings(unreachable: "e"))
            try FileManager.default.createSymbolicLink(
                atPath: redeliver.database.path + ".lock", withDestinationPath: "/etc/hostname")
            let refused = try await redeliver.once()
            #expect(refused.ending == .code(74))
            #expect(refused.errors.contains("redeliver.db.lock: it is a symbolic link, which is not followed here"))
        }
    }

    /// The operator may name a link; another user's link in the database's place may lead anywhere.
    @Test func `root follows its own link to a database, and nobody else's`() async throws {
        guard getuid() == 0 else { return print("only root can make a link of another user: skipped") }
        try await withBench { bench in
            let sandbox = try await bench.sandbox("--failures", "1")
            let redeliver = try bench.redeliver(RedeliverSettings(sandbox))
            let real = bench.folder.appending(path: "real.db")
            try FileManager.default.createSymbolicLink(at: redeliver.database, withDestinationURL: real)
            #expect(try await redeliver.once().ending == .code(0))

            #expect(lchown(redeliver.database.path, 65_534, 65_534) == 0)
            let before = try Data(contentsOf: real)
            for command in [["run", "--once"], ["database", "prune", "--confirm"], ["status"]] {
                let refused = try await bench.run("redeliver", command + ["--config", redeliver.configuration.path])
                #expect(refused.ending == .code(74), "\(command)")
                #expect(refused.errors.contains("a symbolic link that another user made (user 65534)"), "\(command)")
            }
            #expect(try Data(contentsOf: real) == before)
        }
    }

    // MARK: - FIFOs

    @Test func `a FIFO as configuration, token or database is refused at once`() async throws {
        try await withBench { bench in
            let pipe = bench.folder.appending(path: "pipe")
            #expect(mkfifo(pipe.path, 0o600) == 0)
            let configuration = try await bench.run("redeliver", ["check", "--config", pipe.path])
            #expect(configuration.ending == .code(78) && configuration.errors.contains("it is a FIFO, not a file"))

            var settings = RedeliverSettings(unreachable: "e")
            settings.auth = "token_file: \(pipe.path)"
            let token = try await bench.redeliver(settings).run("check")
            #expect(token.ending == .code(78) && token.errors.contains("token_file: it is a FIFO, not a file"))

            var named = RedeliverSettings(unreachable: "e")
            named.database = pipe.path
            for command in [
                ["run", "--once"], ["status"], ["database", "check"], ["database", "prune", "--confirm"],
            ] {
                let redeliver = try bench.redeliver(named)
                let refused = try await bench.run("redeliver", command + ["--config", redeliver.configuration.path])
                #expect(refused.ending == .code(74), "\(command)")
                #expect(refused.errors.contains("it is a FIFO, not a file"), "\(command)")
            }
        }
    }

    /// SQLite waits for it for ever, or says "disk I/O error".
    @Test(arguments: ["-journal", "-wal", "-shm"])
    func `a FIFO or a folder beside the database is refused by its name`(ending: String) async throws {
        try await withBench { bench in
            let sandbox = try await bench.sandbox("--failures", "1")
            let redeliver = try bench.redeliver(RedeliverSettings(sandbox))
            #expect(try await redeliver.once().ending == .code(0))
            let backup = bench.folder.appending(path: "backup.db").path
            #expect(try await redeliver.run("database", "backup", backup).ending == .code(0))
            let planted = redeliver.database.path + ending
            for kind in ["a FIFO", "a folder"] {
                try? FileManager.default.removeItem(atPath: planted)
                if kind == "a FIFO" {
                    #expect(mkfifo(planted, 0o640) == 0)
                } else {
                    #expect(mkdir(planted, 0o750) == 0)
                }
                for command in [
                    ["run", "--once"], ["run"], ["status"], ["deliveries", "list"], ["database", "check"],
                    ["database", "prune", "--confirm"], ["database", "backup", backup + ".2"],
                    ["database", "restore", backup, "--confirm"], ["doctor", "--fix"],
                ] {
                    let words = command + ["--config", redeliver.configuration.path]
                    let refused = try await bench.run("redeliver", words)
                    #expect(refused.ending == .code(command[0] == "doctor" ? 1 : 74), "\(command)")
                    let reason = "redeliver.db\(ending) is \(kind), not a file"
                    #expect((refused.errors + refused.output).contains(reason), "\(command): \(refused.errors)")
                }
            }
        }
    }

    @Test func `a FIFO beside a backup is refused by its name`() async throws {
        try await withBench { bench in
            let sandbox = try await bench.sandbox("--failures", "1")
            let redeliver = try bench.redeliver(RedeliverSettings(sandbox))
            #expect(try await redeliver.once().ending == .code(0))
            let backup = bench.folder.appending(path: "backup.db").path
            #expect(try await redeliver.run("database", "backup", backup).ending == .code(0))
            #expect(mkfifo(backup + "-journal", 0o640) == 0)
            let refused = try await redeliver.run("database", "restore", backup, "--confirm")
            #expect(refused.ending == .code(74) && refused.errors.contains("backup.db-journal is a FIFO, not a file"))
        }
    }

    @Test func `a FIFO as the lock is refused, and one in the place of the file for readers stops nothing`()
        async throws
    {
        try await withBench { bench in
            let sandbox = try await bench.sandbox("--failures", "1")
            let redeliver = try bench.redeliver(RedeliverSettings(sandbox))
            #expect(try await redeliver.once().ending == .code(0))
            let backup = bench.folder.appending(path: "backup.db").path
            #expect(try await redeliver.run("database", "backup", backup).ending == .code(0))
            for ending in [".lock", ".running"] {
                let planted = redeliver.database.path + ending
                try FileManager.default.removeItem(atPath: planted)
                #expect(mkfifo(planted, 0o600) == 0)
                for command in [
                    ["run", "--once"], ["database", "prune", "--confirm"],
                    ["database", "restore", backup, "--confirm"],
                ] {
                    let ended = try await bench.run("redeliver", command + ["--config", redeliver.configuration.path])
                    let isRefused = ended.errors.contains("redeliver.db.lock: it is a FIFO, not a file")
                    #expect(isRefused == (ending == ".lock"), "\(command) \(ending): \(ended.errors)")
                    #expect(ended.ending == .code(isRefused ? 74 : 0), "\(command) \(ending)")
                }
                try FileManager.default.removeItem(atPath: planted)
            }
        }
    }

    /// A FIFO with the name of the temporary file stopped the metrics for ever and made SIGTERM end in a trap.
    @Test func `nothing in the folder of the metrics holds the daemon up`() async throws {
        try await withBench { bench in
            let sandbox = try await bench.sandbox("--failures", "2")
            let redeliver = try bench.redeliver(RedeliverSettings(sandbox))
            for name in [redeliver.metrics.path, redeliver.metrics.path + ".tmp"] {
                #expect(mkfifo(name, 0o644) == 0)
            }
            let daemon = try await redeliver.start()
            try await redeliver.waitUntilDelivered(2)
            try await waitUntil("the metrics are written") {
                // To open the FIFO would hold the test up.
                try FileManager.default.attributesOfItem(atPath: redeliver.metrics.path)[.type] as? FileAttributeType
                    == .typeRegular
            }
            #expect(try await daemon.stop() == .code(0))
        }
    }
}
