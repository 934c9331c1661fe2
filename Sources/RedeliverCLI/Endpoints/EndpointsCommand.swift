import ArgumentParser

/// Commands about endpoints.
struct EndpointsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "endpoints",
        abstract: "Pauses and resumes endpoints.",
        subcommands: [Pause.self, Resume.self]
    )
}
