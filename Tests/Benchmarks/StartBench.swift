import DeliveryQueue
import Foundation
import GRDB

/// From the start of the daemon to its first reading of a log.
enum StartBench {
    /// Calls that a daemon which was killed has left without an outcome.
    private static let openIntents = 1_000

    static func measure(_ bench: Bench) async throws -> [Figure] {
        let sink = try Sink(in: bench.files)
        try sink.serve(LogPages(failures: 0, newest: 0, name: "none"))
        var figures = [try await measure(bench, rows: 0, sink)]
        for rows in bench.rows { figures.append(try await measure(bench, rows: rows, sink)) }
        try sink.stop()
        return figures
    }

    private static func measure(_ bench: Bench, rows: Int, _ sink: Sink) async throws -> Figure {
        var database = try await bench.files.database(rows: rows, isDue: false, name: "start")
        let times = try await bench.series {
            if rows == 0 {
                database = try await bench.files.database(rows: 0, name: "start")
            } else {
                try await leaveIntents(in: database)
            }
            let daemon = try Daemon(bench, database: database, sink: sink)
            let read = try await sink.firstRead(by: daemon)
            try daemon.stop()
            return (read - daemon.started) * 1_000
        }
        let goal: Figure.Goal? = rows == 0 ? .atMost(60) : rows >= 1_000_000 ? .atMost(250) : nil
        let note = rows == 0 ? "no database yet" : "1,000 open intents"
        return Figure("start to first poll", rows: rows, unit: "ms", times, goal: goal, note: note)
    }

    private static func leaveIntents(in database: URL) async throws {
        try await DatabaseQueue(path: database.path).write { db in
            try db.execute(
                sql: """
                    UPDATE delivery SET next_attempt_ms = 0 WHERE id IN (
                        SELECT id FROM delivery WHERE state = 'scheduled' AND manual_ms IS NULL LIMIT ?)
                    """,
                arguments: [openIntents])
        }
        let store = try QueueStore(path: database.path, now: .system)
        try await store.registerEndpoints(
            BenchFolder.endpoints, historyFrom: .system - .seconds(72 * 3_600), at: .system)
        let claimed = try await store.claimDue(
            limit: openIntents, lease: .seconds(120), rules: RetryRules(), at: .system)
        try store.close()
        guard claimed.deliveries.count == openIntents else {
            throw Inexact(what: "\(claimed.deliveries.count) intents instead of \(openIntents)")
        }
    }
}
