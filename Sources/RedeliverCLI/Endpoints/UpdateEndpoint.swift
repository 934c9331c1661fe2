import ArgumentParser
import DeliveryWorker
import ProviderAPI

extension EndpointsCommand {
    /// `redeliver endpoints update`.
    struct Update: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Changes an endpoint at the provider.",
            discussion: """
                Sends only the given fields; at least one is needed. A given field is replaced as a whole: one --header \
                replaces all custom headers, one --metadata all metadata, one --event all enabled events.
                """)

        @OptionGroup var endpoint: ProviderEndpointArgument
        @OptionGroup var fields: EndpointFieldsOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            try await Exit.onError {
                // Not in `validate`, which would hide a mistyped option.
                guard fields.isGiven || fields.fromJson != nil else {
                    throw ValidationError(
                        "nothing to change: give at least one of --url, --event, --header, --metadata")
                }
                let (settings, endpoint) = try endpoint.load()
                let fields = try fields.fields()
                guard !fields.names.isEmpty else {
                    throw ValidationError("--from-json: nothing to change, the object has no fields")
                }
                let answer = try await withProvider(settings) { try await $0.updateEndpoint(endpoint.id, fields) }
                let report = UpdatedEndpoint(endpoint, fields, answer)
                try output.print(report) { _ in report.text }
            }
        }
    }
}

/// What `redeliver endpoints update` prints; never a header's value.
struct UpdatedEndpoint: Encodable, Equatable {
    let id: String
    let name: String
    /// The names of the fields that were sent.
    let changed: [String]
    /// From the provider's answer; nil when it does not say.
    let url: String?
    let enabledEvents: [String]?

    init(_ endpoint: ProviderEndpoint, _ asked: EndpointFields, _ answer: WebhookEndpoint) {
        id = endpoint.id
        name = endpoint.name
        changed = asked.names
        url = answer.url.map(PublicAddress.text)
        enabledEvents = answer.enabledEvents
    }

    var text: String {
        let events = enabledEvents.map { "\nenabled events: \($0.map(Printable.text).joined(separator: ", "))" } ?? ""
        return "endpoint \(Printable.text(name)) is updated: \(changed.joined(separator: ", "))"
            + (url.map { "\nurl: \(Printable.text($0))" } ?? "") + events
    }
}
