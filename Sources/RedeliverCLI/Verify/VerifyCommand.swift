import ArgumentParser
import Foundation
import ProviderAPI

/// `redeliver verify`. It needs neither configuration nor database.
struct VerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Checks the signature of a received webhook. It reads the body from standard input.",
        discussion: """
            The body must be exactly the received bytes. They are checked as they are, and then in the form of the vendor's \
            sample, Python's json.dumps(json.loads(body)). Exits with 0 if the signature is valid, with 1 if it is not.
            Example: redeliver verify --secret-file secret.txt --signature 'cQ6x...kE8=' < body.json
            """
    )

    /// In bytes: far more than any webhook, as a protection against a wrong pipe.
    static let bodyLimit = 64 << 20
    /// More than one is needed only during a change of the secret.
    static let secretFileLimit = 10

    @Option(
        name: .customLong("secret-file"),
        help: ArgumentHelp(
            "A file with the endpoint's secret; repeat the option for the old secret after a change (up to 10).",
            valueName: "file"),
        completion: .file())
    var secretFiles: [String]

    @Option(help: ArgumentHelp("The value of the header Webhook-Signature.", valueName: "base64"))
    var signature: String

    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard secretFiles.count <= Self.secretFileLimit else {
            throw ValidationError("--secret-file is given \(secretFiles.count) times; at most 10 are allowed")
        }
    }

    func run() async throws {
        try await Exit.onError {
            let report = VerifyReport(try match())
            try output.print(report) { report.text(on: $0) }
            if !report.valid { throw ExitCode.failure }
        }
    }

    /// - Throws: `ValidationError` when the input cannot be checked.
    private func match() throws -> WebhookSignature.Match? {
        do {
            let signature = try WebhookSignature(signature)
            let secrets = try secretFiles.map { try WebhookSecret(path: $0) }
            return signature.match(body: try Self.body(from: .standardInput), secrets: secrets)
        } catch let error as WebhookSignatureError {
            throw ValidationError("\(error)")
        }
    }

    private static func body(from input: FileHandle) throws -> [UInt8] {
        let bytes: Data
        do {
            bytes = try input.read(upToCount: bodyLimit + 1) ?? Data()
        } catch {
            throw ValidationError("cannot read the body from standard input; is it a readable file or pipe?")
        }
        guard !bytes.isEmpty else {
            throw ValidationError("standard input is empty; pipe the received body into it, byte for byte")
        }
        guard bytes.count <= bodyLimit else {
            throw ValidationError("the body on standard input is larger than 64 MiB; is it the right file?")
        }
        return Array(bytes)
    }
}
