import ArgumentParser
import Foundation
import ProviderAPI
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

    /// Reads the configuration from the file and the environment.
    ///
    /// - Parameter credential: used in place of the configured one; nil reads that one too.
    /// - Throws: `ConfigurationError` with all faults.
    func load(credential: Credential? = nil) throws(ConfigurationError) -> WorkerConfiguration {
        try WorkerConfiguration.load(
            path: config, environment: ProcessInfo.processInfo.environment, credential: credential)
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

    /// The configuration without the credential, which on-call need not have.
    ///
    /// - Throws: `ConfigurationError` with all faults, also when there is no such file.
    func settings() throws(ConfigurationError) -> WorkerConfiguration {
        try configuration.load(credential: .token(Secret("")))
    }
}
