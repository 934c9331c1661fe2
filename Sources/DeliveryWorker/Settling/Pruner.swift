package import DeliveryQueue
package import Logging
import ProviderAPI
import ServiceLifecycle

/// Removes rows that are past their retention, in small batches, and gives the space back to the file system.
package struct Pruner: Sendable {
    let store: QueueStore
    /// The rest after a batch, in times of the batch's duration. Pruning so takes a tenth of the time, and a drain
    /// beside it is hardly slower.
    private var rests = 9
    let clock: any Clock<Duration>
    let logger: Logger

    static let interval = Duration.seconds(3_600)
    /// How often it looks whether a log was read since the start.
    static let patience = Duration.seconds(60)
    /// Rows of each kind that one turn removes at most; the next turn takes the rest.
    static let rowsPerTurn = 100_000
    /// The longest turn; the next turn takes the rest.
    static let longestTurn = Duration.seconds(300)
    /// The longest rest, also after a batch that took very long because of the disk or the machine's sleep.
    static let longestRest = Duration.seconds(10)
    /// Rows of each kind that one transaction removes; a claim waits for one transaction at most.
    static let rowsPerBatch = 100

    package init(store: QueueStore, clock: any Clock<Duration> = ContinuousClock(), logger: Logger) {
        self.store = store
        self.clock = clock
        self.logger = logger
    }

    /// For a database that nobody else works on.
    package func withoutRests() -> Pruner {
        var pruner = self
        pruner.rests = 0
        return pruner
    }

    /// One turn. It ends early, between two batches, when a graceful shutdown begins.
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
            logger.info("old copy of the database from before a schema change removed", metadata: ["copy": "\(copy)"])
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

    /// Also gives back what earlier turns left.
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
