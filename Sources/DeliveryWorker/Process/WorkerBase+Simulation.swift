package import RedeliverConfiguration
import ServiceLifecycle

extension WorkerBase {
    /// Runs the daemon's loops for one configuration until the task is cancelled or a graceful shutdown begins, without
    /// signals and without the watch for operators. It makes child tasks only, so they stay on the caller's executor.
    ///
    /// - Parameter gate: the gate of the last configuration, as at a reload; nil for a new one.
    /// - Returns: the gate for the next configuration.
    /// - Throws: `StoreError` when the endpoints cannot be registered.
    @discardableResult
    package func runDuties(of configuration: WorkerConfiguration, gate: CallGate? = nil) async throws -> CallGate {
        let generation = Generation(configuration, on: self, gate: gate)
        try await generation.prepare(at: wallClock.now)
        try await withThrowingDiscardingTaskGroup { group in
            for service in generation.services(watchesOperators: false) {
                group.addTask { try await service.run() }
            }
        }
        return await generation.dispatcher.gate.gate
    }
}
