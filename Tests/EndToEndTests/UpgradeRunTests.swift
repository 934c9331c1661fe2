import Foundation
import Testing

/// The first start of this release on an older release's database.
@Suite struct UpgradeRunTests {
    @Test func `a daemon that meets an older database says where the copy of it is, delivers, and copies once`()
        async throws
    {
        try await withBench { bench in
            let sandbox = try await bench.sandbox("--failures", "6")
            let redeliver = try bench.redeliver(RedeliverSettings(sandbox))
            let old = try OldDatabase(at: redeliver.database, version: 4)
            try old.write("INSERT INTO endpoint (id, name, active, history_from_ms) VALUES ('gone', 'gone', 0, 0)")
            try old.close()

            let daemon = try await redeliver.start()
            try await redeliver.waitUntilDelivered(6)
            #expect(try await daemon.stop() == .code(0))
            #expect(try await redeliver.once().ending == .code(0))

            let names = try FileManager.default.contentsOfDirectory(atPath: redeliver.folder.path)
            let copies = names.filter { $0.hasPrefix("redeliver.db.before-schema-") }
            #expect(copies.count == 1)
            let copy = redeliver.folder.appending(path: try #require(copies.first)).path
            #expect(daemon.errors.contains("schema brought up to date") && daemon.errors.contains("copy=\(copy)"))
            // It can be looked at, and put back, like any backup.
            let rehearsal = try await redeliver.run("database", "restore", copy)
            #expect(rehearsal.ending == .code(0), "\(rehearsal.errors)")
        }
    }
}
