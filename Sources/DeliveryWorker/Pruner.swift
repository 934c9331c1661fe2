package import DeliveryQueue
package import Logging

/// Removes what is past its retention, in small batches, and gives the space back.
package struct Pruner: Sendable {
    let store: QueueStore
    let logger: Logger

    static let interval = Duration.seconds(3_600)
    /// Between two looks whether a log was read since the start.
    static let patience = Duration.seconds(60)
    /// Batches of one turn; what is left waits for the next turn, so that pruning never keeps the writer for long. Other
    /// writers come in between two batches: a batch looks for its rows before it begins to write.
    static let batchesPerTurn = 200

    package init(store: QueueStore, logger: Logger) {
        self.store = store
        self.logger = logger
    }

    package func runOnce(at now: Timestamp) async throws -> PruneSummary {
        var sum = PruneSummary()
        for _ in 0..<Self.batchesPerTurn {
            try Task.checkCancellation()
            let batch = try await store.prune(at: now)
            guard batch.total > 0 else { break }
            sum += batch
        }
        try await giveSpaceBack()
        for copy in store.removeOldMigrationCopies(at: now) {
            logger.info("copy from before an older change of the schema removed", metadata: ["copy": "\(copy)"])
        }
        guard sum.total > 0 else { return sum }
        logger.info(
            "old rows pruned",
            metadata: [
                "bodies": "\(sum.bodies)", "deliveries": "\(sum.deliveries)", "log.entries": "\(sum.logEntries)",
                "arrivals": "\(sum.arrivals)", "unreadable": "\(sum.unreadable)",
            ])
        return sum
    }

    /// Also what earlier turns left free.
    private func giveSpaceBack() async throws {
        for _ in 0..<Self.batchesPerTurn {
            try Task.checkCancellation()
            guard try await store.reclaimSpace() > 0 else { return }
        }
    }
}
