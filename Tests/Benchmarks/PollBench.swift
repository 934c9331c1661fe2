import DeliveryQueue
import DeliveryWorker
import Foundation
import RedeliverConfiguration

/// What the service does again and again while nothing happens: it looks at the logs and writes its metrics file.
enum PollBench {
    /// In the log, so that to read it whole would be seen; one each ten seconds, so that a page reaches further back
    /// than the time within which late entries are looked for.
    private static let failures = 2_000
    private static let apart = Int64(10_000)
    private static let endpoint = "endpoint-0"

    static func measure(_ bench: Bench) async throws -> [Figure] {
        var figures: [Figure] = []
        for rows in bench.rows { figures += try await measure(bench, rows: rows) }
        return figures
    }

    private static func measure(_ bench: Bench, rows: Int) async throws -> [Figure] {
        let file = try await bench.files.database(rows: rows, name: "poll")
        let configuration = try await WorkerConfiguration.bench(bench.files, database: file, endpoints: [endpoint])
        let store = try QueueStore(path: file.path, now: .system)
        let provider = ScriptedProvider(
            LogPages(failures: failures, newest: Timestamp.system.milliseconds, apart: apart, name: "poll-\(rows)"))
        let base = WorkerBase(store: store, transport: provider, logger: .silent)
        let generation = Generation(configuration, on: base)
        try await generation.prepare(at: .system)
        _ = await generation.readLogs()
        let before = try await store.stored()
        var requests: [Double] = []
        let polls = await bench.series {
            let asked = provider.requests
            let took = await milliseconds { _ = await generation.readLogs() }
            requests.append(Double(provider.requests - asked))
            return took
        }
        guard try await store.stored() == before else { throw Inexact(what: "a poll stored what was known") }
        let passes = try await bench.series {
            try await milliseconds { try await generation.metrics.runOnce(at: .system) }
        }
        try store.close()
        let textfile = try FileManager.default.attributesOfItem(atPath: configuration.metrics.textfile)
        let size = Double(textfile[.size] as? Int ?? 0) / 1_024
        let database = try FileManager.default.attributesOfItem(atPath: file.path)[.size] as? Int ?? 0
        return [
            Figure("poll that finds nothing", rows: rows, unit: "ms", polls),
            Figure(
                "requests of a poll that finds nothing", rows: rows, unit: "per endpoint",
                Array(requests.dropFirst()), goal: .atMost(1)),
            Figure("metrics pass", rows: rows, unit: "ms", passes, goal: .atMost(10)),
            Figure("metrics file", rows: rows, unit: "KiB", [size], goal: .atMost(64)),
            Figure("database file", rows: rows, unit: "MB", [Double(database) / 1_048_576]),
        ]
    }
}
