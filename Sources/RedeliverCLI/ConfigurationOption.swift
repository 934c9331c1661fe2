import ArgumentParser
import DeliveryQueue
import Foundation
import RedeliverConfiguration

/// `--config`, shared by all commands that need the whole configuration.
struct ConfigurationOption: ParsableArguments {
    // The help texts name the defaults, because the manual shows these texts and no default values of the parser.
    @Option(
        name: .customLong("config"),
        help: ArgumentHelp(
            "The configuration file (YAML). Default: /etc/redeliver/config.yaml.", valueName: "file"),
        completion: .file())
    private var file: String?

    /// The path as it was given.
    var config: String { file ?? "/etc/redeliver/config.yaml" }

    /// - Throws: `ConfigurationError` with all faults.
    func load() throws -> WorkerConfiguration {
        try WorkerConfiguration.load(path: config, environment: ProcessInfo.processInfo.environment)
    }
}

/// `--database`, or the configured database. With `--database` on-call can read it without the configuration's secrets.
struct DatabaseOption: ParsableArguments {
    @OptionGroup var configuration: ConfigurationOption

    @Option(
        name: .long,
        help: ArgumentHelp("The database file, instead of the one that --config names.", valueName: "file"),
        completion: .file())
    var database: String?

    func path() throws -> String {
        try database ?? configuration.load().database
    }

    /// The configuration; nil when --database is given and the configuration cannot be read.
    func settings() throws -> WorkerConfiguration? {
        guard database != nil else { return try configuration.load() }
        return try? configuration.load()
    }

    /// The rules under which a command changes the queue: the configuration's, or the defaults where --database stands for one
    /// that cannot be read.
    func rules() throws -> RetryRules {
        try settings()?.rules ?? RetryRules()
    }
}
