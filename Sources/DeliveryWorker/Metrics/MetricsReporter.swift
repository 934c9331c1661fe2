import DeliveryQueue

/// Writes the metrics file from one consistent snapshot.
struct MetricsReporter: Sendable {
    let store: QueueStore
    let gate: SharedGate
    let vitals: Vitals
    let databasePath: String
    let textfile: String
    let version: String
    let time: ProviderClock
    var disk = DiskRoom.endless

    /// - Throws: `StoreError` or `TextFileError`; the old file then stays, and its age tells.
    func runOnce(at now: Timestamp) async throws {
        let queue = try await store.snapshot(at: now)
        let sizes = QueueStore.fileSizes(ofDatabase: databasePath)
        let worker = MetricsPage.Worker(
            version: version, started: vitals.started, lastTurns: await vitals.lastTurns,
            gate: await gate.standing(at: now), databaseSize: sizes.main, walSize: sizes.wal,
            disk: await disk.look(), clockSkew: time.ahead)
        try TextFile.replace(textfile, with: MetricsPage.text(queue: queue, worker: worker, at: now))
    }
}
