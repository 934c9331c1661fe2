import DeliveryQueue
import Foundation
import GRDB

/// From the failures of a log to their arrival over HTTP, 64 in flight: the daemon, and beside it other ways to make
/// the same calls of the same nginx, in turns, so that a busy moment of the machine strikes all.
enum DrainBench {
    private static let failures = 10_000
    static let inFlight = 64

    static func measure(_ bench: Bench) async throws -> [Figure] {
        let sink = try Sink(in: bench.files)
        var figures: [Figure] = []
        for rows in bench.rows {
            figures += try await measure(bench, rows: rows, sink, hasOthers: rows == bench.rows.first)
        }
        figures.append(try await cost(bench, sink))
        try sink.stop()
        return figures
    }

    /// - Parameter hasOthers: whether the others, who know of no stored deliveries, take part.
    private static func measure(_ bench: Bench, rows: Int, _ sink: Sink, hasOthers: Bool) async throws -> [Figure] {
        var (ours, memory) = ([Double](), [Double]())
        var others: [Rival: [Double]] = [:]
        for run in 0...bench.runs {
            let database = try await bench.files.database(rows: rows, isDue: false, name: "drain")
            let drain = try await drain(bench, failures, name: "drain-\(rows)-\(run)", database, sink)
            if run > 0 {
                ours.append(drain.rate)
                memory.append(drain.peakMB)
            }
            guard hasOthers else { continue }
            for rival in Rival.allCases {
                let rate = try await rival.rate(bench, failures, name: "\(rival)-\(run)", sink)
                if run > 0 { others[rival, default: []].append(rate) }
            }
        }
        var figures = [
            Figure("drain over HTTP, 64 in flight", rows: rows, unit: "calls/s", ours),
            Figure("memory at its most in the drain", rows: rows, unit: "MB", memory, goal: .atMost(72)),
        ]
        for (rival, rates) in others.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            figures.append(Figure(rival.title, unit: "calls/s", rates))
            guard let goal = rival.goal else { continue }
            let ratios = zip(ours, rates).map { $0 / $1 }
            figures.append(Figure("drain ÷ \(rival.title)", rows: rows, unit: "ratio", ratios, goal: .atLeast(goal)))
        }
        return figures
    }

    /// What a service pays for few calls: its start, the reading of a log, the calls, its end.
    private static func cost(_ bench: Bench, _ sink: Sink) async throws -> Figure {
        let calls = 1_000
        var run = 0
        let seconds = try await bench.series {
            run += 1
            let database = try await bench.files.database(rows: 0, isDue: false, name: "cost")
            return try await drain(bench, calls, name: "cost-\(run)", database, sink).processor
        }
        return Figure("CPU of 1,000 calls, start and ingest included", unit: "s", seconds, goal: .atMost(0.2))
    }

    private struct Drain {
        let rate: Double
        let peakMB: Double
        /// Seconds.
        let processor: Double
    }

    /// Lets the daemon drain a log of new failures, and looks whether each arrived once and is known to have.
    private static func drain(
        _ bench: Bench, _ count: Int, name: String, _ database: URL, _ sink: Sink
    ) async throws -> Drain {
        try sink.serve(LogPages(failures: count, newest: Timestamp.system.milliseconds, name: name))
        let daemon = try Daemon(bench, database: database, sink: sink)
        try await sink.wait(for: count, from: daemon.process)
        let peak = daemon.process.peakMB
        let processor = try daemon.stop()
        let arrivals = try await sink.allArrivals()
        try arrivals.check(count, name: name)
        let delivered = try await DatabaseQueue(path: database.path).read {
            try Int.fetchOne(
                $0, sql: "SELECT COUNT(*) FROM delivery WHERE state = 'delivered' AND task_id LIKE ?",
                arguments: [name + "-%"])
        }
        guard delivered == count else { throw Inexact(what: "\(delivered ?? 0) of \(count) known to be delivered") }
        return Drain(rate: arrivals.rate, peakMB: peak, processor: processor)
    }
}
