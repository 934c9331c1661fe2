import ArgumentParser
import DeliveryQueue
import DeliveryWorker
import Foundation

/// Commands about endpoints.
struct EndpointsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "endpoints",
        abstract: "Acts on endpoints.",
        subcommands: [Resume.self]
    )

    /// `redeliver endpoints resume`.
    struct Resume: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Ends the hold of an endpoint: its deliveries are retried again.")

        @OptionGroup var database: DatabaseOption

        @Argument(help: "The endpoint's id.")
        var endpoint: String

        @Option(help: "Why; kept with your name and the time.")
        var reason: String

        func run() async throws {
            try await Exit.onError {
                let now = WallClock.system.now
                let store = try QueueStore.forOperator(path: try database.path(), now: now)
                defer { try? store.close() }
                guard try await store.resume(endpoint: endpoint, by: Operator.name, reason: reason, at: now) else {
                    throw ValidationError("there is no endpoint \(endpoint) in the database")
                }
                print("endpoint \(endpoint) is no longer held; a running daemon notices within 30 s")
            }
        }
    }
}

/// Who is at the keyboard, for the record.
enum Operator {
    static var name: String { ProcessInfo.processInfo.userName }
}
