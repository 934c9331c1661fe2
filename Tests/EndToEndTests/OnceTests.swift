import Foundation
import Testing

/// `run --once`, for cron.
@Suite struct OnceTests {
    @Test func `one turn delivers what is due, and a second one changes nothing`() async throws {
        try await withBench { bench in
            // The log answers a second after it was asked, so that it shows what the turn itself brought about.
            let sandbox = try await bench.sandbox("--failures", "24", "--refail", "2:50", "--latency", "1s")
            var settings = RedeliverSettings(sandbox)
            settings.policy = "initial_delay: 1s, multiplier: 10, max_delay: 1h, jitter: 0"
            let redeliver = try bench.redeliver(settings)
            let first = try await redeliver.once()
            #expect(first.ending == .code(0), "\(first.errors)")
            let status = try await redeliver.status()
            #expect(status.totals.delivered == 22 && status.totals.scheduled == 2 && status.retryCalls == 24)
            #expect(try await sandbox.summary().arrived == 22)
            #expect(try MetricsFile(redeliver.metrics).sum("redeliver_deliveries_finalized_total") == 22)

            let before = try tables(redeliver)
            #expect(try await redeliver.once().ending == .code(0))
            #expect(try tables(redeliver) == before)
            let summary = try await sandbox.summary()
            #expect(summary.retryCalls == 24 && summary.arrivedMoreThanOnce == 0)
        }
    }

    @Test func `a provider that is down ends the turn with 69 and a clear message`() async throws {
        try await withBench { bench in
            let sandbox = try await bench.sandbox("--failures", "3")
            try await sandbox.program.stop()
            let redeliver = try bench.redeliver(RedeliverSettings(sandbox))
            let finished = try await redeliver.once()
            #expect(finished.ending == .code(69))
            #expect(finished.errors.contains("reading the log of endpoint '\(sandbox.endpoints[0])'"))
            #expect(finished.errors.contains("check base_url, DNS, firewall and the provider's status"))
            #expect(try MetricsFile(redeliver.metrics).sum("redeliver_last_poll_success_timestamp_seconds") == 0)
            let status = try await redeliver.status()
            #expect(status.endpoints.allSatisfy { $0.lastPollError != nil })
        }
    }

    private func tables(_ redeliver: RedeliverProcess) throws -> [[String]] {
        try [
            "SELECT task_id || state || attempts_used || coalesce(next_attempt_ms, '') FROM delivery ORDER BY id",
            "SELECT id || delivery_id || coalesce(answer, '') || coalesce(outcome, '') FROM attempt ORDER BY id",
            "SELECT task_id || logged_ms || outcome FROM log_entry ORDER BY 1",
        ].map(redeliver.texts)
    }
}
