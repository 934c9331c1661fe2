import Foundation
import Testing

/// A long life under load and faults: nothing is lost, and nothing of the daemon or its files goes on growing.
///
/// `make soak MINUTES=30` runs the release build; without the variable it is some seconds, which show that it works.
@Suite struct SoakTests {
    private static let minutes = ProcessInfo.processInfo.environment["REDELIVER_TEST_SOAK_MINUTES"].flatMap(Double.init)

    /// The sandbox's ledger is the witness; its own memory is not judged.
    @Test func `a thousand failures a minute arrive through faults, and what the daemon uses levels off`() async throws
    {
        try await withBench { bench in
            let plan = SoakPlan(minutes: Self.minutes)
            var run = try await SoakRun(plan, bench)
            try await run.live { print($0) }
            let ledger = try await run.sandbox.ledger()
            try expectDelivered(ledger, run)

            let verdict = SoakVerdict(run.samples, length: plan.length)
            guard plan.isJudged else { return }
            let summary = ledger.summary
            print(
                """
                \(summary.failedInitially) failures, \(summary.arrived) arrived, \
                \(summary.arrivedMoreThanOnce) more than once; \
                \(summary.retryCalls) retry calls \(summary.retryCallsByStatus), \(summary.logCalls) log calls
                \(verdict.table)
                """)
            #expect(verdict.faults.isEmpty, "\(verdict.faults.joined(separator: "\n"))")
        }
    }

    /// Everything that failed arrived with the same bytes, once; more often only what the database says it could not
    /// know.
    private func expectDelivered(_ ledger: SandboxLedger, _ run: SoakRun) throws {
        let summary = ledger.summary
        #expect(summary.failedInitially == 400 + run.plan.failures(by: run.plan.length))
        #expect(summary.arrived == summary.failedInitially && summary.arrivedBytesMatch == summary.failedInitially)
        #expect(summary.retryMismatches == 0 && summary.signatureFailures == 0)
        #expect(summary.maxConcurrentRetriesPerTask == 1)
        let unproven = try run.redeliver.texts(
            """
            SELECT DISTINCT delivery.task_id FROM attempt JOIN delivery ON delivery.id = attempt.delivery_id
            WHERE attempt.outcome = 'unconfirmed'
            """)
        let repeated = ledger.failures.filter { $0.arrived > 1 }.map(\.taskId)
        #expect(Set(repeated).isSubset(of: unproven), "\(Set(repeated).subtracting(unproven))")

        let metrics = try MetricsFile(run.redeliver.metrics)
        let finalized = "redeliver_deliveries_finalized_total"
        #expect(metrics.sum(finalized, "outcome=\"delivered\"") == summary.failedInitially)
        #expect(metrics.sum(finalized, "outcome=\"dead\"") == 0)
        #expect(try run.redeliver.texts("PRAGMA integrity_check") == ["ok"])
        #expect(try run.redeliver.texts("PRAGMA foreign_key_check").isEmpty)
    }
}

/// The judge is judged with figures that were made up.
@Suite struct SoakVerdictTests {
    /// - Parameter growth: megabytes of memory in each second.
    private func verdict(growth: Double, files: (Double) -> Double = { _ in 40 }) -> SoakVerdict {
        let samples = stride(from: 0.0, to: 1_800, by: 10).map { second in
            let noise = second.truncatingRemainder(dividingBy: 70) / 35
            return SoakSample(
                second: second,
                values: [
                    .memory: 30 + min(second / 10, 30) + noise + growth * second, .files: files(second), .threads: 8,
                    .log: 4 * noise, .database: 20 + noise, .open: 300 + 40 * noise,
                ])
        }
        return SoakVerdict(samples, length: 1_800)
    }

    @Test func `what fills once and then stays, or comes and goes, levels off`() {
        #expect(verdict(growth: 0).faults.isEmpty)
        #expect(verdict(growth: 0) { 25 + ($0 + $0 / 9).truncatingRemainder(dividingBy: 70) / 3 }.faults.isEmpty)
    }

    @Test func `memory that grows by a megabyte a minute does not`() {
        let faults = verdict(growth: 1.0 / 60).faults
        #expect(faults.count == 1 && faults.first?.hasPrefix("resident memory") == true, "\(faults)")
    }

    @Test func `files that are never closed are found, and so is a figure that was not measured`() {
        #expect(verdict(growth: 0) { 40 + ($0 / 100).rounded() }.faults.count == 1)
        #expect(verdict(growth: 0) { _ in .nan }.faults.count == 1)
    }
}

@Suite struct SoakPlanTests {
    @Test func `each quarter has whole cycles with the same steps, however the time is cut`() {
        let plan = SoakPlan(minutes: 30)
        #expect(plan.cycle == 150 && plan.isJudged && plan.failures(by: 1_800) == 30_000)
        #expect(SoakPlan(minutes: 10).cycle == 150)
        let whole = plan.steps(after: 0, through: 1_800)
        var cut: [SoakPlan.Step] = []
        for second in 0..<600 { cut += plan.steps(after: Double(second) * 3, through: Double(second + 1) * 3) }
        #expect(cut == whole && whole.count % 12 == 0 && whole.count(where: { $0 == .backup }) == 12)
        #expect(plan.kept > plan.overlap * 3)
    }
}
