import Foundation
import Testing

/// The first start of this release on a database of a build before the first release.
@Suite struct UpgradeRunTests {
    @Test func `a daemon refuses an unreleased build's database, says what to do, and starts once that is done`()
        async throws
    {
        try await withBench { bench in
            let sandbox = try await bench.sandbox("--failures", "6")
            let redeliver = try bench.redeliver(RedeliverSettings(sandbox))
            let old = try ForeignRelease(at: redeliver.database)
            try old.write("UPDATE schema_migration SET sha256 = zeroblob(32); PRAGMA user_version = 9")
            try old.close()
            let before = try Data(contentsOf: redeliver.database)

            let refused = try await redeliver.once()
            #expect(refused.ending != .code(0) && refused.errors.contains("unreleased build of Redeliver"))
            #expect(refused.errors.contains("move it away") && refused.errors.contains("poll.initial_lookback"))
            #expect(try Data(contentsOf: redeliver.database) == before)

            try FileManager.default.moveItem(
                at: redeliver.database, to: redeliver.folder.appending(path: "unreleased.db"))
            let daemon = try await redeliver.start()
            try await redeliver.waitUntilDelivered(6)
            #expect(try await daemon.stop() == .code(0))
        }
    }
}
