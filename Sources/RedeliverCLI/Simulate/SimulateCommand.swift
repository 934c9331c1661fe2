import ArgumentParser
import DeliverySimulation
import DeliveryWorker
import ProviderAPI
import RedeliverConfiguration

/// `redeliver simulate`.
struct SimulateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulate",
        abstract: "Shows what the configuration would do in an outage, compared with two published schedules.",
        discussion: """
            Runs the daemon's rules, store and loops in virtual time against a receiver and a provider in memory. It needs \
            only the configuration file: no network, no database, no secret. The endpoints are simulated. The same seed \
            gives the same result.
            Lag is the time from recovery, when receiver and provider are both up, to arrival. A call is wasted when it \
            delivers nothing. A delivery is lost when it has not arrived 7 d after recovery. With --neighbours the lag of \
            the healthy endpoints, from failure to arrival, is shown too.
            Example: redeliver simulate --config config.yaml --outage 6h --failures 1000
            """
    )

    @OptionGroup var configuration: ConfigurationOption
    @OptionGroup var output: OutputOptions

    @Option(help: "How long the receiver is down, such as 10m or 72h (1m to 30d). Default: 6h.")
    var outage: ArgumentDuration?

    @Option(
        help: ArgumentHelp(
            "The number of events in the outage, evenly spread (1 to 100000). Default: 1000.", valueName: "number"))
    var failures: Int?

    @Option(help: "What the receiver does in the outage. Default: down.")
    var receiver: SimulatedReceiver.Outage?

    @Option(help: "How long the provider is down after the outage, such as 1h (1s to 7d). Default: not at all.")
    var providerOutage: ArgumentDuration?

    @Option(
        help: ArgumentHelp(
            "The number of healthy endpoints of the same provider; one delivery in ten fails there (0 to 20). Default: 0.",
            valueName: "number"))
    var neighbours: Int?

    @Option(help: ArgumentHelp("The seed of the random numbers. Default: 1.", valueName: "number"))
    var seed: UInt64?

    @Flag(help: "No events after the outage, so that only retries can find the receiver up again.")
    var quiet = false

    func validate() throws {
        let scenario = scenario
        guard Self.outages.contains(scenario.outage) else {
            throw ValidationError("--outage: expected 1m to 30d, such as 6h")
        }
        guard Self.failures.contains(scenario.failures) else {
            throw ValidationError("--failures: expected a number from 1 to 100000, such as 1000")
        }
        guard Self.providerOutages.contains(scenario.providerOutage) else {
            throw ValidationError("--provider-outage: expected 1s to 7d, such as 1h")
        }
        guard Self.neighbours.contains(scenario.neighbours) else {
            throw ValidationError("--neighbours: expected a number from 0 to 20, such as 2")
        }
    }

    func run() async throws {
        try await Exit.onError {
            // The credential is not used here; its file may be on another machine.
            let settings = try configuration.load(credential: .token(Secret("simulated")))
            let simulation = Simulation(scenario)
            let report = SimulationReport(scenario, try await results(of: simulation, settings))
            try output.print(report) { report.text(on: $0) }
        }
    }

    /// - Throws: `SimulationInterrupted` at SIGINT and SIGTERM; the temporary folder is removed by then.
    private func results(
        of simulation: Simulation, _ settings: WorkerConfiguration
    ) async throws -> [SimulationResult] {
        do {
            return try await cancelledBySignals {
                let published = PublishedSchedule.allCases.map {
                    (name: $0.name, settings: $0.applied(to: settings))
                }
                let configurations = [(name: SimulationReport.ownName, settings: settings)] + published
                // In parallel: each has its own world, thread and database.
                return try await withThrowingTaskGroup { group in
                    for (place, run) in configurations.enumerated() {
                        group.addTask { (place, try await simulation.run(run.settings, as: run.name)) }
                    }
                    var results: [Int: SimulationResult] = [:]
                    for try await (place, result) in group { results[place] = result }
                    return configurations.indices.compactMap { results[$0] }
                }
            }
        } catch is CancellationError {
            throw SimulationInterrupted()
        }
    }

    private static let outages = Duration.seconds(60)...Duration.seconds(30 * 86_400)
    private static let providerOutages = Duration.zero...Duration.seconds(7 * 86_400)
    private static let failures = 1...100_000
    private static let neighbours = 0...20

    private var scenario: Scenario {
        Scenario(
            outage: outage?.duration ?? .seconds(6 * 3_600), failures: failures ?? 1_000, receiver: receiver ?? .down,
            providerOutage: providerOutage?.duration ?? .zero, seed: seed ?? 1, isQuiet: quiet,
            neighbours: neighbours ?? 0)
    }
}

/// A simulation that was stopped before its end.
private struct SimulationInterrupted: Error, CustomStringConvertible {
    var description: String { "interrupted before the end; no file is left" }
}

extension SimulatedReceiver.Outage: ExpressibleByArgument {
    /// The value's text in the help and the manual.
    package var defaultValueDescription: String {
        switch self {
        case .down: "refuses everything"
        case .flapping: "takes one delivery every ten minutes"
        case .slow: "lets every delivery time out after 30 s"
        }
    }
}
