import ArgumentParser
import DeliveryQueue
import RedeliverConfiguration

/// `redeliver check`: all faults of a configuration.
struct CheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Prints all faults of the configuration; exits with 78 if there is one."
    )

    @OptionGroup var configuration: ConfigurationOption

    func run() async throws {
        try await Exit.onError {
            let checked = try configuration.load()
            let (endpoints, policies) = (checked.endpoints.count, checked.policies.entries.count)
            try StandardOutput.print(
                """
                \(configuration.config): no faults; \(endpoints) endpoint\(endpoints == 1 ? "" : "s"), \
                \(policies) polic\(policies == 1 ? "y" : "ies"), database \(checked.database)
                """)
        }
    }
}
