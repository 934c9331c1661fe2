import Foundation
import TestSupport
import Testing

/// `kill -9` at any moment loses nothing, and only what is unknown is sent again.
@Suite struct CrashTests {
    /// Kills the daemon again and again in mid-run, each time a little later, then lets it finish. The log shows
    /// retries, so nothing may arrive twice, whatever was in flight when it died.
    @Test(arguments: [UInt64(1), 2])
    func `kill -9 in mid-run loses nothing and doubles nothing`(seed: UInt64) async throws {
        try await withBench { bench in
            let sandbox = try await bench.sandbox(
                "--failures", "150", "--refail", "6:1", "--time", "milliseconds", "--seed", "\(seed)",
                "--latency", "30ms")
            var settings = RedeliverSettings(sandbox)
            settings.retry = "concurrency: 8, per_second: 60, burst: 8"
            settings.confirm = "interval: 250ms, within: 2s"
            let redeliver = try bench.redeliver(settings)
            for calls in [1, 20, 45, 80, 110] {
                let daemon = try await redeliver.start()
                try await waitUntil("\(calls) retry calls are made") {
                    try await sandbox.summary().retryCalls >= calls + Int(seed)
                }
                #expect(try await daemon.stop(SIGKILL) == .signal(SIGKILL))
            }
            let daemon = try await redeliver.start()
            try await redeliver.waitUntilDelivered(150)
            #expect(try await daemon.stop() == .code(0))

            let ledger = try await sandbox.ledger()
            #expect(ledger.summary.arrived == 150 && ledger.summary.arrivedBytesMatch == 150)
            #expect(ledger.summary.arrivedMoreThanOnce == 0)
            #expect(ledger.summary.maxConcurrentRetriesPerTask == 1)
            #expect(ledger.summary.retriesWhilePending == 0)
            #expect(try redeliver.settledAttempts() == ledger.executedRetries)
            #expect(try redeliver.number("SELECT COUNT(*) FROM attempt WHERE answer = 'interrupted'") > 0)
            #expect(try redeliver.number("SELECT COUNT(*) FROM attempt WHERE outcome IS NULL") == 0)
            #expect(try redeliver.texts("PRAGMA integrity_check") == ["ok"])
        }
    }

    /// All calls in flight when the process dies are never executed. The log rightly says nothing of them, and that
    /// must not be taken for a log that never shows retries.
    @Test func `calls that died before they were executed are sent again without an operator`() async throws {
        try await withBench { bench in
            let sandbox = try await bench.sandbox(
                "--failures", "8", "--endpoints", "1", "--latency", "1s", "--fault", "retry:drop-before:8")
            var settings = RedeliverSettings(sandbox)
            settings.confirm = "interval: 250ms, within: 1s"
            let redeliver = try bench.redeliver(settings)
            let daemon = try await redeliver.start()
            try await waitUntil("all calls are in flight") {
                try redeliver.number("SELECT COUNT(*) FROM delivery WHERE state = 'attempting'") == 8
            }
            try await daemon.stop(SIGKILL)
            try await sandbox.control(#"{"set":{"latency":"0ms"}}"#)

            let next = try await redeliver.start()
            try await redeliver.waitUntilDelivered(8)
            #expect(try await next.stop() == .code(0))
            let summary = try await sandbox.summary()
            #expect(summary.retryCalls == 16 && summary.retriesExecuted == 8)
            #expect(summary.arrived == 8 && summary.arrivedMoreThanOnce == 0)
        }
    }
}
