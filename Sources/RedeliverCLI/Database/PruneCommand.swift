import ArgumentParser
import DatabaseTools
import DeliveryQueue
import DeliveryWorker
import Logging
import ProviderAPI

/// `redeliver database prune`.
struct PruneCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prune",
        abstract: "Removes rows that are past their retention; without --confirm it only counts them.",
        discussion: """
            The daemon does the same every hour. The command works in small batches, also while the daemon runs, and gives \
            the freed space back.
            """
    )

    @OptionGroup var database: DatabaseOption
    @OptionGroup var output: OutputOptions

    @Flag(help: "Remove the rows, instead of counting them.")
    var confirm = false

    func run() async throws {
        try await Exit.onError {
            let now = WallClock.system.now
            let path = try database.path()
            let reader = try QueueReader(path: path)
            defer { try? reader.close() }
            let summary = confirm ? try await prune(path, at: now) : try reader.prunable(at: now)
            let free = try reader.health().freeBytes
            let report = PruneReport(
                summary: summary, freeBytes: free, isDone: confirm, database: path, now: now)
            try output.print(report) { _ in report.text }
        }
    }

    private func prune(_ path: String, at now: Timestamp) async throws -> PruneSummary {
        try await cancelledBySignals {
            let store = try QueueStore.forMaintenance(path: path, now: now)
            defer { try? store.close() }
            // Beside a daemon it rests between batches, because a drain goes first.
            let beside = Pruner(
                store: store, logger: Logger(label: "prune", factory: { _ in SwiftLogNoOpLogHandler() }))
            let pruner = store.isAlone ? beside.withoutRests() : beside
            var sum = PruneSummary()
            while true {
                let turn = try await pruner.runOnce(at: now)
                sum += turn
                guard turn.total > 0 else { return sum }
            }
        }
    }
}

/// What `redeliver database prune` prints.
struct PruneReport: JSONReport {
    let summary: PruneSummary
    /// Free space inside the database's file after pruning.
    let freeBytes: Int64
    let isDone: Bool
    let database: String
    let now: Timestamp

    var json: JSONObject {
        [
            "at": now, "pruned": isDone, "database": database, "bodies": summary.bodies,
            "delivered": summary.delivered, "dead": summary.dead, "log_entries": summary.logEntries,
            "arrivals": summary.arrivals, "unreadable": summary.unreadable, "free_bytes": freeBytes,
        ]
    }

    var text: String {
        let rows: [(String, Int, Duration)] = [
            ("bodies of delivered deliveries", summary.bodies, QueueStore.bodyRetention),
            ("delivered deliveries", summary.delivered, QueueStore.deliveredRetention),
            ("dead deliveries", summary.dead, QueueStore.deadRetention),
            ("log entries of no delivery", summary.logEntries, QueueStore.unrelatedEntryRetention),
            ("newest arrivals remembered", summary.arrivals, QueueStore.arrivalRetention),
            ("unreadable log entries", summary.unreadable, QueueStore.unreadableRetention),
        ]
        let table = Table(
            [isDone ? "removed" : "would_go", "rows", "after"],
            rows.map { what, count, age in [Cell(what), "\(count)", Cell(TimeText.duration(age))] })
        return """
            \(table.text(on: .plain))

            \(freeBytes) bytes are free inside \(Printable.text(database))\
            \(isDone ? "" : "\nnothing was changed; give --confirm to remove the rows")
            """
    }
}
