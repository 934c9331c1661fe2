import DeliveryQueue
import ProviderAPI
import RedeliverConfiguration

/// What a scenario and its seed decide: the times of the outage, and the provider with its endpoints.
struct SimulatedWorld: Sendable {
    let times: ScenarioTimes
    private let scenario: Scenario
    private let eventTypes: [String]
    private let seeds: [UInt64]

    /// - Parameter eventTypes: the types of the events, in equal shares; at least one.
    init(_ scenario: Scenario, eventTypes: [String]) {
        var generator = SeededGenerator(seed: scenario.seed)
        self.scenario = scenario
        self.eventTypes = eventTypes
        times = ScenarioTimes(scenario, phase: generator.fraction())
        seeds = (0..<2 * (scenario.neighbours + 1)).map { _ in generator.next() }
    }

    func provider(in time: VirtualTime) -> SimulatedProvider {
        SimulatedProvider(
            endpoints: [affected] + (0..<scenario.neighbours).map(neighbour), trace: scenario.retryTrace,
            outage: times.providerOutage, time: time)
    }

    /// Little traffic gets small pages, because reading is most of a simulation's work.
    private var pageSize: Int { min(max(scenario.failures / 100, 20), 200) }

    private var affected: SimulatedEndpoint {
        SimulatedEndpoint(
            id: SimulatedName.affected,
            traffic: SimulatedTraffic(
                origin: times.outage.lowerBound, gap: scenario.outage / scenario.failures,
                end: scenario.isQuiet ? times.outage.upperBound : nil, pause: times.providerOutage,
                eventTypes: eventTypes, seed: seeds[0]),
            receiver: SimulatedReceiver(outage: times.outage, kind: scenario.receiver), outage: times.outage,
            trace: scenario.retryTrace, pageSize: pageSize, seed: seeds[1])
    }

    private func neighbour(_ number: Int) -> SimulatedEndpoint {
        SimulatedEndpoint(
            id: SimulatedName.neighbour(number),
            traffic: SimulatedTraffic(
                origin: .zero, gap: Scenario.neighbourGap, end: nil, pause: times.providerOutage,
                eventTypes: eventTypes, seed: seeds[2 * number + 2]),
            receiver: SimulatedReceiver(failingShare: Scenario.neighbourFailures), outage: nil,
            trace: scenario.retryTrace, pageSize: pageSize, seed: seeds[2 * number + 3])
    }
}

/// The simulated endpoints' names, which are also their ids.
enum SimulatedName {
    static let affected = "receiver"

    static func neighbour(_ number: Int) -> String { "neighbour-\(number + 1)" }
}

extension WorkerConfiguration {
    /// This configuration with the scenario's endpoints, with files in `folder` and without the real provider.
    func simulated(_ scenario: Scenario, in folder: String) -> WorkerConfiguration {
        var copy = self
        let names = [SimulatedName.affected] + (0..<scenario.neighbours).map(SimulatedName.neighbour)
        copy.endpoints = names.map { Endpoint(id: $0, name: $0) }
        copy.provider.baseURL = .nowhere
        copy.provider.credential = .token(Secret("simulated"))
        copy.provider.fields = .standard
        copy.database = "\(folder)/simulation.db"
        copy.metrics.textfile = "\(folder)/simulation.prom"
        // Rarely, because nobody reads the file.
        copy.metrics.interval = .seconds(3_600)
        // The network is real, and its threads would leave the simulation's.
        copy.metrics.listen = nil
        return copy
    }

    /// The documented event types and those that the policies name.
    var simulatedEventTypes: [String] {
        let documented = FieldNames.documentedEventTypes
        return documented + policies.exactEventTypes.filter { !documented.contains($0) }
    }
}
