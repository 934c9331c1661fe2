import Foundation

/// `redeliver run` as a service would run it, with nginx for a provider.
struct Daemon {
    let process: Child
    /// Seconds since 1970.
    let started: Double
    /// Processor time that ended programs had used before.
    private let usedBefore: Double

    static let endpoint = "endpoint-0"
    /// A log of nothing but failures would open it, as it should.
    static let openCircuit = "circuit: { enabled: false }\n"

    /// - Parameters:
    ///   - database: in a folder of its own, where the configuration is written too.
    ///   - initialDelay: from a failure to its first retry.
    init(_ bench: Bench, database: URL, sink: Sink, initialDelay: String = "100ms") throws {
        let configuration = try bench.files.configuration(
            database: database, endpoints: [Self.endpoint], provider: sink.address, more: Self.openCircuit,
            initialDelay: initialDelay)
        usedBefore = processorSecondsOfEnded()
        started = Date().timeIntervalSince1970
        process = try Child(
            bench.program, ["run", "--config", configuration.path, "--log-level", "error"],
            files: database.deletingLastPathComponent().appending(path: "redeliver"))
    }

    /// Asks it to stop and waits until it has.
    ///
    /// - Returns: the processor time of its whole life in seconds.
    @discardableResult
    func stop() throws -> Double {
        try process.stop()
        return processorSecondsOfEnded() - usedBefore
    }
}
