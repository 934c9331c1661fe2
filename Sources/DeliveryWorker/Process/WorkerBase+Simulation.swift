package import RedeliverConfiguration
import ServiceLifecycle

extension WorkerBase {
    /// Runs the duties of one configuration until the task is cancelled or a graceful shutdown begins: the loops of the daemon
    /// without what a simulation has no use for, which is signals and the watch for operators. Only child tasks are made, so
    /// they stay on the caller's executor.
    ///
    /// - Parameter gate: that of the configuration before, which a reload hands on; nil: a new one.
    /// - Returns: the gate to hand on.
    /// - Throws: `StoreError` when the database cannot take the configuration's endpoints.
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
