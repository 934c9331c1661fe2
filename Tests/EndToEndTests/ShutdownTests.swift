import Foundation
import TestSupport
import Testing

/// A graceful stop lets calls in flight finish and records them.
@Suite struct ShutdownTests {
    /// The next daemon sees in the log that the calls of the first one arrived.
    private func expectNothingSentTwice(
        of count: Int, by redeliver: RedeliverProcess, to sandbox: SandboxProcess
    ) async throws {
        let next = try await redeliver.start()
        try await redeliver.waitUntilDelivered(count)
        try await next.stop()
        let summary = try await sandbox.summary()
        #expect(summary.retryCalls == count && summary.arrived == count && summary.arrivedMoreThanOnce == 0)
    }

    @Test(arguments: [SIGTERM, SIGINT])
    func `calls in flight finish and are recorded, and nothing is sent twice after a restart`(
        signal: Int32
    ) async throws {
        try await withBench { bench in
            let sandbox = try await bench.sandbox("--failures", "10", "--fault", "retry:slow=2s:10")
            let redeliver = try bench.redeliver(RedeliverSettings(sandbox))
            let daemon = try await redeliver.start()
            try await waitUntil("ten calls are in flight") { try await sandbox.summary().retryCalls == 10 }
            #expect(try await daemon.stop(signal) == .code(0))
            #expect(try redeliver.number("SELECT COUNT(*) FROM attempt WHERE answered_ms IS NULL") == 0)
            #expect(try redeliver.texts("SELECT DISTINCT answer FROM attempt") == ["accepted"])
            #expect(try redeliver.number("SELECT COUNT(*) FROM delivery WHERE state = 'attempting'") == 0)
            #expect(daemon.errors.contains("stopped"))

            try await expectNothingSentTwice(of: 10, by: redeliver, to: sandbox)
        }
    }

    /// Once the database's lock is taken, which is before anything runs.
    @Test(arguments: [SIGTERM, SIGINT]) func `a signal in the middle of the start stops the daemon in order`(
        signal: Int32
    ) async throws {
        try await withBench { bench in
            let redeliver = try bench.redeliver(RedeliverSettings(unreachable: "e"))
            for moment in ["lock", "start"] {
                let daemon = try bench.start("redeliver", ["run", "--config", redeliver.configuration.path])
                let lock = redeliver.database.path + ".lock"
                // Without a pause between the looks: the moment is short.
                let deadline = ContinuousClock.now + patience
                while ContinuousClock.now < deadline, daemon.isRunning {
                    let isLocked = FileManager.default.fileExists(atPath: lock)
                    if moment == "lock" ? isLocked : daemon.errors.contains(" started") { break }
                    await Task.yield()
                }
                #expect(try await daemon.stop(signal) == .code(0), "\(moment): \(daemon.errors)")
            }
        }
    }

    /// The provider never answers: the calls end with their timeout, unknown, and the log decides after the restart.
    @Test func `calls that the provider never answers hold a stop no longer than their timeout`() async throws {
        try await withBench { bench in
            let sandbox = try await bench.sandbox("--failures", "4", "--fault", "retry:slow=60s:4")
            var settings = RedeliverSettings(sandbox)
            settings.requestTimeout = "3s"
            let redeliver = try bench.redeliver(settings)
            let daemon = try await redeliver.start()
            try await waitUntil("four calls are in flight") { try await sandbox.summary().retryCalls == 4 }
            #expect(try await daemon.stop() == .code(0))
            try await waitUntil("the provider sees that its caller is gone") {
                try await sandbox.ledger().retries.allSatisfy { $0.clientLeft == true }
            }
            #expect(try redeliver.number("SELECT COUNT(*) FROM attempt WHERE answered_ms IS NULL") == 0)

            try await expectNothingSentTwice(of: 4, by: redeliver, to: sandbox)
        }
    }

    /// No code can end a thread that waits for its disk. `request_timeout` and 10 s later the stop is given up.
    @Test func `a stop that hangs in its disk is given up with 71, and the next start sends nothing twice`()
        async throws
    {
        try await withBench { bench in
            let sandbox = try await bench.sandbox("--failures", "10")
            var settings = RedeliverSettings(sandbox)
            settings.requestTimeout = "1s"
            let redeliver = try bench.redeliver(settings)
            let daemon = try await redeliver.start(environment: try KillPoint("wal-sync", 25).environment(signal: 0))
            try await waitUntil("a call of the disk hangs") { daemon.errors.contains("killed at wal-sync:25") }
            #expect(try await daemon.stop() == .code(71))
            #expect(daemon.errors.contains("the stop takes too long and is given up"), "\(daemon.errors)")

            let next = try await redeliver.start()
            try await redeliver.waitUntilDelivered(10)
            #expect(try await next.stop() == .code(0))
            #expect(try await sandbox.summary().arrivedMoreThanOnce == 0)
        }
    }

    @Test func `a log that is slow does not hold a stop longer than the timeout`() async throws {
        try await withBench { bench in
            let sandbox = try await bench.sandbox("--failures", "4", "--fault", "logs:slow=60s")
            var settings = RedeliverSettings(sandbox)
            settings.requestTimeout = "3s"
            let redeliver = try bench.redeliver(settings)
            let daemon = try await redeliver.start()
            try await waitUntil("the logs are asked for") { try await sandbox.summary().logCalls >= 2 }
            #expect(try await daemon.stop() == .code(0))
            try await waitUntil("the provider sees that its caller is gone") {
                try await sandbox.ledger().readings.allSatisfy { $0.clientLeft == true }
            }
        }
    }
}
