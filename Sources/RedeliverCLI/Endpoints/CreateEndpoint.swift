import ArgumentParser
import DeliveryWorker
import Foundation
import ProviderAPI
import RedeliverConfiguration

extension EndpointsCommand {
    /// `redeliver endpoints create`.
    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Registers a webhook endpoint with the provider.",
            discussion: """
                Prints the new id and the lines to add to the configuration. Needs --url and --event, or both in the file of \
                --from-json. When the answer is lost (exit code 69) the endpoint may exist even so.
                """)

        @OptionGroup var configuration: ConfigurationOption
        @OptionGroup var fields: EndpointFieldsOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            try await Exit.onError {
                // Not in `validate`, which would hide a mistyped option. A file is checked when it is read.
                guard fields.fromJson != nil || (fields.url != nil && !fields.event.isEmpty) else {
                    throw ValidationError("give --url and at least one --event, or both in the file of --from-json")
                }
                let settings = try configuration.load()
                let fields = try fields.fields()
                guard fields.url != nil, fields.enabledEvents != nil else {
                    throw ValidationError("--from-json: a new endpoint needs url and enabled_events")
                }
                let endpoint = try await withProvider(settings) { try await $0.createEndpoint(fields) }
                let report = CreatedEndpoint(endpoint, fields, besides: settings.endpoints.map(\.name))
                try output.print(report) { _ in report.text }
                Note.print(
                    "the provider signs its messages; `redeliver endpoints secret '\(report.id)' --output FILE` stores the secret"
                )
            }
        }
    }
}

/// What `redeliver endpoints create` prints.
struct CreatedEndpoint: Encodable, Equatable {
    let id: String
    let url: String
    let enabledEvents: [String]
    /// An entry for the configuration's list `endpoints`.
    let configuration: String

    /// - Parameters:
    ///   - endpoint: the provider's answer; fields that it leaves out are taken from `asked`.
    ///   - taken: the names of configured endpoints.
    init(_ endpoint: WebhookEndpoint, _ asked: EndpointFields, besides taken: [String]) {
        id = endpoint.id ?? ""
        url = PublicAddress.text(endpoint.url ?? asked.url ?? "")
        enabledEvents = endpoint.enabledEvents ?? asked.enabledEvents ?? []
        let name = Self.name(for: asked.url ?? "", besides: taken)
        configuration = "  - id: \(YAMLText.quoted(id))" + (name.map { "\n    name: \(YAMLText.quoted($0))" } ?? "")
    }

    var text: String {
        """
        endpoint \(Printable.text(id)) is registered: \(enabledEvents.map(Printable.text).joined(separator: ", "))

        Add these lines to `endpoints:` in the configuration, then reload the daemon (SIGHUP):

        \(configuration)
        """
    }

    /// The host, without characters that a configured name cannot have; nil when it is empty or taken.
    private static func name(for url: String, besides taken: [String]) -> String? {
        let host = URL(string: url)?.host() ?? ""
        let name = String(host.filter { $0.isASCII && ($0.isLetter || $0.isNumber || "._-".contains($0)) }.prefix(64))
        return name.isEmpty || taken.contains(name) ? nil : name
    }
}

/// Texts from outside in YAML that people paste.
enum YAMLText {
    /// A double-quoted scalar (YAML 1.2, 7.3.1): one line, whatever the text holds.
    static func quoted(_ text: String) -> String {
        "\"" + text.unicodeScalars.map(escaped).joined() + "\""
    }

    private static func escaped(_ scalar: Unicode.Scalar) -> String {
        guard scalar.steersDisplay || [.privateUse, .unassigned].contains(scalar.properties.generalCategory)
        else { return scalar == "\"" || scalar == "\\" ? "\\\(scalar)" : String(scalar) }
        let digits = String(scalar.value, radix: 16, uppercase: true)
        return "\\U" + String(repeating: "0", count: 8 - digits.count) + digits
    }
}
