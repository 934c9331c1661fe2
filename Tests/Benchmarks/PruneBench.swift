import DeliveryQueue
import DeliveryWorker
import Foundation
import GRDB
import ProviderAPI
import RedeliverConfiguration

/// Whether the removal of old rows holds up a drain: both at once in one process, and the drain alone before.
enum PruneBench {
    private static let stored = 200_000
    private static let old = 100_000
    private static let failures = 20_000

    static func measure(_ bench: Bench) async throws -> [Figure] {
        let sink = try Sink(in: bench.files)
        let database = try await bench.files.database(rows: stored, isDue: false, name: "prune")
        try await removeAllOld(in: database)
        let alone = try await drains(bench, name: "alone", database, sink, prunes: false)
        try await age(in: database)
        let beside = try await drains(bench, name: "beside", database, sink, prunes: true)
        try sink.stop()
        let ratios = zip(beside, alone).map { $0 / $1 }
        return [
            Figure("drain while nothing is pruned", rows: stored, unit: "calls/s", alone),
            Figure("drain while 100,000 old deliveries are pruned", rows: stored, unit: "calls/s", beside),
            Figure("drain beside pruning ÷ alone", rows: stored, unit: "ratio", ratios, goal: .atLeast(0.8)),
        ]
    }

    private static func drains(
        _ bench: Bench, name: String, _ database: URL, _ sink: Sink, prunes: Bool
    ) async throws -> [Double] {
        var run = 0
        return try await bench.series {
            run += 1
            return try await drain(bench, name: "\(name)-\(run)", database, sink, prunes: prunes)
        }
    }

    private static func removeAllOld(in database: URL) async throws {
        let store = try QueueStore(path: database.path, now: .system)
        let pruner = Pruner(store: store, logger: .silent).withoutRests()
        while try await pruner.runOnce(at: .system).total > 0 {}
        try store.close()
    }

    /// Makes the first of those that are final as old as what is removed.
    private static func age(in database: URL) async throws {
        try await DatabaseQueue(path: database.path).write { db in
            let year = 366 * 86_400_000
            try db.execute(
                sql: """
                    CREATE TEMPORARY TABLE aged AS SELECT id FROM delivery WHERE finalized_ms IS NOT NULL LIMIT \(old);
                    UPDATE delivery SET finalized_ms = finalized_ms - \(year) WHERE id IN (SELECT id FROM aged);
                    UPDATE log_entry SET logged_ms = logged_ms - \(year) WHERE delivery_id IN (SELECT id FROM aged);
                    DROP TABLE aged;
                    """)
        }
    }

    /// - Returns: arrivals a second.
    private static func drain(
        _ bench: Bench, name: String, _ database: URL, _ sink: Sink, prunes: Bool
    ) async throws -> Double {
        try sink.serve(LogPages(failures: failures, newest: Timestamp.system.milliseconds, name: name))
        let file = try bench.files.configuration(
            database: database, endpoints: [Daemon.endpoint], provider: sink.address, more: Daemon.openCircuit)
        let configuration = try WorkerConfiguration.load(path: file.path, environment: [:])
        let store = try QueueStore(path: database.path, now: .system)
        let transport = try AsyncHTTPTransport(concurrency: DrainBench.inFlight + 1, now: { 0 }, logger: .silent)
        let base = WorkerBase(store: store, transport: transport, logger: .silent)
        let duties = Task { _ = try await base.runDuties(of: configuration) }
        try await sink.wait(for: 1)
        // It lasts longer than the drain; to be cut short is no harm to it.
        let pruning = prunes ? Task { try await Pruner(store: store, logger: .silent).runOnce(at: .system) } : nil
        try await sink.wait(for: failures)
        if prunes, try await !isHalfPruned(database) { throw Inexact(what: "it was not pruned all the while") }
        pruning?.cancel()
        _ = await pruning?.result
        duties.cancel()
        _ = await duties.result
        try await transport.shutdown()
        try store.close()
        let arrivals = try await sink.allArrivals()
        try arrivals.check(failures, name: name)
        return arrivals.rate
    }

    /// Some of the old ones are gone, some are not yet.
    private static func isHalfPruned(_ database: URL) async throws -> Bool {
        let limit = (Timestamp.system - QueueStore.deliveredRetention).milliseconds
        let left = try await DatabaseQueue(path: database.path).read { db in
            try Int.fetchOne(
                db, sql: "SELECT COUNT(*) FROM delivery WHERE finalized_ms <= ?", arguments: [limit]) ?? 0
        }
        return left > 0 && left < old
    }
}
