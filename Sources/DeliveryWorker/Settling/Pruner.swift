package import DeliveryQueue
package import Logging
import ServiceLifecycle

/// Removes what is past its retention, in small batches, and gives the space back.
package struct Pruner: Sendable {
    let store: QueueStore
    /// For so many times as long as a batch took, the disk and the writer's place are left to others: a tenth of the time
    /// is enough, and a drain beside it hardly slower.
    private var rests = 9
    let clock: any Clock<Duration>
    let logger: Logger

    static let interval = Duration.seconds(3_600)
    /// Between two looks whether a log was read since the start.
    static let patience = Duration.seconds(60)
    /// Rows of a kind that one turn looks for; what is left waits for the next.
    static let rowsPerTurn = 100_000
    /// A turn ends after so long; what is left waits for the next.
    static let longestTurn = Duration.seconds(300)
    /// However long a batch took: for one that the disk, or the machine's sleep, has held up.
    static let longestRest = Duration.seconds(10)
    /// Rows of a kind that are removed in one transaction: a claim waits for no more than one.
    static let rowsPerBatch = 100

    package init(store: QueueStore, clock: any Clock<Duration> = ContinuousClock(), logger: Logger) {
        self.store = store
        self.clock = clock
        self.logger = logger
    }

    /// For where nobody else works on the database.
    package func withoutRests() -> Pruner {
        var pruner = self
        pruner.rests = 0
        return pruner
    }

    /// Ends early, between two batches, when a graceful shutdown begins.
    package func runOnce(at now: Timestamp) async throws -> PruneSummary {
        var sum = PruneSummary()
        let elapsed = stopwatch(clock)
        var old = try await store.oldRows(limit: Self.rowsPerTurn, at: now)
        for _ in 0..<Self.rowsPerTurn / Self.rowsPerBatch where mayGoOn(elapsed()) {
            let found = old.takeFirst(Self.rowsPerBatch)
            let batch = try await resting { try await store.prune(found, limit: Self.rowsPerBatch, at: now) }
            sum += batch
            guard batch.total > 0 || !old.isEmpty else { break }
        }
        try await giveSpaceBack(elapsed)
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
    private func giveSpaceBack(_ elapsed: () -> Duration) async throws {
        for _ in 0..<Self.rowsPerTurn / Self.rowsPerBatch where mayGoOn(elapsed()) {
            guard try await resting({ try await store.reclaimSpace() }) > 0 else { return }
        }
    }

    private func mayGoOn(_ elapsed: Duration) -> Bool { !Task.isShuttingDownGracefully && elapsed < Self.longestTurn }

    /// Does a piece of the work, and rests.
    private func resting<Value>(_ work: () async throws -> Value) async throws -> Value {
        try Task.checkCancellation()
        let (value, duration) = try await timed(on: clock, work)
        let rest = min(duration * rests, Self.longestRest)
        if rest > .zero { await cancelWhenGracefulShutdown { try? await clock.sleep(for: rest) } }
        return value
    }
}
