import Foundation
import TestSupport
import Testing

/// One receiver is down and all that it misses is held: the built program against a sandbox, with waits of milliseconds
/// where production has minutes.
@Suite struct CircuitTests {
    private static let count = "SELECT COUNT(*) FROM delivery JOIN endpoint ON endpoint.id = delivery.endpoint_id"

    /// - Parameter trials: the waits before them.
    private func settings(_ sandbox: SandboxProcess, trials: String = "200ms, 400ms, 1s") -> RedeliverSettings {
        var settings = RedeliverSettings(sandbox)
        settings.circuit = "open_after: 5, trial_delays: [\(trials)]"
        settings.confirm = "interval: 250ms, within: 10s"
        return settings
    }

    /// An empty sandbox whose first receiver is down, and so many failures of it.
    private func deadReceiver(_ bench: Bench, failures: Int, _ flags: String...) async throws -> SandboxProcess {
        let sandbox = try await bench.sandbox(["--failures", "0", "--successes", "0"] + flags)
        try await sandbox.control(#"{"outage":{"endpoint":0}}"#)
        try await fail(sandbox, endpoint: 0, failures)
        return sandbox
    }

    private func fail(_ sandbox: SandboxProcess, endpoint: Int, _ count: Int) async throws {
        try await sandbox.control(#"{"fail":{"endpoint":\#(endpoint),"count":\#(count)}}"#)
    }

    private func bringBack(_ sandbox: SandboxProcess) async throws {
        try await sandbox.control(#"{"outage":{"endpoint":0,"down":false}}"#)
    }

    /// Of the first endpoint.
    private func circuit(_ redeliver: RedeliverProcess) throws -> String {
        try redeliver.texts("SELECT circuit FROM v_by_endpoint WHERE endpoint = 'receiver-0'").first ?? ""
    }

    /// Waits until the circuit is open and holds so many, which are all there are.
    private func waitUntilHeld(_ count: Int, by redeliver: RedeliverProcess) async throws {
        try await waitUntil("\(count) deliveries are held") {
            try redeliver.number(
                """
                SELECT held + in_flight FROM v_by_endpoint WHERE endpoint = 'receiver-0' AND circuit = 'open'
                """) == count
        }
    }

    /// Retry calls that reached the first receiver and delivered nothing.
    private func wasted(_ ledger: SandboxLedger, of sandbox: SandboxProcess) -> Int {
        ledger.failures.filter { $0.endpointId == sandbox.endpoints[0] }.flatMap(\.attempts)
            .count { $0.kind == "retry" && $0.status != 200 }
    }

    // MARK: - From outage to arrival

    @Test func `five hundred failures wait for a receiver that is down and flaps, and arrive when it is up`()
        async throws
    {
        try await withBench { bench in
            let sandbox = try await deadReceiver(bench, failures: 300)
            let redeliver = try bench.redeliver(settings(sandbox))
            let daemon = try await redeliver.start()
            try await waitUntilHeld(300, by: redeliver)
            try await fail(sandbox, endpoint: 0, 200)
            try await waitUntilHeld(500, by: redeliver)
            try await neighbourArrives(sandbox, redeliver, 3)
            try await waitUntil("three trials have failed") {
                try redeliver.number("SELECT COUNT(*) FROM attempt WHERE outcome = 'failed' AND is_trial = 1") >= 3
            }
            #expect(try redeliver.number("SELECT SUM(attempts_used) FROM delivery WHERE state = 'scheduled'") == 0)

            for arrived in [1, 2] {
                try await flap(sandbox, redeliver)
                try await neighbourArrives(sandbox, redeliver, 3 + 3 * arrived)
            }
            try await bringBack(sandbox)
            try await redeliver.waitUntilDelivered(509)
            #expect(try circuit(redeliver) == "closed")
            #expect(try await daemon.stop() == .code(0))
            try expectAll(try await sandbox.ledger(), sandbox, redeliver, within: daemon.took)
        }
    }

    /// The receiver takes something and falls again: the circuit lets go and holds again.
    private func flap(_ sandbox: SandboxProcess, _ redeliver: RedeliverProcess) async throws {
        let opened = "SELECT coalesce(circuit_open_ms, 0) FROM endpoint WHERE name = 'receiver-0'"
        let (arrived, before) = (try await sandbox.summary().arrived, try redeliver.number(opened))
        try await sandbox.control(#"{"outage":{"endpoint":0,"accepts":2}}"#)
        try await waitUntil("the circuit is open again") { try redeliver.number(opened) > before }
        #expect(try await sandbox.summary().arrived == arrived + 2)
    }

    /// Three failures of the healthy endpoint arrive while the other one is held.
    private func neighbourArrives(
        _ sandbox: SandboxProcess, _ redeliver: RedeliverProcess, _ total: Int
    ) async throws {
        try await fail(sandbox, endpoint: 1, 3)
        try await waitUntil("the neighbour's failures arrive") {
            try redeliver.number(
                "\(Self.count) WHERE endpoint.name = 'receiver-1' AND delivery.state = 'delivered'") == total
        }
        #expect(try circuit(redeliver) == "open")
    }

    private func expectAll(
        _ ledger: SandboxLedger, _ sandbox: SandboxProcess, _ redeliver: RedeliverProcess, within took: Duration
    ) throws {
        let summary = ledger.summary
        #expect(summary.arrived == 509 && summary.arrivedBytesMatch == 509 && summary.arrivedMoreThanOnce == 0)
        #expect(summary.retryMismatches == 0 && summary.maxConcurrentRetriesPerTask == 1)
        // Less than a tenth of a call for each failure: what it takes to notice three times, and a trial each second.
        let wasted = wasted(ledger, of: sandbox)
        #expect((4...40 + Int(took.components.seconds)).contains(wasted), "\(wasted) calls in \(took)")
        // Attempts are used by calls that were no trial, and by nothing else.
        #expect(
            try redeliver.number(
                """
                SELECT COUNT(*) FROM delivery WHERE attempts_used > (
                    SELECT COUNT(*) FROM attempt
                    WHERE delivery_id = delivery.id AND is_trial = 0 AND outcome IN ('failed', 'delivered'))
                """) == 0)
        // The neighbour's failures waited for nothing: each arrived at its first retry, before the circuit closed.
        let neighbours = ledger.failures.filter { $0.endpointId == sandbox.endpoints[1] }.map(\.attempts.count)
        #expect(neighbours == Array(repeating: 2, count: 9))
    }

    // MARK: - What it says

    @Test func `views, status, metrics and show tell of the open circuit, and an operator's pause stands above it`()
        async throws
    {
        try await withBench { bench in
            let sandbox = try await deadReceiver(bench, failures: 20)
            let redeliver = try bench.redeliver(settings(sandbox))
            let daemon = try await redeliver.start()
            try await waitUntilHeld(20, by: redeliver)
            try await expectOpen(redeliver)

            let paused = try await redeliver.run("endpoints", "pause", "receiver-0", "--reason", "their night")
            #expect(paused.ending == .code(0), "\(paused.errors)")
            try await waitUntil("no trial is under way") {
                try redeliver.number("SELECT in_flight FROM v_by_endpoint WHERE endpoint = 'receiver-0'") == 0
            }
            let calls = try await sandbox.summary().retryCalls
            try await bringBack(sandbox)
            try await waitUntil("its time for a trial is long past") {
                try redeliver.number(
                    """
                    SELECT strftime('%s', 'now') * 1000 - circuit_next_trial_ms > 1500 FROM endpoint
                    WHERE name = 'receiver-0'
                    """) == 1
            }
            #expect(try await sandbox.summary().retryCalls == calls)
            #expect(try await redeliver.status().endpoints[0].heldBecause == "operator")

            let resumed = try await redeliver.run("endpoints", "resume", "receiver-0", "--reason", "morning")
            #expect(resumed.ending == .code(0), "\(resumed.errors)")
            try await redeliver.waitUntilDelivered(20)
            try await waitUntil("the metrics file says that it is closed") {
                let metrics = try MetricsFile(redeliver.metrics)
                return metrics.sum("redeliver_circuit_open") == 0 && metrics.sum("redeliver_deliveries_held") == 0
            }
            #expect(try await redeliver.status().endpoints[0].circuit == "closed")
            #expect(try await daemon.stop() == .code(0))
            #expect(try await sandbox.summary().arrivedMoreThanOnce == 0)
        }
    }

    private func expectOpen(_ redeliver: RedeliverProcess) async throws {
        #expect(
            try redeliver.texts(
                """
                SELECT held_because || ' ' || (circuit_because LIKE 'its receiver failed%') || (next_trial_at IS NOT NULL)
                FROM v_by_endpoint WHERE endpoint = 'receiver-0'
                """) == ["circuit 11"])
        let status = try await redeliver.status()
        let endpoint = try #require(status.endpoints.first)
        #expect(endpoint.circuit == "open" && endpoint.heldBecause == "circuit" && endpoint.nextTrial != nil)
        #expect(status.endpoints[1].circuit == "closed" && status.endpoints[1].nextTrial == nil)
        // One may be called, as a trial.
        #expect((19...20).contains(status.totals.held))
        let text = try await redeliver.run("status")
        #expect(text.output.contains("circuit, next trial") || text.output.contains("circuit, trial due"))
        try await waitUntil("the metrics file says that it is open") {
            let metrics = try MetricsFile(redeliver.metrics)
            return metrics.sum("redeliver_circuit_open", #"scope="endpoint""#) == 1
                && metrics.sum("redeliver_circuit_open") == 1
                && metrics.sum("redeliver_deliveries_held", "receiver-0") >= 19
        }
        let held = try redeliver.texts("SELECT id FROM delivery WHERE state = 'scheduled' ORDER BY id DESC LIMIT 1")[0]
        let show = try await redeliver.run("deliveries", "show", "id:\(held)")
        #expect(show.ending == .code(0) && show.output.contains("its receiver fails for all deliveries"))
    }

    // MARK: - Crashes, cron and reloads

    @Test func `kill -9 while it holds and in the middle of the drain loses nothing and doubles nothing`() async throws
    {
        try await withBench { bench in
            // In whole seconds, a retry that fails within the second of the first failure leaves the same row behind.
            let sandbox = try await deadReceiver(
                bench, failures: 200, "--latency", "30ms", "--time", "milliseconds")
            var settings = settings(sandbox)
            settings.retry = "concurrency: 8, per_second: 60, burst: 8"
            let redeliver = try bench.redeliver(settings)
            var daemon = try await redeliver.start()
            try await waitUntilHeld(200, by: redeliver)
            #expect(try await daemon.stop(SIGKILL) == .signal(SIGKILL))
            #expect(try circuit(redeliver) == "open")
            daemon = try await redeliver.start()
            try await bringBack(sandbox)
            for arrived in [2, 30, 120] {
                try await waitUntil("\(arrived) have arrived") { try await sandbox.summary().arrived >= arrived }
                #expect(try await daemon.stop(SIGKILL) == .signal(SIGKILL))
                daemon = try await redeliver.start()
            }
            try await redeliver.waitUntilDelivered(200)
            #expect(try await daemon.stop() == .code(0))

            let ledger = try await sandbox.ledger()
            #expect(ledger.summary.arrived == 200 && ledger.summary.arrivedBytesMatch == 200)
            #expect(ledger.summary.arrivedMoreThanOnce == 0 && ledger.summary.retriesWhilePending == 0)
            #expect(try redeliver.settledAttempts() == ledger.executedRetries)
            #expect(try redeliver.texts("PRAGMA integrity_check") == ["ok"])
        }
    }

    @Test func `run --once turn by turn holds, tries, and drains what was held`() async throws {
        try await withBench { bench in
            // The log answers late, so that it shows what the turn itself brought about.
            let sandbox = try await deadReceiver(bench, failures: 60, "--latency", "300ms")
            let redeliver = try bench.redeliver(settings(sandbox, trials: "100ms"))
            for _ in 1...3 { #expect(try await redeliver.once().ending == .code(0)) }
            #expect(try circuit(redeliver) == "open")
            #expect(try redeliver.number("SELECT SUM(attempts_used) FROM delivery") == 0)
            #expect(try await sandbox.summary().retryCalls <= 3)

            try await bringBack(sandbox)
            var turns = 0
            while try redeliver.number("SELECT COUNT(*) FROM delivery WHERE state = 'delivered'") < 60, turns < 8 {
                #expect(try await redeliver.once().ending == .code(0))
                turns += 1
            }
            #expect(turns < 8)
            let summary = try await sandbox.summary()
            #expect(summary.arrived == 60 && summary.arrivedMoreThanOnce == 0)
        }
    }

    @Test func `a reload that switches circuits off lets go of what is held`() async throws {
        try await withBench { bench in
            let sandbox = try await deadReceiver(bench, failures: 30)
            var settings = settings(sandbox, trials: "1h")
            let redeliver = try bench.redeliver(settings)
            let daemon = try await redeliver.start()
            try await waitUntilHeld(30, by: redeliver)
            try await bringBack(sandbox)
            #expect(try await sandbox.summary().retryCalls == 0)

            settings.circuit = "enabled: false"
            try redeliver.write(settings.yaml)
            daemon.send(SIGHUP)
            try await redeliver.waitUntilDelivered(30)
            #expect(try circuit(redeliver) == "closed")
            #expect(try await daemon.stop() == .code(0))
            let summary = try await sandbox.summary()
            #expect(summary.retryCalls == 30 && summary.arrived == 30 && summary.arrivedMoreThanOnce == 0)
        }
    }
}
