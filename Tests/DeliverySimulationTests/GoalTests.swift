import DeliveryWorker
import Foundation
import Testing

@testable import DeliverySimulation

/// The goal of adaptive delivery, measured on the production rules, store and loops with the built-in settings: what was
/// held in an outage arrives minutes after it, for a fraction of the calls, and nothing is lost. The README's table is made by
/// `make goal`, which prints these figures.
@Suite(.serialized) struct GoalTests {
    /// An outage and the calls that it may waste for each failure.
    struct Goal: Sendable, CustomTestStringConvertible {
        let outage: String
        let seconds: Int
        let wasted: Double

        var testDescription: String { outage }
    }

    static let goals = [
        Goal(outage: "10 min", seconds: 600, wasted: 0.1), Goal(outage: "1 h", seconds: 3_600, wasted: 0.1),
        Goal(outage: "6 h", seconds: 6 * 3_600, wasted: 0.1), Goal(outage: "24 h", seconds: 24 * 3_600, wasted: 1),
        Goal(outage: "72 h", seconds: 72 * 3_600, wasted: 1),
    ]
    static let seeds = UInt64(ProcessInfo.processInfo.environment["REDELIVER_TEST_SEEDS"] ?? "") ?? 20

    /// One run for each seed, two at a time.
    private func runs(_ scenario: Scenario, _ extra: String = "") async throws -> [SimulationResult] {
        let configuration = try WorkerConfiguration.sample(extra)
        return try await withThrowingTaskGroup(of: SimulationResult.self) { group in
            var results: [SimulationResult] = []
            for seed in 1...Self.seeds {
                if seed > 2, let result = try await group.next() { results.append(result) }
                group.addTask {
                    var scenario = scenario
                    scenario.seed = seed
                    return try await Simulation(scenario).run(configuration, as: "seed \(seed)")
                }
            }
            for try await result in group { results.append(result) }
            return results
        }
    }

    @Test(arguments: goals) func `an outage's failures arrive within minutes of recovery, for a fraction of the calls`(
        goal: Goal
    ) async throws {
        let began = ContinuousClock.now
        let runs = try await runs(Scenario(outage: .seconds(goal.seconds), failures: 1_000))

        let lags = runs.flatMap(\.lags).sorted()
        let half = try #require(SimulationResult.percentile(0.5, of: lags))
        let most = try #require(SimulationResult.percentile(0.99, of: lags))
        let wasted = runs.map(\.wastedCallsPerFailure).max() ?? .infinity
        print(
            "goal | \(goal.outage) | \(half) | \(most) | \(lags.last ?? .zero) | \(wasted) | \(runs.map(\.lost).reduce(0, +))"
                + " | \(ContinuousClock.now - began)")
        #expect(half <= .seconds(180), "p50 \(half)")
        #expect(most <= .seconds(360), "p99 \(most)")
        #expect(wasted <= goal.wasted)
        #expect(runs.allSatisfy { $0.lost == 0 && $0.repeated == 0 && $0.failures == 1_000 })
    }
}
