import Foundation
import Testing

/// The main job: real failed deliveries, real HTTP, until the receivers have them.
@Suite struct MainRunTests {
    /// 300 deliveries of 4 event types at 2 endpoints, 12 of which fail twice more. The ledger is the witness, the
    /// database has to agree with it, and the metrics file with the database.
    @Test func `three hundred deliveries arrive once each, with the same bytes, and every book agrees`() async throws {
        try await withBench { bench in
            let sandbox = try await bench.sandbox("--failures", "300", "--refail", "12:2", "--time", "milliseconds")
            let redeliver = try bench.redeliver(RedeliverSettings(sandbox))
            let daemon = try await redeliver.start()
            try await redeliver.waitUntilDelivered(300)
            #expect(try await daemon.stop() == .code(0))

            let ledger = try await sandbox.ledger()
            #expect(ledger.summary.failedInitially == 300)
            #expect(ledger.summary.arrived == 300)
            #expect(ledger.summary.arrivedBytesMatch == 300)
            #expect(ledger.summary.arrivedMoreThanOnce == 0)
            #expect(ledger.summary.signatureFailures == 0)
            #expect(ledger.summary.retryMismatches == 0)
            #expect(ledger.summary.maxConcurrentRetriesPerTask == 1)
            #expect(ledger.summary.retriesWhilePending == 0)
            #expect(ledger.summary.maxConcurrentRetries <= 16)
            #expect(ledger.summary.retriesExecuted == 324)

            try expectAgreement(redeliver, ledger)
            let status = try await redeliver.status()
            #expect(status.totals.delivered == 300 && status.totals.open == 0 && status.totals.dead == 0)
            #expect(status.retryCalls == ledger.summary.retryCalls && status.unconfirmedCalls == 0)
            try expectMetricsEqualTables(redeliver)
            try await expectPromtoolAccepts(redeliver.metrics, bench)
        }
    }

    @Test func `the database is for its owner and group, the metrics file for everyone`() async throws {
        try await withBench { bench in
            let sandbox = try await bench.sandbox("--failures", "2")
            let redeliver = try bench.redeliver(RedeliverSettings(sandbox))
            #expect(try await redeliver.once().ending == .code(0))

            for name in ["redeliver.db", "redeliver.db-wal", "redeliver.db-shm", "redeliver.db.running"] {
                #expect(try mode(redeliver.folder.appending(path: name)) == 0o640, "\(name)")
            }
            #expect(try mode(redeliver.folder.appending(path: "redeliver.db.lock")) == 0o600)
            #expect(try mode(redeliver.metrics) == 0o644)
        }
    }

    private func mode(_ url: URL) throws -> Int? {
        try FileManager.default.attributesOfItem(atPath: url.path)[.posixPermissions] as? Int
    }

    // MARK: - The books

    private func expectAgreement(_ redeliver: RedeliverProcess, _ ledger: SandboxLedger) throws {
        #expect(try redeliver.settledAttempts() == ledger.executedRetries)
        #expect(try redeliver.number("SELECT COUNT(*) FROM attempt") == ledger.summary.retryCalls)
        let evidence = "SELECT DISTINCT delivered_by || ' ' || delivered_evidence FROM delivery"
        #expect(try redeliver.texts(evidence) == ["worker log"])
        #expect(try redeliver.number("SELECT SUM(attempts_used) FROM delivery") == 24)
        #expect(
            try redeliver.texts("SELECT lower(hex(sha256)) FROM delivery_body ORDER BY 1")
                == ledger.failures.map(\.bodySha256).sorted())
        #expect(try redeliver.number("SELECT COUNT(*) FROM unreadable_entry") == 0)
        // A stop between two pages leaves what is unread for the next start, once for each log.
        #expect(try redeliver.number("SELECT COUNT(*) FROM scan_gap") <= 2)
    }

    private func expectMetricsEqualTables(_ redeliver: RedeliverProcess) throws {
        let metrics = try MetricsFile(redeliver.metrics)
        #expect(metrics.duplicates.isEmpty)
        let finalized = "redeliver_deliveries_finalized_total"
        for event in try redeliver.texts("SELECT DISTINCT event_type FROM delivery") {
            let delivered = try redeliver.number("SELECT COUNT(*) FROM delivery WHERE event_type = '\(event)'")
            #expect(metrics.values["\(finalized){event_type=\"\(event)\",outcome=\"delivered\"}"] == Double(delivered))
        }
        #expect(metrics.sum(finalized, "outcome=\"delivered\"") == 300)
        #expect(metrics.sum(finalized, "outcome=\"dead\"") == 0)
        #expect(metrics.sum("redeliver_deliveries") == 0)
        #expect(metrics.sum("redeliver_recovery_duration_seconds_count") == 300)
        let attempts = try redeliver.number("SELECT COUNT(*) FROM attempt")
        #expect(metrics.sum("redeliver_retry_requests_total") == attempts)
        #expect(metrics.sum("redeliver_retry_request_duration_seconds_count") == attempts)
        let entries = "redeliver_log_entries_total"
        #expect(
            metrics.sum(entries, "failure")
                == (try redeliver.number("SELECT COUNT(*) FROM log_entry WHERE outcome = 'failed'")))
        #expect(
            metrics.sum(entries, "success")
                == (try redeliver.number("SELECT COUNT(*) FROM log_entry WHERE outcome = 'succeeded'")))
        #expect(metrics.sum("redeliver_unconfirmed_total") == 0)
        #expect(metrics.sum("redeliver_auth_ok") == 1)
    }

    private func expectPromtoolAccepts(_ file: URL, _ bench: Bench) async throws {
        guard let promtool = BuiltPrograms.tool("promtool"), let shell = BuiltPrograms.tool("sh") else {
            return print("promtool is not installed: its check of the metrics file is skipped")
        }
        let check = try bench.start(shell, ["-c", "'\(promtool.path)' check metrics < '\(file.path)'"])
        #expect(try await check.ending() == .code(0), "\(check.output) \(check.errors)")
        #expect(check.errors.isEmpty && check.output.isEmpty)
    }
}
