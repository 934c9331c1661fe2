import DeliveryQueue
import DeliveryWorker
package import Foundation
package import Logging
import ProviderAPI
package import RedeliverConfiguration

/// Runs a configuration through a scenario: the production rules, store and loops in virtual time, on a temporary file.
package struct Simulation: Sendable {
    package let scenario: Scenario
    private let parent: URL
    private let logger: Logger

    /// - Parameters:
    ///   - parent: each run creates a folder in it for its database, and removes it.
    ///   - logger: gets what the worker itself logs; silent by default.
    package init(
        _ scenario: Scenario, in parent: URL = FileManager.default.temporaryDirectory,
        logger: Logger = Logger(label: "simulation", factory: { _ in SwiftLogNoOpLogHandler() })
    ) {
        self.scenario = scenario
        self.parent = parent
        self.logger = logger
    }

    /// How often it looks whether everything has ended.
    private static let watchInterval = Duration.seconds(60)

    /// - Parameter schedule: the configuration's name in the result.
    /// - Throws: `StoreError` when the temporary folder cannot take a database.
    package func run(_ configuration: WorkerConfiguration, as schedule: String) async throws -> SimulationResult {
        let folder = parent.appending(path: "redeliver-simulation-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        return try await result(of: configuration.simulated(scenario, in: folder.path), as: schedule)
    }

    private func result(of configuration: WorkerConfiguration, as schedule: String) async throws -> SimulationResult {
        let began = ContinuousClock.now
        let time = VirtualTime()
        let world = SimulatedWorld(scenario, eventTypes: configuration.simulatedEventTypes)
        let provider = world.provider(in: time)
        let wallClock = WallClock { Scenario.beginning + time.now }
        // Nobody needs the file after a power loss, and syncing would be most of the work.
        let store = try QueueStore.forSimulation(
            path: configuration.database, isDurable: false, now: wallClock.now)
        let base = WorkerBase(
            store: store, transport: provider, clock: time.clock, wallClock: wallClock, logger: logger)
        let result = try await withTaskExecutorPreference(time) { () async throws -> SimulationResult in
            try await run(configuration, on: base) {
                try await untilSettled(world.times, provider, base, time)
            }
            return SimulationResult(
                schedule: schedule, deliveries: await provider.deliveries(), times: world.times,
                retryCalls: await provider.retryCalls, logCalls: await provider.otherCalls, ended: time.now,
                took: ContinuousClock.now - began)
        }
        try Task.checkCancellation()
        precondition(time.strays == 1, "a simulation has left its thread: its result would not be the same again")
        try store.close()
        return result
    }

    /// Runs the worker for as long as `watch` lasts.
    private func run(
        _ configuration: WorkerConfiguration, on base: WorkerBase,
        while watch: @escaping @Sendable () async throws -> Void
    ) async throws {
        try await withThrowingTaskGroup { group in
            group.addTask { _ = try await base.runDuties(of: configuration) }
            group.addTask { try await watch() }
            defer { group.cancelAll() }
            try await group.next()
            group.cancelAll()
            // Errors of the cancelled tasks do not count.
            while await group.nextResult() != nil {}
        }
    }

    /// Returns when the last failure has arrived or is dead, or when patience is over. After the last arrival the log
    /// gets time to show it, because a call that it does not show would be repeated, and repeats count.
    private func untilSettled(
        _ times: ScenarioTimes, _ provider: SimulatedProvider, _ base: WorkerBase, _ time: VirtualTime
    ) async throws {
        let clock = time.clock
        try await clock.sleep(for: times.recovery + Self.watchInterval)
        while time.now < times.recovery + Scenario.patience {
            let missing = await provider.missing()
            if missing == 0 { break }
            let snapshot = try await base.store.snapshot(at: Scenario.beginning + time.now)
            if snapshot.open.isEmpty, snapshot.dead.reduce(0, { $0 + $1.count }) >= missing { return }
            try await clock.sleep(for: Self.watchInterval)
        }
        try await clock.sleep(for: .seconds(600))
    }
}
