import ArgumentParser

/// Commands about endpoints.
struct EndpointsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "endpoints",
        abstract: "Pauses and resumes endpoints, and manages them at the provider.",
        subcommands: [
            Pause.self, Resume.self, Create.self, Update.self, SecretCommand.self, Logs.self, Test.self,
        ]
    )
}
