import Foundation
import TestSupport
import Testing

/// The ways in which a provider's log shows a retry, and the one in which it does not.
@Suite struct ConfirmationTests {
    @Test(arguments: [
        ["--retry-logs", "same", "--refail", "3:1"],
        ["--retry-logs", "named", "--refail", "3:1"],
        ["--retry-logs", "silent", "--refail", "3:1"],
        ["--retry-logs", "silent", "--integer-ids", "--null-customers"],
        ["--retry-logs", "in-place"],
        ["--retry-logs", "in-place", "--in-place-updated-at", "--refail", "3:1"],
        ["--retry-logs", "same", "--log-delay", "700ms", "--refail", "3:1"],
    ])
    func `a retry is proven whichever way the log shows it`(flags: [String]) async throws {
        try await withBench { bench in
            let sandbox = try await bench.sandbox(["--failures", "20", "--time", "milliseconds"] + flags)
            var settings = RedeliverSettings(sandbox)
            settings.confirm = "interval: 250ms, within: 8s"
            let redeliver = try bench.redeliver(settings)
            let daemon = try await redeliver.start()
            try await redeliver.waitUntilDelivered(20)
            #expect(try await daemon.stop() == .code(0))

            let ledger = try await sandbox.ledger()
            let refailed = flags.contains("--refail") ? 3 : 0
            #expect(ledger.summary.arrivedBytesMatch == 20 && ledger.summary.arrivedMoreThanOnce == 0)
            #expect(ledger.summary.retryCalls == 20 + refailed)
            #expect(try redeliver.number("SELECT SUM(attempts_used) FROM delivery") == refailed)
            #expect(try redeliver.number("SELECT COUNT(*) FROM delivery") == 20)
            #expect(try redeliver.texts("SELECT DISTINCT delivered_by FROM delivery") == ["worker"])
        }
    }

    @Test func `where the log never shows retries, the answer proves them if it may`() async throws {
        try await withBench { bench in
            let sandbox = try await bench.sandbox("--failures", "20", "--retry-logs", "never")
            var settings = RedeliverSettings(sandbox)
            settings.confirm = "by: answer, interval: 250ms"
            let redeliver = try bench.redeliver(settings)
            let daemon = try await redeliver.start()
            try await redeliver.waitUntilDelivered(20)
            try await daemon.stop()
            #expect(try redeliver.texts("SELECT DISTINCT delivered_evidence FROM delivery") == ["answer"])
            try await waitUntil("all have arrived") { try await sandbox.summary().arrived == 20 }
            #expect(try await sandbox.summary().retryCalls == 20)
        }
    }

    /// The whole way out of a log that never shows retries: held with a message, corrected, resumed.
    @Test func `a log that never shows retries holds the endpoint until the operator has changed the setting`()
        async throws
    {
        try await withBench { bench in
            let sandbox = try await bench.sandbox("--failures", "5", "--endpoints", "1", "--retry-logs", "never")
            var settings = RedeliverSettings(sandbox)
            settings.confirm = "interval: 250ms, within: 1s"
            settings.policy = "initial_delay: 2s, multiplier: 1, max_delay: 2s, jitter: 0"
            let redeliver = try bench.redeliver(settings)
            let daemon = try await redeliver.start()
            try await waitUntil("the endpoint is held") {
                try redeliver.texts("SELECT hold_reason FROM endpoint") == ["log_silent"]
            }
            try await waitUntil("the log says what to do") {
                daemon.errors.contains("set confirm.by: answer and run redeliver endpoints resume")
            }
            let status = try await redeliver.status()
            #expect(status.totals.held == 5 && status.endpoints[0].heldBecause == "log_silent")
            #expect(status.unconfirmedCalls == 5 && status.retryCalls == 5)
            #expect(try redeliver.texts("SELECT attempts_used FROM delivery") == ["1", "1", "1", "1", "1"])
            #expect(try redeliver.texts("SELECT DISTINCT outcome FROM attempt") == ["unconfirmed"])

            settings.confirm = "by: answer, interval: 250ms"
            try redeliver.write(settings.yaml)
            daemon.send(SIGHUP)
            try await waitUntil("it is reloaded") { daemon.errors.contains("configuration reloaded") }
            #expect(try await redeliver.status().endpoints[0].heldBecause == "log_silent")
            let resumed = try await redeliver.run(
                "endpoints", "resume", sandbox.endpoints[0], "--reason", "the log has no retries")
            #expect(resumed.ending == .code(0), "\(resumed.errors)")
            // Whatever comes new makes the daemon look at once, not only after its longest sleep.
            try await sandbox.control(#"{"fail":{}}"#)
            try await redeliver.waitUntilDelivered(6)
            #expect(try redeliver.texts("SELECT reason FROM operator_action") == ["the log has no retries"])
            #expect(try await daemon.stop() == .code(0))
        }
    }
}
