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
            var (done, ended) = (0, [CallResult]())
            while done < count {
                ended = try await turn(store, after: ended, batch: batch)
                done += ended.count
                if batch == 1 { try await record(&ended, store) }
            }
            try await record(&ended, store)
            return Double(done) / (ContinuousClock.now - began).seconds
        }
        try store.close()
        let goal: Figure.Goal? = rows < 1_000_000 ? nil : .atLeast(batch == 1 ? 1_500 : 15_000)
        return Figure("retry cycles, batch \(batch)", rows: rows, unit: "1/s", rates, goal: goal)
    }

    /// A delivery alone has no other's claim to be recorded with.
    private static func record(_ ended: inout [CallResult], _ store: QueueStore) async throws {
        let recorded = try await store.record(ended, rules: RetryRules(), at: .system)
        guard recorded.accepted == ended.count else { throw Inexact(what: "recorded \(recorded.accepted)") }
        ended = []
    }

    /// A turn of the dispatcher when every call is answered at once: what ended is recorded with the next claim.
    ///
    /// - Returns: what came of the claimed calls.
    private static func turn(
        _ store: QueueStore, after ended: [CallResult], batch: Int
    ) async throws -> [CallResult] {
        let claimed = try await store.claimDue(
            after: ended, limit: batch, lease: .seconds(120), rules: RetryRules(), at: .system)
        guard claimed.recorded.accepted == ended.count else {
            throw Inexact(what: "recorded \(claimed.recorded.accepted) of \(ended.count)")
        }
        guard claimed.deliveries.count == batch else { throw Inexact(what: "claimed \(claimed.deliveries.count)") }
        return claimed.deliveries.map { delivery in
            CallResult(
                deliveryID: delivery.id, leaseToken: delivery.leaseToken, answer: .accepted,
                status: 200, duration: .milliseconds(3), answered: .system)
        }
    }
}
