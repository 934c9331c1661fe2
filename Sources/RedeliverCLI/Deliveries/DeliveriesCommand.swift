import ArgumentParser

/// Commands about deliveries: look at them, and act on them by hand.
struct DeliveriesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "deliveries",
        abstract: "Lists deliveries, tells one delivery's story, and retries, discards or requeues them by hand.",
        subcommands: [List.self, Show.self, Retry.self, Discard.self, Requeue.self]
    )
}
