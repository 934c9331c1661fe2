import DeliveryQueue
import DeliverySimulation

/// What `redeliver simulate` prints.
struct SimulationReport: Encodable {
    /// One configuration's figures. All keys are always there; null means that nothing arrived after recovery.
    struct Run: Encodable {
        let schedule: String
        let p50LagSeconds: Double?
        let p99LagSeconds: Double?
        let maxLagSeconds: Double?
        let wastedCallsPerFailure: Double
        let lost: Int
        let failures: Int
        let arrivedBeforeRecovery: Int
        let repeated: Int
        let retryCalls: Int
        let logRequests: Int
        let neighbourP50LagSeconds: Double?
        let neighbourP99LagSeconds: Double?
        let simulatedSeconds: Double

        private enum CodingKeys: CodingKey {
            case schedule, p50LagSeconds, p99LagSeconds, maxLagSeconds, wastedCallsPerFailure, lost, failures
            case arrivedBeforeRecovery, repeated, retryCalls, logRequests, simulatedSeconds
            case neighbourP50LagSeconds, neighbourP99LagSeconds
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(schedule, forKey: .schedule)
            // Not `encodeIfPresent`, because a script may rely on the key.
            try container.encode(p50LagSeconds, forKey: .p50LagSeconds)
            try container.encode(p99LagSeconds, forKey: .p99LagSeconds)
            try container.encode(maxLagSeconds, forKey: .maxLagSeconds)
            try container.encode(wastedCallsPerFailure, forKey: .wastedCallsPerFailure)
            try container.encode(lost, forKey: .lost)
            try container.encode(failures, forKey: .failures)
            try container.encode(arrivedBeforeRecovery, forKey: .arrivedBeforeRecovery)
            try container.encode(repeated, forKey: .repeated)
            try container.encode(retryCalls, forKey: .retryCalls)
            try container.encode(logRequests, forKey: .logRequests)
            try container.encode(neighbourP50LagSeconds, forKey: .neighbourP50LagSeconds)
            try container.encode(neighbourP99LagSeconds, forKey: .neighbourP99LagSeconds)
            try container.encode(simulatedSeconds, forKey: .simulatedSeconds)
        }
    }

    static let ownName = "this configuration"

    let runs: [Run]
    private let scenario: Scenario
    private let results: [SimulationResult]

    private enum CodingKeys: CodingKey {
        case runs
    }

    init(_ scenario: Scenario, _ results: [SimulationResult]) {
        self.scenario = scenario
        self.results = results
        runs = results.map(Run.init)
    }

    /// The table, and on a terminal a chart.
    func text(on terminal: Terminal) -> String {
        let chart = terminal.width == nil ? nil : ArrivalChart(results).text(on: terminal).map { "\($0)\n\n\(effort)" }
        let neighbours = scenario.neighbours > 0 ? neighbourTable.text(on: terminal) : nil
        return [heading, table.text(on: terminal), neighbours, chart].compactMap(\.self).joined(separator: "\n\n")
    }

    /// How much time was simulated, and how long that took.
    private var effort: String {
        let (simulated, real) = results.reduce((Duration.zero, Duration.zero)) {
            ($0.0 + $1.virtualDuration, $0.1 + $1.realDuration)
        }
        return "simulated \(TimeText.exact(simulated)) in \(TimeText.exact(real))"
    }

    private var heading: String {
        let receiver =
            switch scenario.receiver {
            case .down: "down"
            case .flapping: "down but for one delivery every 10 min"
            case .slow: "so slow that everything times out"
            }
        let provider =
            scenario.providerOutage > .zero
            ? ", then the provider down for \(TimeText.exact(scenario.providerOutage))" : ""
        let neighbours =
            switch scenario.neighbours {
            case 0: ""
            case 1: ", a healthy endpoint beside it"
            case let number: ", \(number) healthy endpoints beside it"
            }
        let number = runs.first?.failures ?? 0
        let failures = number == 1 ? "1 failure" : "\(number) failures"
        return "receiver \(receiver) for \(TimeText.exact(scenario.outage)), \(failures)\(provider)\(neighbours); seed "
            + "\(scenario.seed)"
    }

    /// The lag at the healthy endpoints, which the outage must not delay.
    private var neighbourTable: Table {
        Table(
            ["healthy_endpoints", "p50_lag", "p99_lag"],
            results.map { result in
                [
                    Cell(result.schedule), Self.lag(result.neighbourLag(within: 0.5)),
                    Self.lag(result.neighbourLag(within: 0.99)),
                ]
            })
    }

    private var table: Table {
        Table(
            ["schedule", "p50_lag", "p99_lag", "max_lag", "wasted", "lost"],
            results.map { result in
                [
                    Cell(result.schedule), Self.lag(result.lag(within: 0.5)), Self.lag(result.lag(within: 0.99)),
                    Self.lag(result.lag(within: 1)), Cell(Self.tenths(result.wastedCallsPerFailure)),
                    Cell("\(result.lost)", style: result.lost > 0 ? .bad : .good),
                ]
            })
    }

    /// In whole seconds, because the time of a poll is not known better.
    private static func lag(_ duration: Duration?) -> Cell {
        Cell(ifAny: duration.map { TimeText.exact(.seconds($0.inSeconds.rounded())) })
    }

    /// With one decimal; with two when one would show zero.
    private static func tenths(_ number: Double) -> String {
        let hundredths = Int((number * 100).rounded())
        if hundredths < 10 { return "0.0\(hundredths)" }
        let tenths = Int((number * 10).rounded())
        return "\(tenths / 10).\(tenths % 10)"
    }
}

extension SimulationReport.Run {
    fileprivate init(_ result: SimulationResult) {
        schedule = result.schedule
        p50LagSeconds = result.lag(within: 0.5)?.inSeconds
        p99LagSeconds = result.lag(within: 0.99)?.inSeconds
        maxLagSeconds = result.lag(within: 1)?.inSeconds
        // Four decimals; finer ones mean nothing.
        wastedCallsPerFailure = (result.wastedCallsPerFailure * 10_000).rounded() / 10_000
        lost = result.lost
        failures = result.failures
        arrivedBeforeRecovery = result.arrivedBefore
        repeated = result.repeated
        retryCalls = result.retryCalls
        logRequests = result.logCalls
        neighbourP50LagSeconds = result.neighbourLag(within: 0.5)?.inSeconds
        neighbourP99LagSeconds = result.neighbourLag(within: 0.99)?.inSeconds
        simulatedSeconds = result.virtualDuration.inSeconds
    }
}
