import Foundation
import TestSupport
import Testing

/// SIGHUP reads the configuration again.
@Suite struct ReloadTests {
    @Test func `a faulty file keeps the old configuration and says all of why, a good one takes effect`() async throws {
        try await withBench { bench in
            let sandbox = try await bench.sandbox("--failures", "10", "--successes", "0")
            var settings = RedeliverSettings(sandbox)
            settings.endpoints = [sandbox.endpoints[0]]
            let redeliver = try bench.redeliver(settings)
            let daemon = try await redeliver.start()
            try await redeliver.waitUntilDelivered(5)

            try redeliver.write(settings.yaml + "\nretries: 3\ncolour: red")
            daemon.send(SIGHUP)
            try await waitUntil("the fault is in the log") { daemon.errors.contains("the old one stays") }
            #expect(daemon.errors.contains("retries") && daemon.errors.contains("colour"))
            try await sandbox.control(#"{"fail":{"endpoint":0,"count":2}}"#)
            try await redeliver.waitUntilDelivered(7)

            settings.endpoints = sandbox.endpoints
            try redeliver.write(settings.yaml)
            daemon.send(SIGHUP)
            try await redeliver.waitUntilDelivered(12)
            #expect(daemon.isRunning && daemon.errors.contains("configuration reloaded"))
            #expect(try await daemon.stop() == .code(0))
            #expect(try await sandbox.summary().arrivedMoreThanOnce == 0)
        }
    }

    @Test func `another database is refused`() async throws {
        try await withBench { bench in
            let sandbox = try await bench.sandbox("--failures", "2")
            var settings = RedeliverSettings(sandbox)
            let redeliver = try bench.redeliver(settings)
            let daemon = try await redeliver.start()
            settings.database = "other.db"
            try redeliver.write(settings.yaml)
            daemon.send(SIGHUP)
            try await waitUntil("it is refused") { daemon.errors.contains("`database` cannot change") }
            #expect(!FileManager.default.fileExists(atPath: redeliver.folder.appending(path: "other.db").path))
            try await redeliver.waitUntilDelivered(2)
            #expect(try await daemon.stop() == .code(0))
        }
    }

    /// Once the database's lock is taken, which is before anything runs.
    @Test func `a SIGHUP in the middle of the start neither ends the daemon nor gets lost`() async throws {
        try await withBench { bench in
            let sandbox = try await bench.sandbox("--failures", "2")
            let redeliver = try bench.redeliver(RedeliverSettings(sandbox))
            let daemon = try bench.start("redeliver", ["run", "--config", redeliver.configuration.path])
            let lock = redeliver.database.path + ".lock"
            // Without a pause between the looks: the moment is short.
            let deadline = ContinuousClock.now + patience
            while ContinuousClock.now < deadline, !FileManager.default.fileExists(atPath: lock) { await Task.yield() }
            daemon.send(SIGHUP)
            try await waitUntil("it is reloaded") {
                guard daemon.isRunning else { throw SandboxError("it ended: \(daemon.errors)") }
                return daemon.errors.contains("configuration reloaded")
            }
            try await redeliver.waitUntilDelivered(2)
            #expect(try await daemon.stop() == .code(0))
        }
    }

    /// An entry that cannot be read is kept; what it lacks is judged anew, and in the end it is a delivery.
    @Test func `after other log_fields the kept entries have new reasons, which say what fields they have`()
        async throws
    {
        try await withBench { bench in
            let sandbox = try await bench.sandbox("--failures", "3", "--successes", "0")
            var settings = RedeliverSettings(sandbox)
            settings.fields = "task_id: [ticket]"
            let redeliver = try bench.redeliver(settings)
            let daemon = try await redeliver.start()
            func reasons() throws -> [String] {
                try redeliver.texts("SELECT DISTINCT reason || ': ' || detail FROM unreadable_entry")
            }
            try await waitUntil("the entries are kept") {
                try redeliver.number("SELECT COUNT(*) FROM unreadable_entry") == 3
            }
            let has = "; the entry has: task_id, event_type, customer_id, webhook_id, body, status, created_at, error"
            #expect(try reasons() == ["no_task_id: no string or integer in any of: ticket" + has])

            settings.fields = "outcome: [verdict]"
            try redeliver.write(settings.yaml)
            daemon.send(SIGHUP)
            try await waitUntil("they are judged anew") {
                try reasons() == ["no_outcome: no boolean, number or word in any of: verdict" + has]
            }
            settings.fields = ""
            try redeliver.write(settings.yaml)
            daemon.send(SIGHUP)
            try await redeliver.waitUntilDelivered(3)
            #expect(try reasons().isEmpty)
            #expect(try await daemon.stop() == .code(0))
        }
    }

    /// Calls are in flight while the configuration changes, many times in a row.
    @Test func `reloading in mid-run loses and doubles nothing`() async throws {
        try await withBench { bench in
            let sandbox = try await bench.sandbox("--failures", "60", "--latency", "50ms")
            var settings = RedeliverSettings(sandbox)
            settings.retry = "concurrency: 4, per_second: 40, burst: 4"
            let redeliver = try bench.redeliver(settings)
            let daemon = try await redeliver.start()
            for calls in [3, 12, 25, 26, 27] {
                try await waitUntil("\(calls) calls are made") { try await sandbox.summary().retryCalls >= calls }
                daemon.send(SIGHUP)
            }
            try await redeliver.waitUntilDelivered(60)
            #expect(try await daemon.stop() == .code(0))
            let summary = try await sandbox.summary()
            #expect(summary.arrived == 60 && summary.arrivedMoreThanOnce == 0)
            #expect(summary.maxConcurrentRetriesPerTask == 1 && summary.retryCalls == 60)
        }
    }
}
