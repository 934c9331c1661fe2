import DeliveryQueue
import DeliveryWorker
import Foundation
import RedeliverConfiguration

/// From the bytes of a log to durable rows, beside SQLite alone with the same rows in the same transactions.
enum IngestBench {
    private static let failures = 20_000
    private static let endpoint = "endpoint-0"

    static func measure(_ bench: Bench) async throws -> [Figure] {
        var figures: [Figure] = []
        for rows in bench.rows { figures += try await measure(bench, rows: rows) }
        return figures
    }

    /// Ours and the bare one take turns, so that a busy moment of the machine strikes both.
    private static func measure(_ bench: Bench, rows: Int) async throws -> [Figure] {
        let file = try await bench.files.database(rows: rows, name: "ingest")
        let bareFile = try await bench.files.database(rows: rows, name: "ingest-bare")
        let configuration = try await WorkerConfiguration.bench(bench.files, database: file, endpoints: [endpoint])
        let store = try QueueStore(path: file.path, now: .system)
        let bare = try BareSQLite(path: bareFile.path)
        var ours: [Double] = []
        var wall: [Double] = []
        for run in 0...bench.runs {
            let (newest, name) = (Timestamp.system.milliseconds, "ingest-\(rows)-\(run)")
            let took = try await ingest(name, newest: newest, store, configuration)
            let values = BareSQLite.failures(failures, newest: newest, name: name)
            let tookBare = try milliseconds { try bare.store(values, of: endpoint, at: newest) } / 1_000
            guard run > 0 else { continue }
            ours.append(Double(failures) / took)
            wall.append(Double(failures) / tookBare)
        }
        try store.close()
        bare.close()
        return [
            Figure("ingest, log page bytes to durable rows", rows: rows, unit: "rows/s", ours),
            Figure("bare SQLite, the same rows and transactions", rows: rows, unit: "rows/s", wall),
            Figure(
                "ingest ÷ bare SQLite", rows: rows, unit: "ratio", zip(ours, wall).map { $0 / $1 }, goal: .atLeast(0.6)),
        ]
    }

    /// - Returns: seconds.
    private static func ingest(
        _ name: String, newest: Int64, _ store: QueueStore, _ configuration: WorkerConfiguration
    ) async throws -> Double {
        let provider = ScriptedProvider(LogPages(failures: failures, newest: newest, name: name))
        let base = WorkerBase(store: store, transport: provider, logger: .silent)
        let generation = Generation(configuration, on: base)
        try await generation.prepare(at: .system)
        let before = try await store.stored()
        let began = ContinuousClock.now
        let unread = await generation.readLogs().count
        let took = (ContinuousClock.now - began).seconds
        let stored = try await store.stored() - before
        guard unread == 0, stored == failures else {
            throw Inexact(what: "stored \(stored) of \(failures), logs not read: \(unread)")
        }
        return took
    }
}

extension WorkerConfiguration {
    /// The benchmark's own, as the program would read it from its file.
    static func bench(
        _ files: BenchFolder, database: URL, endpoints: [String]
    ) async throws -> WorkerConfiguration {
        try load(path: try files.configuration(database: database, endpoints: endpoints).path, environment: [:])
    }
}

extension QueueStore {
    /// Open deliveries, counted by the program's own snapshot.
    func stored() async throws -> Int {
        try await snapshot(at: .system).endpoints.reduce(0) { $0 + $1.open }
    }
}
