import ArgumentParser
import DeliveryQueue
import DeliveryWorker

/// `redeliver status`: what the database knows, for people or as JSON.
struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Shows what the database knows, while the daemon runs and while it does not."
    )

    @OptionGroup var database: DatabaseOption
    @OptionGroup var output: OutputOptions

    func run() async throws {
        try await Exit.onError {
            let now = WallClock.system.now
            let path = try database.path()
            let report = StatusReport(try QueueReader(path: path).snapshot(at: now), database: path, at: now)
            try output.print(report) { report.text(on: $0) }
        }
    }
}
