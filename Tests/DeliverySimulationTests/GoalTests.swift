import DeliveryWorker
import Foundation
import RedeliverConfiguration
import Testing

@testable import DeliverySimulation

/// The goal of adaptive delivery, measured on the production rules, store and loops with the built-in settings: what
/// was held in an outage arrives minutes after it, for a fraction of the calls, and nothing is lost. `make test` runs a
/// sample, `make prove` more, and `make goal` prints the figures of the table in docs/commands.md.
@Suite(.serialized) struct GoalTests {
    /// An outage and the calls that it may waste for each failure.
    struct Goal: Sendable, CustomTestStringConvertible {
        let outage: String
        let seconds: Int
        let wasted: Double
        /// In `make prove`; a long outage is many polls.
        let seeds: UInt64

        var testDescription: String { outage }
    }

    static let goals = [
        Goal(outage: "10 min", seconds: 600, wasted: 0.1, seeds: 20),
        Goal(outage: "1 h", seconds: 3_600, wasted: 0.1, seeds: 20),
        Goal(outage: "6 h", seconds: 6 * 3_600, wasted: 0.1, seeds: 8),
        Goal(outage: "24 h", seconds: 24 * 3_600, wasted: 1, seeds: 2),
        Goal(outage: "72 h", seconds: 72 * 3_600, wasted: 1, seeds: 2),
    ]
    /// `make goal`: every outage over 20 seeds, and the large backlog.
    static let isWhole = ProcessInfo.processInfo.environment["REDELIVER_TEST_GOAL"] == "whole"
    private static let isLong = isWhole || Proofs.areLong

    /// One run for each seed, two at a time.
    private func runs(
        _ scenario: Scenario, _ extra: String = "", seeds: UInt64
    ) async throws -> [SimulationResult] {
        let configuration = try WorkerConfiguration.sample(extra)
        return try await withThrowingTaskGroup(of: SimulationResult.self) { group in
            var results: [SimulationResult] = []
            for seed in 1...seeds {
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

    @Test(arguments: isLong ? goals : [goals[0]])
    func `an outage's failures arrive within minutes of recovery, for a fraction of the calls`(
        goal: Goal
    ) async throws {
        let seeds = Self.isWhole ? 20 : Self.isLong ? goal.seeds : 1
        let runs = try await runs(Scenario(outage: .seconds(goal.seconds), failures: 1_000), seeds: seeds)

        let lags = runs.flatMap(\.lags).sorted()
        let half = try #require(SimulationResult.percentile(0.5, of: lags))
        let most = try #require(SimulationResult.percentile(0.99, of: lags))
        let wasted = runs.map(\.wastedCallsPerFailure).max() ?? .infinity
        let lost = runs.map(\.lost).reduce(0, +)
        report("\(goal.outage), 1,000 failures", half, most, lags.last, wasted, lost, seeds: seeds)
        #expect(half <= .seconds(180), "p50 \(half)")
        #expect(most <= .seconds(360), "p99 \(most)")
        #expect(wasted <= goal.wasted)
        #expect(runs.allSatisfy { $0.lost == 0 && $0.repeated == 0 && $0.failures == 1_000 })
    }

    /// A row as docs/commands.md has it.
    private func report(
        _ outage: String, _ half: Duration, _ most: Duration, _ longest: Duration?, _ wasted: Double, _ lost: Int,
        seeds: UInt64
    ) {
        let cells = [half, most, longest ?? .zero].map { "\(Int($0.components.seconds)) s" }
        print("| \(outage) | \(cells.joined(separator: " | ")) | \(wasted) | \(lost) | (seeds: \(seeds))")
    }

    @Test(arguments: isWhole ? [2_000, 20_000] : [isLong ? 2_000 : 500])
    func `a large backlog is drained at the rate that is configured`(failures: Int) async throws {
        let hours = Self.isLong ? 6 : 1
        let scenario = Scenario(outage: .seconds(hours * 3_600), failures: failures)
        let run = try await runs(scenario, "retry: {per_second: 50, burst: 50, concurrency: 64}", seeds: 1)[0]

        let (half, most) = (try #require(run.lag(within: 0.5)), try #require(run.lag(within: 0.99)))
        report(
            "\(hours) h, \(failures) failures at 50 calls/s", half, most, run.lags.last, run.wastedCallsPerFailure,
            run.lost,
            seeds: 1)
        #expect(run.lost == 0 && run.repeated == 0)
        #expect(try #require(run.lags.last) <= .seconds(600))
    }

    @Test func `healthy endpoints beside a dead one are as quick as without it`() async throws {
        let failures = Self.isLong ? 500 : 100
        let dead = try await runs(Scenario(outage: .seconds(3_600), failures: failures, neighbours: 3), seeds: 2)
        let alone = try await runs(Scenario(outage: .seconds(3_600), failures: 1, neighbours: 3), seeds: 2)

        func lag(_ share: Double, _ runs: [SimulationResult]) throws -> Duration {
            try #require(SimulationResult.percentile(share, of: runs.flatMap(\.neighbourLags).sorted()))
        }
        #expect(dead.flatMap(\.neighbourLags).count > 30)
        // A delivery that fails once waits for its policy's first minute and a tenth of jitter, and for its call.
        #expect(try lag(0.5, dead) < .seconds(70))
        for share in [0.25, 0.5, 0.75] {
            #expect(try lag(share, dead) - lag(share, alone) < .seconds(10))
        }
    }

    @Test(arguments: isLong ? [SimulatedReceiver.Outage.flapping, .slow] : [.flapping])
    func `a receiver that flaps or answers nothing in time costs few calls and loses nothing`(
        kind: SimulatedReceiver.Outage
    ) async throws {
        let scenario = Scenario(outage: .seconds((Self.isLong ? 3 : 1) * 3_600), failures: 500, receiver: kind)
        for run in try await runs(scenario, seeds: Self.isLong ? 4 : 1) {
            #expect(run.lost == 0 && run.repeated == 0)
            #expect(run.wastedCallsPerFailure < 0.5, "\(kind) \(run.schedule)")
            #expect(try #require(run.lag(within: 0.99)) <= .seconds(360))
        }
    }
}
