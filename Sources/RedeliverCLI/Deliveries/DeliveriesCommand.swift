import ArgumentParser

/// Commands that show deliveries and act on them by hand.
struct DeliveriesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "deliveries",
        abstract:
            "Lists deliveries, shows one delivery's history, and retries, discards or requeues deliveries by hand.",
        subcommands: [List.self, Show.self, Retry.self, Discard.self, Requeue.self]
    )
}
