import ArgumentParser
import DeliveryWorker

/// The command line: each command parses, calls one function, prints, and maps errors to an exit code.
@main
struct RedeliverCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "redeliver",
        abstract: "Makes a webhook provider's failed deliveries arrive in the end.",
        discussion: """
            Exit codes: 0 done; 64 usage; 69 the provider could not be reached; 70 unexpected; 74 the database cannot be \
            read or written; 75 another redeliver works on the database; 77 refused by the provider; 78 configuration.
            """,
        version: RedeliverVersion.current,
        subcommands: [
            RunCommand.self, CheckCommand.self, StatusCommand.self, DeliveriesCommand.self, EndpointsCommand.self,
            VerifyCommand.self,
            PoliciesCommand.self,
            TopCommand.self,
        ]
    )
}
