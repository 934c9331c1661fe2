import ArgumentParser
import DeliveryWorker
import Foundation
import ProviderAPI

extension EndpointsCommand {
    /// `redeliver endpoints secret`.
    struct SecretCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "secret",
            abstract: "Shows or rotates the secret that signs an endpoint's messages.",
            discussion: "For an endpoint that is called `rotate`, write `redeliver endpoints secret show rotate`.",
            subcommands: [Show.self, Rotate.self],
            defaultSubcommand: Show.self
        )

        /// `redeliver endpoints secret show`, and without `show`.
        struct Show: AsyncParsableCommand {
            static let configuration = CommandConfiguration(
                abstract: "Prints only the secret on stdout, or stores it in a new file.")

            @OptionGroup var endpoint: ProviderEndpointArgument
            @OptionGroup var output: SecretOutputOption

            func run() async throws {
                try await Exit.onError {
                    let (settings, endpoint) = try endpoint.load()
                    let place = try output.place()
                    try await withProvider(settings) { client in
                        try place.store(try await client.secret(of: endpoint.id))
                    }
                }
            }
        }

        /// `redeliver endpoints secret rotate`.
        struct Rotate: AsyncParsableCommand {
            static let configuration = CommandConfiguration(
                abstract: "Makes the provider generate a new secret, which signs all messages from now on.",
                discussion: """
                    Messages on their way carry the signature of the old secret: keep it (--keep-old) and accept both for \
                    a while. The command checks first that the files can be made. It leaves no file when the provider \
                    refuses.
                    """)

            @OptionGroup var endpoint: ProviderEndpointArgument
            @OptionGroup var output: SecretOutputOption

            @Option(
                help: ArgumentHelp(
                    "Read the old secret first and store it in this new file (0600).", valueName: "file"))
            var keepOld: String?

            func validate() throws {
                // The same file under another name would take the old secret and leave no place for the new one.
                if let keepOld, let new = output.output, Self.place(of: keepOld) == Self.place(of: new) {
                    throw ValidationError("--output and --keep-old need two files")
                }
            }

            private static func place(of path: String) -> URL {
                let file = URL(filePath: path)
                return file.deletingLastPathComponent().resolvingSymlinksInPath().appending(
                    path: file.lastPathComponent)
            }

            func run() async throws {
                try await Exit.onError {
                    let (settings, endpoint) = try endpoint.load()
                    let place = try output.place()
                    let old = try keepOld.map(SecretOutputFile.init(creating:))
                    let rotation = SecretRotation(endpoint: endpoint, new: place, old: old)
                    try await withProvider(settings) { try await rotation.run(with: $0) }
                }
            }
        }
    }
}

/// `--output` of the commands that get a secret.
struct SecretOutputOption: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Store the secret in this new file (0600) instead of printing it; an existing file is never overwritten.",
            valueName: "file"))
    var output: String?

    /// - Throws: `ValidationError` when the file cannot be made.
    func place() throws -> SecretPlace {
        SecretPlace(file: try output.map(SecretOutputFile.init(creating:)))
    }
}
