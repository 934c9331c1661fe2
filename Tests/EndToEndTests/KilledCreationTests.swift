import Foundation
import TestSupport
import Testing

/// A daemon that is killed while it makes its database.
@Suite struct KilledCreationTests {
    /// Kills at every n-th write into the log, whole and torn, until a start passes untouched; the steps are far apart
    /// in a usual test run. After each kill the next start goes on.
    @Test func `a first start that is killed anywhere goes on at the next start`() async throws {
        try await withBench { bench in
            let stride = Torture.isEndless ? 1 : 13
            var number = 1
            var kills = 0
            while try await create(killedAt: KillPoint(number % 2 == 0 ? "wal-write" : "wal-write/half", number), bench)
            {
                kills += 1
                number += stride
            }
            for number in 1...4 where try await create(killedAt: KillPoint("main-write", number), bench) { kills += 1 }
            print("first start: \(kills) kills, each followed by a start that went on")
            #expect(kills > 5)
        }
    }

    /// - Returns: false when the point lies behind the start.
    private func create(killedAt point: KillPoint, _ bench: Bench) async throws -> Bool {
        let redeliver = try bench.redeliver(RedeliverSettings(unreachable: "e"))
        let daemon = try bench.start(
            "redeliver", ["run", "--config", redeliver.configuration.path], environment: try point.environment())
        try await waitUntil("it is killed or ready") { !daemon.isRunning || daemon.errors.contains(" started") }
        let wasReady = daemon.errors.contains(" started")
        try #require(try await daemon.stop(SIGKILL) == .signal(SIGKILL), "\(point): \(daemon.errors)")
        guard !wasReady else { return false }

        let next = try await redeliver.start()
        try await waitUntil("\(point): its endpoint is entered") {
            try redeliver.texts("SELECT id || active FROM endpoint") == ["e1"]
        }
        #expect(try await next.stop(SIGKILL) == .signal(SIGKILL))
        #expect(try redeliver.texts("PRAGMA integrity_check") == ["ok"], "\(point)")
        #expect(try redeliver.number("PRAGMA user_version") == Self.newest, "\(point)")
        return true
    }

    private static let newest: Int = {
        let folder = URL(filePath: #filePath).appending(path: "../../../migrations").standardizedFileURL
        return (try? FileManager.default.contentsOfDirectory(atPath: folder.path).count { $0.hasSuffix(".sql") }) ?? 0
    }()
}
