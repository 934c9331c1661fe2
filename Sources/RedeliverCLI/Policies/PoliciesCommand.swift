import ArgumentParser
import DeliveryQueue
import RedeliverConfiguration

/// `redeliver policies`.
struct PoliciesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "policies",
        abstract: "Shows all policies, or one event type's policy and timetable.",
        discussion: """
            Times are counted from the failure, if each attempt fails at once. Jitter only adds to a wait.
            """
    )

    @Argument(help: "An event type, also one that was never seen. Without it all policies are listed.")
    var eventType: String?

    @OptionGroup var configuration: ConfigurationOption
    @OptionGroup var output: RowOutputOptions

    func validate() throws {
        guard let eventType else { return }
        if eventType.isEmpty { throw ValidationError("the event type is empty; name one, such as profile_update") }
        if eventType.contains(where: { $0 == "*" || $0 == "?" }) {
            throw ValidationError("\(eventType) is a pattern; name one event type, such as profile_update")
        }
    }

    func run() async throws {
        try await Exit.onError {
            let policies = try configuration.load().policies
            guard let eventType else { return try printOverview(of: policies) }
            let report = PolicyTimetable(of: eventType, in: policies)
            if !output.json && !output.csv { try StandardOutput.print(report.heading + "\n") }
            try output.print(report, output.csv ? report.csv : report.table, footer: report.ending)
        }
    }

    private func printOverview(of policies: PolicyBook) throws {
        let report = PolicyOverview(policies)
        let eventTypes = report.eventTypeTable.text(on: .standardOutput)
        try output.print(report, output.csv ? report.csv : report.table, footer: eventTypes)
    }
}
