import DeliveryQueue
import DeliveryWorker
import Foundation
import Testing

@testable import DeliverySimulation

@Suite("A simulation") struct SimulationTests {
    private func run(_ scenario: Scenario, _ extra: String = "") async throws -> SimulationResult {
        try await Simulation(scenario).run(try .sample(extra), as: "this configuration")
    }

    /// Everything but the time it took.
    private func facts(_ result: SimulationResult) -> [String] {
        [
            "\(result.failures) \(result.arrivedBefore) \(result.lost) \(result.retryCalls) \(result.usefulCalls)",
            "\(result.logCalls) \(result.repeated) \(result.virtualDuration)", "\(result.lags)",
            "\(result.neighbourLags) \(result.neighboursMissing)",
        ]
    }

    @Test func `equal seeds give equal results, to the millisecond, and other seeds others`() async throws {
        var scenario = Scenario(outage: .seconds(1_200), failures: 60, receiver: .flapping, neighbours: 1)
        let first = try await facts(run(scenario))
        #expect(try await facts(run(scenario)) == first)
        scenario.seed = 2
        #expect(try await facts(run(scenario)) != first)
    }

    @Test func `days pass in seconds and leave nothing behind`() async throws {
        let length = Duration.seconds((Proofs.areLong ? 72 : 24) * 3_600)
        let folder = FileManager.default.temporaryDirectory.appending(path: "simulation-test-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let scenario = Scenario(outage: length, failures: 5)
        let result = try await Simulation(scenario, in: folder).run(try .sample(), as: "this configuration")
        #expect(result.virtualDuration > length)
        // Half a minute on an idle machine; a single sleep of the loops that were real would be 15 s, of thousands.
        #expect(result.realDuration < .seconds(600))
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
    }

    @Test(arguments: Scenario.RetryTrace.allCases, SimulatedReceiver.Outage.allCases)
    func `every failure arrives once, however a retry shows and the receiver fails`(
        trace: Scenario.RetryTrace, receiver: SimulatedReceiver.Outage
    ) async throws {
        let result = try await run(
            Scenario(outage: .seconds(900), failures: 30, receiver: receiver, retryTrace: trace))
        #expect(result.failures >= 28 && result.failures <= 30)
        #expect(result.lost == 0 && result.repeated == 0)
        #expect(result.lags.count + result.arrivedBefore == result.failures)
        #expect(result.usefulCalls == result.failures)
        #expect(result.lags.allSatisfy { $0 >= .zero })
    }

    @Test func `an outage of the provider puts recovery off and loses nothing`() async throws {
        let result = try await run(
            Scenario(outage: .seconds(600), failures: 30, providerOutage: .seconds(1_800), isQuiet: true))
        #expect(result.failures == 30 && result.lost == 0 && result.arrivedBefore == 0)
        #expect(result.lags.count == 30)
    }

    @Test func `endpoints beside have failures of their own, which arrive`() async throws {
        let result = try await run(Scenario(outage: .seconds(3_600), failures: 20, neighbours: 2))
        #expect(result.neighbourLags.count > 5)
        // The default waits a minute before its first attempt, and a poll may take as long.
        let median = try #require(SimulationResult.percentile(0.5, of: result.neighbourLags))
        #expect(median < .seconds(180))
    }

    @Test(arguments: [true, false])
    func `a policy that gives up early loses what its attempts cannot reach, but where the circuit holds it`(
        hasCircuit: Bool
    ) async throws {
        let extra = #"""
            policies: [{events: ["*"], schedule: [1s, 1s], jitter: 0}]
            circuit: {enabled: \#(hasCircuit)}
            """#
        let result = try await run(Scenario(outage: .seconds(3_600), failures: 40), extra)
        #expect(hasCircuit ? result.lost < 10 : result.lost > 30)
        #expect(result.lost + result.lags.count == 40)
    }

    @Test func `a percentile is the nearest rank`() {
        let durations = (1...200).map { Duration.seconds($0) }
        #expect(SimulationResult.percentile(0.5, of: durations) == .seconds(100))
        #expect(SimulationResult.percentile(0.99, of: durations) == .seconds(198))
        #expect(SimulationResult.percentile(1, of: durations) == .seconds(200))
        #expect(SimulationResult.percentile(0.5, of: []) == nil)
    }
}
