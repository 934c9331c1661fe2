import DeliveryQueue
import Foundation

/// Full durable retry cycles without HTTP: the intent is committed, then the outcome.
enum CycleBench {
    /// Cycles of one run, by batch.
    private static let cycles = [1: 300, 20: 1_200]

    static func measure(_ bench: Bench) async throws -> [Figure] {
        var figures: [Figure] = []
        for batch in cycles.keys.sorted() {
            for rows in bench.rows { figures.append(try await measure(bench, batch: batch, rows: rows)) }
        }
        return figures
    }

    private static func measure(_ bench: Bench, batch: Int, rows: Int) async throws -> Figure {
        let file = try await bench.files.database(rows: rows, name: "cycles")
        let store = try QueueStore(path: file.path, now: .system)
        let count = cycles[batch] ?? batch
        let rates = try await bench.series {
            let began = ContinuousClock.now
            var done = 0
            while done < count { done += try await cycle(store, batch: batch) }
            return Double(done) / (ContinuousClock.now - began).seconds
        }
        try store.close()
        let goal: Figure.Goal? = rows < 1_000_000 ? nil : .atLeast(batch == 1 ? 1_500 : 15_000)
        return Figure("retry cycles, batch \(batch)", rows: rows, unit: "1/s", rates, goal: goal)
    }

    private static func cycle(_ store: QueueStore, batch: Int) async throws -> Int {
        let rules = RetryRules()
        let claimed = try await store.claimDue(limit: batch, lease: .seconds(120), rules: rules, at: .system).deliveries
        guard !claimed.isEmpty else { throw Inexact(what: "nothing was due") }
        let outcomes = claimed.map { delivery in
            AttemptOutcome(
                deliveryID: delivery.id, leaseToken: delivery.leaseToken, meaning: .accepted, answer: "accepted",
                status: 200, duration: .milliseconds(3), answered: .system)
        }
        let summary = try await store.record(outcomes, rules: rules, at: .system)
        guard summary.accepted == claimed.count else { throw Inexact(what: "recorded \(summary.accepted)") }
        return claimed.count
    }
}
