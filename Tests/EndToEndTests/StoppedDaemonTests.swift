import Foundation
import TestSupport
import Testing

/// A daemon that is stopped (SIGSTOP: a suspended container, a debugger, a machine that swaps) in the middle of calls
/// and goes on when its leases have long run out.
@Suite struct StoppedDaemonTests {
    /// It is stopped when its first call is sent, and the others follow as soon as it goes on. All are executed at once
    /// and answered only when their leases have run out and the log has told what came of them.
    ///
    /// `make torture` waits until the leases have really run out, which no configuration makes shorter than 34 s; the
    /// usual test run moves them into the past instead.
    @Test(arguments: ["same", "named", "in-place"])
    func `a daemon that was stopped for longer than its leases counts nothing twice and sends nothing again`(
        shape: String
    ) async throws {
        try await withBench { bench in
            let sandbox = try await bench.sandbox(
                ["--failures", "8", "--time", "milliseconds", "--fault", "retry:slow=4s:8", "--retry-logs", shape]
                    + (shape == "in-place" ? ["--in-place-updated-at"] : []))
            var settings = RedeliverSettings(sandbox)
            settings.requestTimeout = Torture.isEndless ? "1s" : "8s"
            settings.confirm = "interval: 250ms, within: 5s"
            let redeliver = try bench.redeliver(settings)
            try await redeliver.start(environment: try KillPoint("log-answer").environment(signal: SIGSTOP)).stop(
                SIGKILL)
            try redeliver.change(TortureHistory.triggers)

            let daemon = try await redeliver.start(
                environment: try KillPoint("retry-body/after").environment(signal: SIGSTOP))
            try await waitUntil("it is stopped with calls under way") { isStopped(daemon.pid) }
            try await letLeasesRunOut(redeliver, daemon)
            daemon.send(SIGCONT)
            try await redeliver.waitUntilDelivered(8)
            #expect(try await daemon.stop() == .code(0))
            try await expectOnce(redeliver, sandbox)
        }
    }

    private func isStopped(_ pid: Int32) -> Bool {
        let text = (try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)) ?? ""
        return text.contains(") T ")
    }

    private func letLeasesRunOut(_ redeliver: RedeliverProcess, _ daemon: RunningProgram) async throws {
        #expect(try redeliver.number("SELECT COUNT(*) FROM delivery WHERE state = 'attempting'") > 0)
        guard Torture.isEndless else {
            return try await waitUntil("the leases are moved") {
                do {
                    try redeliver.change(
                        "UPDATE delivery SET lease_until_ms = called_ms + 1 WHERE state = 'attempting'")
                    return true
                } catch {
                    // It was stopped in a transaction, which keeps every writer out: it may go on for a moment.
                    daemon.send(SIGCONT)
                    daemon.send(SIGSTOP)
                    return false
                }
            }
        }
        let begun = ContinuousClock.now
        try await waitUntil("the leases run out") { ContinuousClock.now - begun > .seconds(38) }
    }

    private func expectOnce(_ redeliver: RedeliverProcess, _ sandbox: SandboxProcess) async throws {
        let ledger = try await sandbox.ledger()
        #expect(ledger.summary.arrived == 8 && ledger.summary.arrivedBytesMatch == 8)
        #expect(ledger.summary.arrivedMoreThanOnce == 0)
        #expect(ledger.executedRetries.values.allSatisfy { $0 == 1 })
        #expect(try redeliver.number(TortureHistory.finalTwice) == 0)
        #expect(try redeliver.number(TortureHistory.blindRepeats) == 0)
        #expect(try redeliver.number("SELECT COUNT(*) FROM attempt WHERE outcome = 'delivered'") == 8)
        #expect(try redeliver.number("SELECT SUM(attempts_used) FROM delivery") == 0)
        let counted = "SELECT SUM(value) FROM counter WHERE name = "
        #expect(try redeliver.number("\(counted)'deliveries_finalized'") == 8)
        // A call whose time was over before it was sent is answered too, and the provider knows nothing of it.
        let answered = try redeliver.number("SELECT COUNT(*) FROM attempt WHERE answer <> 'interrupted'")
        #expect(try redeliver.number("\(counted)'retry_requests'") == answered)
        #expect(answered >= ledger.summary.retriesExecuted)
    }
}
