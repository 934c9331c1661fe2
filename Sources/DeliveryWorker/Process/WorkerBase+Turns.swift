package import RedeliverConfiguration

/// Single turns of one duty, for a benchmark.
extension WorkerBase {
    /// Makes the database know the configuration's endpoints and event types, as a start does.
    package func prepare(for configuration: WorkerConfiguration) async throws {
        try await Generation(configuration, on: self).prepare(at: wallClock.now)
    }

    /// One turn of polling of every endpoint, as in `redeliver run --once`.
    ///
    /// - Returns: how many logs could not be read.
    package func readLogs(of configuration: WorkerConfiguration) async throws -> Int {
        let generation = Generation(configuration, on: self)
        return await generation.poll(generation.pollers.map(\.poller)).count
    }

    /// One pass of the metrics file.
    package func writeMetrics(of configuration: WorkerConfiguration) async throws {
        try await Generation(configuration, on: self).metrics.runOnce(at: wallClock.now)
    }
}
