import ArgumentParser
import DeliveryQueue
import DeliveryWorker

/// `redeliver check`: all faults of a configuration, and nothing else.
struct CheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Prints every fault of a configuration at once; exits with 78 if there is one."
    )

    @OptionGroup var configuration: ConfigurationOption

    func run() async throws {
        let checked = try await Exit.onError { try configuration.load() }
        let endpoints = checked.endpoints.count
        print(
            """
            \(configuration.config): no faults; \(endpoints) endpoint\(endpoints == 1 ? "" : "s"), \
            \(checked.policies.entries.count) policies, database \(checked.database)
            """)
    }
}
