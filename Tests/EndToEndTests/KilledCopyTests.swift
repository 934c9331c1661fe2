import Foundation
import Testing

/// `redeliver database backup` and `restore`, killed at every step that they take.
@Suite struct KilledCopyTests {
    private static let points: [KillPoint] =
        [1, 2, 3, 20, 60].map { KillPoint("copy-write", $0) } + [5, 33].map { KillPoint("copy-write/half", $0) }
        + [KillPoint("copy-sync"), KillPoint("copy-sync/after")]
    private static let content = "SELECT group_concat(task_id || state || attempts_used) FROM delivery"

    /// A database with something in it that no daemon works on, and the sandbox that it is of.
    private func filled(_ bench: Bench) async throws -> RedeliverProcess {
        let sandbox = try await bench.sandbox("--failures", "60", "--time", "milliseconds")
        let redeliver = try bench.redeliver(RedeliverSettings(sandbox))
        try #require(try await redeliver.once().ending == .code(0))
        return redeliver
    }

    private func isWhole(_ file: URL, _ bench: Bench) async throws -> Bool {
        try await bench.run("redeliver", ["database", "check", "--database", file.path]).ending == .code(0)
    }

    private func leftovers(_ redeliver: RedeliverProcess) throws -> [URL] {
        try FileManager.default.contentsOfDirectory(atPath: redeliver.folder.path).filter { $0.contains(".partial-") }
            .map { redeliver.folder.appending(path: $0) }
    }

    @Test func `a backup that is killed leaves no half file under its name and harms nothing`() async throws {
        try await withBench { bench in
            let redeliver = try await filled(bench)
            let before = try redeliver.texts(Self.content)
            let file = redeliver.folder.appending(path: "backup.db")
            for point in Self.points + [KillPoint("copy-link")] {
                let backup = try await redeliver.run(
                    "database", "backup", file.path, environment: try point.environment())
                #expect(backup.ending == .signal(SIGKILL), "\(point)")
                #expect(!FileManager.default.fileExists(atPath: file.path), "\(point)")
                #expect(try redeliver.texts(Self.content) == before, "\(point)")
                let leftovers = try leftovers(redeliver)
                #expect(leftovers.count { !$0.path.hasSuffix("-journal") } == 1, "\(point): \(leftovers)")
                for leftover in leftovers { try FileManager.default.removeItem(at: leftover) }
            }
            let published = KillPoint("copy-link/after")
            #expect(
                try await redeliver.run("database", "backup", file.path, environment: try published.environment())
                    .ending
                    == .signal(SIGKILL))
            #expect(try await isWhole(file, bench))
            try FileManager.default.removeItem(at: file)
            #expect(try await redeliver.run("database", "backup", file.path).ending == .code(0))
            #expect(try await isWhole(file, bench))
            #expect(try await isWhole(redeliver.database, bench))
        }
    }

    /// At each moment the database is the old one or the restored one, whole, and the restore can be done again.
    @Test func `a restore that is killed leaves the old database or the new one, whole`() async throws {
        try await withBench { bench in
            let redeliver = try await filled(bench)
            let file = redeliver.folder.appending(path: "backup.db")
            #expect(try await redeliver.run("database", "backup", file.path).ending == .code(0))
            try redeliver.change("UPDATE delivery SET last_error = 'younger than the backup'")
            let old = try redeliver.texts(Self.content)
            for point in Self.points + [
                KillPoint("copy-rename"), KillPoint("copy-rename/after"), KillPoint("wal-write", 3),
            ] {
                let restore = try await redeliver.run(
                    "database", "restore", file.path, "--confirm", environment: try point.environment())
                #expect(restore.ending == .signal(SIGKILL), "\(point): \(restore.output) \(restore.errors)")
                #expect(try await isWhole(redeliver.database, bench), "\(point)")
                #expect(try redeliver.texts(Self.content) == old, "\(point)")
                let isOld = try redeliver.number("SELECT COUNT(*) FROM delivery WHERE last_error LIKE 'younger%'") > 0
                #expect(isOld || point.kind == "copy-rename/after" || point.kind == "wal-write", "\(point)")
                for leftover in try leftovers(redeliver) { try FileManager.default.removeItem(at: leftover) }
                // The name of what is kept has a resolution of one second.
                for name in try FileManager.default.contentsOfDirectory(atPath: redeliver.folder.path)
                where name.contains(".before-restore-") {
                    try FileManager.default.removeItem(at: redeliver.folder.appending(path: name))
                }
            }
            #expect(try await redeliver.run("database", "restore", file.path, "--confirm").ending == .code(0))
            #expect(try await isWhole(redeliver.database, bench))
            #expect(try await isWhole(file, bench))
            #expect(try redeliver.number("SELECT COUNT(*) FROM delivery WHERE last_error LIKE 'younger%'") == 0)
        }
    }
}
