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
        subcommands: [
            RunCommand.self, CheckCommand.self, StatusCommand.self, DeliveriesCommand.self, EndpointsCommand.self,
            EventsCommand.self, VerifyCommand.self, PoliciesCommand.self, TopCommand.self,
            DatabaseCommand.self, DoctorCommand.self,
        ]
    )
}
