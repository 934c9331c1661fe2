import ArgumentParser
import DeliveryQueue
import DeliveryWorker

/// `redeliver status`.
struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Shows the state of all deliveries and endpoints, with or without a running daemon."
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
