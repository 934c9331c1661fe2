import DeliveryQueue
import Foundation
import Testing

@testable import DeliverySimulation
@testable import RedeliverCLI

@Suite struct SimulationReportTests {
    private func result(
        _ name: String, lags: [Duration], failures: Int, calls: Int, neighbourLags: [Duration] = []
    ) -> SimulationResult {
        SimulationResult(
            schedule: name, failures: failures, arrivedBefore: 0, lags: lags, lost: failures - lags.count,
            retryCalls: calls, usefulCalls: lags.count, logCalls: 77, repeated: 0,
            neighbourLags: neighbourLags, neighboursMissing: 0, virtualDuration: .seconds(7_200),
            realDuration: .milliseconds(1_500))
    }

    private var report: SimulationReport {
        SimulationReport(
            Scenario(outage: .seconds(3_600), failures: 4, providerOutage: .seconds(600)),
            [
                result(SimulationReport.ownName, lags: [1, 60, 90, 100].map { .seconds($0) }, failures: 4, calls: 5),
                result("none of it", lags: [], failures: 4, calls: 8),
            ])
    }

    @Test func `people get a table, and where nobody looks no chart`() {
        #expect(
            report.text(on: .plain) == """
                receiver down for 1 h, 4 failures, then the provider down for 10 min; seed 1

                SCHEDULE            P50 LAG  P99 LAG     MAX LAG     WASTED  LOST
                this configuration  1 min    1 min 40 s  1 min 40 s  0.3     0
                none of it          -        -           -           2.0     4
                """)
    }

    @Test func `healthy endpoints beside it have lines of their own`() {
        let own = result(
            SimulationReport.ownName, lags: [.seconds(1)], failures: 1, calls: 1,
            neighbourLags: [.milliseconds(69_507), .seconds(80)])
        let report = SimulationReport(
            Scenario(outage: .seconds(3_600), failures: 1, neighbours: 1),
            [own, result("none of it", lags: [], failures: 1, calls: 0)])
        #expect(
            report.text(on: .plain) == """
                receiver down for 1 h, 1 failure, a healthy endpoint beside it; seed 1

                SCHEDULE            P50 LAG  P99 LAG  MAX LAG  WASTED  LOST
                this configuration  1 s      1 s      1 s      0.00    0
                none of it          -        -        -        0.00    1

                HEALTHY ENDPOINTS   P50 LAG     P99 LAG
                this configuration  1 min 10 s  1 min 20 s
                none of it          -           -
                """)
    }

    @Test(arguments: [60, 80, 200]) func `a terminal gets a chart that fits and ends with what has arrived`(width: Int)
    {
        let text = report.text(on: Terminal(width: width, hasColours: false))
        let lines = text.split(separator: "\n").map(String.init)
        #expect(lines.dropFirst().allSatisfy { $0.count <= width })
        #expect(text.contains("ARRIVED SINCE RECOVERY") && !text.contains("\u{1B}"))
        let own = lines.filter { $0.hasPrefix("this configuration") }.last ?? ""
        let none = lines.filter { $0.hasPrefix("none of it") }.last ?? ""
        #expect(own.hasSuffix("██████"), "\(own)")
        #expect(own.contains("▂▂") && own.contains("▄"))
        #expect(none.trimmingCharacters(in: .whitespaces) == "none of it")
        #expect(lines.last == "simulated 4 h in 3 s")
    }

    @Test func `a narrow terminal gets no chart`() {
        let text = report.text(on: Terminal(width: 40, hasColours: true))
        #expect(!text.contains("ARRIVED") && !text.contains("█"))
    }

    @Test func `JSON has every key in every run, also where nothing arrived, and nothing that differs from run to run`()
        throws
    {
        let text = try JSONOutput.text(report)
        let json = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
        let runs = try #require(json["runs"] as? [[String: Any]])
        #expect(json.count == 1 && runs.count == 2)
        #expect(runs[0]["schedule"] as? String == "this configuration")
        #expect(runs[0]["p50_lag_seconds"] as? Double == 60)
        #expect(runs[0]["max_lag_seconds"] as? Double == 100)
        #expect(runs[0]["wasted_calls_per_failure"] as? Double == 0.25)
        #expect(runs[1]["lost"] as? Int == 4)
        #expect(runs[1]["p50_lag_seconds"] is NSNull)
        #expect(Set(runs[0].keys) == Set(runs[1].keys))
        #expect(!text.contains("real"))
    }
}
