import ArgumentParser
import DeliveryWorker

/// The command line. Each command parses, calls one function, prints, and turns errors into exit codes.
struct RedeliverCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "redeliver",
        abstract: "Retries a webhook provider's failed deliveries until they arrive.",
        discussion: """
            Exit codes: 0 done; 1 the answer is no (the signature does not match, the test event failed, the \
            installation is not healthy); 64 wrong usage; 69 the provider cannot be reached, or an awaited event did not \
            appear in time; 70 unexpected error; 71 a stop took too long and was given up; 72 the database was taken over, moved or replaced; \
            74 the database, an output file or stdout cannot be read or written; \
            75 another redeliver works on the database; 77 the provider refused; 78 the configuration has faults.
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
