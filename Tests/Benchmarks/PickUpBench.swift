import DeliveryQueue
import Foundation
import GRDB

/// How long after its time a retry arrives: deliveries that come due one after the other, by the daemon's own timers.
enum PickUpBench {
    private static let failures = 1_000
    /// Milliseconds between two failures, and so about as much between two retries.
    private static let apart = Int64(10)

    static func measure(_ bench: Bench) async throws -> [Figure] {
        let sink = try Sink(in: bench.files)
        let newest = Timestamp.system.milliseconds
        try sink.serve(LogPages(failures: failures, newest: newest, apart: apart, name: "pick-up"))
        let database = try await bench.files.database(rows: 0, name: "pick-up")
        let daemon = try Daemon(bench, database: database, sink: sink, initialDelay: "40s")
        _ = try await sink.firstRead(by: daemon)
        let due = try await dueTimes(in: database, daemon)
        try await sink.wait(for: failures, from: daemon.process)
        try daemon.stop()
        let arrivals = try await sink.allArrivals()
        try sink.stop()
        try arrivals.check(failures, name: "pick-up")
        let late = arrivals.map { $0.time * 1_000 - Double(due[$0.taskID] ?? 0) }
        return [
            Figure("pick-up of a due retry, median", unit: "ms", [late.median]),
            Figure("pick-up of a due retry, p99", unit: "ms", [late.quantile(0.99)], goal: .atMost(50)),
        ]
    }

    /// When each delivery comes due, read once all are stored and before the first one is.
    private static func dueTimes(in database: URL, _ daemon: Daemon) async throws -> [String: Int64] {
        let queue = try DatabaseQueue(path: database.path)
        for _ in 0..<1_000 {
            try await Task.sleep(for: .milliseconds(10))
            let times: [(String, Int64)] = try await queue.read { db in
                try Row.fetchAll(db, sql: "SELECT task_id, next_attempt_ms FROM delivery WHERE state = 'scheduled'")
                    .map { ($0["task_id"], $0["next_attempt_ms"]) }
            }
            guard times.count == failures else { continue }
            guard times.allSatisfy({ $0.1 > Timestamp.system.milliseconds }) else { break }
            return Dictionary(uniqueKeysWithValues: times)
        }
        throw Inexact(what: "not all were stored before the first was due; \(daemon.process.lastWords)")
    }
}
