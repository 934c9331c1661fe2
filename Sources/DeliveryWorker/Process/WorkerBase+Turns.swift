package import RedeliverConfiguration

/// Single turns of one duty, for a benchmark.
extension WorkerBase {
    /// Registers the configuration's endpoints and event types, as a start does.
    package func prepare(for configuration: WorkerConfiguration) async throws {
        try await Generation(configuration, on: self).prepare(at: wallClock.now)
    }

    /// Polls every endpoint once, as `redeliver run --once` does.
    ///
    /// - Returns: how many logs could not be read.
    package func readLogs(of configuration: WorkerConfiguration) async throws -> Int {
        let generation = Generation(configuration, on: self)
        return await generation.poll(generation.pollers.map(\.poller)).count
    }

    /// Writes the metrics file once.
    package func writeMetrics(of configuration: WorkerConfiguration) async throws {
        try await Generation(configuration, on: self).metrics.runOnce(at: wallClock.now)
    }
}
