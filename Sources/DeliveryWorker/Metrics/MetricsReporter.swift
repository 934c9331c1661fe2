package import DeliveryQueue

/// Writes the metrics file from one consistent snapshot.
package struct MetricsReporter: Sendable {
    let store: QueueStore
    let gate: SharedGate
    let budget: RequestBudget
    let vitals: Vitals
    let databasePath: String
    let textfile: String
    let version: String
    let time: ProviderClock
    var disk = DiskRoom.endless

    /// - Throws: `StoreError` when the database cannot be read, `MetricsFileError` when the file cannot be written. The
    ///   old file then stays, and its age shows it.
    package func runOnce(at now: Timestamp) async throws {
        // A database that takes no write must not keep the page from telling so.
        try? await budget.count(in: store, at: now)
        let queue = try await store.snapshot(at: now)
        let sizes = QueueStore.fileSizes(ofDatabase: databasePath)
        let worker = MetricsPage.Worker(
            version: version, started: vitals.started, lastTurns: await vitals.lastTurns,
            gate: await gate.standing(at: now), databaseSize: sizes.main, walSize: sizes.wal,
            disk: await disk.look(), clockSkew: time.ahead)
        try Self.replace(textfile, with: MetricsPage.text(queue: queue, worker: worker, at: now))
    }

    /// A reader sees the old text or the new one, never a part. Everybody may read the file (0644).
    static func replace(_ textfile: String, with text: String) throws(MetricsFileError) {
        do throws(StoreError) {
            // Its unfinished name does not end in `.prom`, or node_exporter would read it too.
            let pending = try PendingFile(
                for: textfile, mode: 0o644, contents: Array(text.utf8),
                operation: "write the metrics file \(textfile)")
            defer { pending.remove() }
            try pending.replace()
        } catch {
            throw MetricsFileError(cause: error)
        }
    }
}

/// Why the metrics file could not be replaced.
struct MetricsFileError: Error, CustomStringConvertible {
    let cause: StoreError

    var description: String {
        "\(cause.operation): \(cause.cause); check `metrics.textfile`, its folder and the free space"
    }
}
