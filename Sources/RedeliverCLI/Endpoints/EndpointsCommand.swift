import ArgumentParser

/// Commands about endpoints.
struct EndpointsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "endpoints",
        abstract: "Holds and resumes endpoints, and acts on them at the provider.",
        subcommands: [
            Pause.self, Resume.self, Create.self, Update.self, SecretCommand.self, Logs.self, Test.self,
        ]
    )
}
