import ArgumentParser

/// Commands about the database as a whole.
struct DatabaseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "database",
        abstract: "Backs the database up, restores, prunes and checks it.",
        subcommands: [BackupCommand.self, RestoreCommand.self, PruneCommand.self, CheckDatabaseCommand.self]
    )
}
