import DeliveryQueue
import Logging

/// Removes what is past its retention, in small batches, and gives the space back.
struct Pruner: Sendable {
    let store: QueueStore
    let logger: Logger

    static let interval = Duration.seconds(3_600)
    /// Batches of one turn; what is left waits for the next turn, so that pruning never keeps the writer for long.
    static let batchesPerTurn = 200

    func runOnce(at now: Timestamp) async throws -> PruneSummary {
        var sum = PruneSummary()
        for _ in 0..<Self.batchesPerTurn {
            try Task.checkCancellation()
            let batch = try await store.prune(at: now)
            guard batch.total > 0 else { break }
            sum.add(batch)
        }
        guard sum.total > 0 else { return sum }
        try await store.reclaimSpace()
        logger.info(
            "old rows pruned",
            metadata: [
                "bodies": "\(sum.bodies)", "deliveries": "\(sum.deliveries)", "log.entries": "\(sum.logEntries)",
                "unreadable": "\(sum.unreadable)",
            ])
        return sum
    }
}

extension PruneSummary {
    fileprivate mutating func add(_ batch: PruneSummary) {
        bodies += batch.bodies
        deliveries += batch.deliveries
        logEntries += batch.logEntries
        unreadable += batch.unreadable
    }
}
