import ArgumentParser
import DeliveryWorker

/// The command line: each command parses, calls one function, prints, and maps errors to an exit code.
@main
struct RedeliverCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "redeliver",
        abstract: "Makes a webhook provider's failed deliveries arrive in the end.",
        discussion: """
            Exit codes: 0 done; 1 the answer is no (a signature that does not match, a test event that failed, an \
            installation that is not healthy); 64 usage; \
            69 the provider could not be reached, or nothing was seen in time; 70 unexpected; 74 the database, or a file \
            or stdout that a result goes to, cannot be read or written; 75 another redeliver works on the database; \
            77 refused by the provider; 78 configuration.
            """,
        version: RedeliverVersion.current,
        groupedSubcommands: [
            CommandGroup(
                name: "Daemon and configuration",
                subcommands: [RunCommand.self, CheckCommand.self, PoliciesCommand.self, SimulateCommand.self]),
            CommandGroup(name: "Health", subcommands: [StatusCommand.self, TopCommand.self, DoctorCommand.self]),
            CommandGroup(name: "Delivery", subcommands: [DeliveriesCommand.self]),
            CommandGroup(
                name: "Provider", subcommands: [EndpointsCommand.self, EventsCommand.self, VerifyCommand.self]),
            CommandGroup(name: "Maintenance", subcommands: [DatabaseCommand.self]),
        ]
    )
}
