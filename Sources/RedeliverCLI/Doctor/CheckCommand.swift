import ArgumentParser
import DeliveryQueue
import ProviderAPI
import RedeliverConfiguration

/// `redeliver check`: all faults of a configuration.
struct CheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Prints all faults of the configuration; exits with 78 if there is one.",
        discussion: """
            Also warns of secrets that others may read or that cannot work, of ids that look alike, and of endpoints whose logs \
            show the same rows.
            """
    )

    @OptionGroup var configuration: ConfigurationOption

    func run() async throws {
        try await Exit.onError {
            let checked = try configuration.load()
            let (endpoints, policies) = (checked.endpoints.count, checked.policies.entries.count)
            try StandardOutput.print(
                """
                \(Printable.text(configuration.config)): no faults; \(endpoints) endpoint\(endpoints == 1 ? "" : "s"), \
                \(policies) polic\(policies == 1 ? "y" : "ies"), database \(Printable.text(checked.database))
                """)
            for caution in checked.cautions {
                Note.print("warning: \(caution.line(path: configuration.config))")
            }
            for rows in Self.sameRows(database: checked.database) {
                Note.print(
                    Printable.text(
                        "warning: the logs of endpoints \(rows.endpoint) and \(rows.other) show the same rows: one of the two "
                            + "is enough"))
            }
        }
    }

    /// What the database knows; nothing when it is not there yet or cannot be read.
    private static func sameRows(database: String) -> [SameRows] {
        guard let reader = try? QueueReader(path: database) else { return [] }
        defer { try? reader.close() }
        return (try? reader.sameRows()) ?? []
    }
}
