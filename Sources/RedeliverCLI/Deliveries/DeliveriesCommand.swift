import ArgumentParser
import DeliveryQueue
import DeliveryWorker

/// Commands about single deliveries.
struct DeliveriesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "deliveries",
        abstract: "Acts on deliveries.",
        subcommands: [Requeue.self]
    )

    /// `redeliver deliveries requeue`.
    struct Requeue: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Gives a dead delivery a new cycle with all its attempts, due at once.")

        @OptionGroup var database: DatabaseOption

        @Argument(help: "The delivery's number in the database.")
        var id: Int64

        @Option(help: "Why; kept with your name and the time.")
        var reason: String

        func run() async throws {
            try await Exit.onError {
                let now = WallClock.system.now
                let store = try QueueStore.forOperator(path: try database.path(), now: now)
                defer { try? store.close() }
                guard try await store.requeue(id: id, by: Operator.name, reason: reason, at: now) else {
                    throw ValidationError("there is no delivery \(id)")
                }
                print("delivery \(id) is scheduled again; a running daemon takes it up within 30 s")
            }
        }
    }
}
