import ServiceLifecycle

extension WorkerBase {
    /// Runs the duties of one configuration until the task is cancelled: the loops of the daemon without what a simulation
    /// has no use for, which is signals, reloads and operators. Only child tasks are made, so they stay on the caller's
    /// executor.
    ///
    /// - Throws: `StoreError` when the database cannot take the configuration's endpoints.
    package func runDuties(of configuration: WorkerConfiguration) async throws {
        let generation = Generation(configuration, on: self)
        try await generation.prepare(at: wallClock.now)
        try await withThrowingDiscardingTaskGroup { group in
            for service in generation.services(watchesOperators: false) {
                group.addTask { try await service.run() }
            }
        }
    }
}
