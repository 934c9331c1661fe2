import Foundation

/// What the daemon uses while nothing happens, with the intervals that it has of its own.
enum IdleBench {
    private static let window = Duration.seconds(60)

    static func measure(_ bench: Bench) async throws -> [Figure] {
        let sink = try Sink(in: bench.files)
        try sink.serve(LogPages(failures: 0, newest: 0, name: "none"))
        let database = try await bench.files.database(rows: 0, name: "idle")
        let daemon = try Daemon(bench, database: database, sink: sink)
        _ = try await sink.firstRead(by: daemon)
        try await Task.sleep(for: .seconds(5))  // whatever a start leaves to be done
        let (processor, wakeUps) = (daemon.process.processorSeconds, daemon.process.wakeUps)
        try await Task.sleep(for: window)
        let used = (daemon.process.processorSeconds - processor) / window.seconds * 100
        let woken = daemon.process.wakeUps.reduce(0) { $0 + $1.value - (wakeUps[$1.key] ?? 0) }
        let memory = daemon.process.residentMB
        try daemon.stop()
        try sink.stop()
        return [
            Figure("CPU while idle, one minute", unit: "% of a core", [used], goal: .atMost(0.1)),
            Figure("wake-ups of threads while idle", unit: "a minute", [woken]),
            Figure("memory while idle", unit: "MB", [memory], goal: .atMost(40)),
        ]
    }
}
