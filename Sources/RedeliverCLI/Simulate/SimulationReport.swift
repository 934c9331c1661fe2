import DeliveryQueue
import DeliverySimulation

/// What `redeliver simulate` prints.
struct SimulationReport: JSONReport {
    static let ownName = "this configuration"

    private let scenario: Scenario
    private let results: [SimulationResult]

    init(_ scenario: Scenario, _ results: [SimulationResult]) {
        self.scenario = scenario
        self.results = results
    }

    var json: JSONObject { ["runs": results.map(Self.run)] }

    /// One configuration's figures. All keys are always there, because a script may rely on them; null means that
    /// nothing arrived after recovery.
    private static func run(_ result: SimulationResult) -> JSONObject {
        func orNull(_ lag: Duration?) -> any Encodable { lag?.inSeconds }
        return [
            "schedule": result.schedule,
            "p50_lag_seconds": orNull(result.lag(within: 0.5)),
            "p99_lag_seconds": orNull(result.lag(within: 0.99)),
            "max_lag_seconds": orNull(result.lag(within: 1)),
            // Four decimals; finer ones mean nothing.
            "wasted_calls_per_failure": (result.wastedCallsPerFailure * 10_000).rounded() / 10_000,
            "lost": result.lost,
            "failures": result.failures,
            "arrived_before_recovery": result.arrivedBefore,
            "repeated": result.repeated,
            "retry_calls": result.retryCalls,
            "log_requests": result.logCalls,
            "neighbour_p50_lag_seconds": orNull(result.neighbourLag(within: 0.5)),
            "neighbour_p99_lag_seconds": orNull(result.neighbourLag(within: 0.99)),
            "simulated_seconds": result.virtualDuration.inSeconds,
        ]
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
        let number = results.first?.failures ?? 0
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
