import ArgumentParser
import DeliveryQueue
import DeliveryWorker
import Foundation

/// `redeliver status`: what the database knows, for people or as JSON.
struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Shows what the database knows, while the daemon runs and while it does not."
    )

    @OptionGroup var database: DatabaseOption

    @Flag(help: "Print stable JSON for scripts.")
    var json = false

    func run() async throws {
        let now = WallClock.system.now
        let report = try await Exit.onError {
            let path = try database.path()
            return StatusReport(try QueueStore.snapshot(ofDatabase: path, at: now), database: path, at: now)
        }
        guard json else { return print(report.text) }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        encoder.keyEncodingStrategy = .convertToSnakeCase
        print(String(decoding: try encoder.encode(report), as: UTF8.self))
    }
}
