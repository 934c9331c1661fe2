import ArgumentParser
import ProviderAPI
import RedeliverConfiguration

/// ENDPOINT and `--config` of commands that ask the provider about one endpoint.
struct ProviderEndpointArgument: ParsableArguments {
    @OptionGroup var configuration: ConfigurationOption

    @Argument(help: "The name or id of a configured endpoint, or the provider's id of any endpoint.")
    var endpoint: String

    func validate() throws {
        // A dot segment would lead to another path at the provider.
        guard !endpoint.isEmpty, endpoint != ".", endpoint != ".." else {
            throw ValidationError("'\(endpoint)' is not the name or id of an endpoint")
        }
    }

    func load() throws -> (settings: WorkerConfiguration, endpoint: ProviderEndpoint) {
        let settings = try configuration.load()
        return (settings, ProviderEndpoint(endpoint, in: settings))
    }
}

/// An endpoint of the provider and its name.
struct ProviderEndpoint: Equatable {
    let id: String
    /// The configured name; the id for an endpoint that is not configured.
    let name: String
    let isConfigured: Bool

    /// An id wins over a name, when one endpoint's id is another one's name.
    init(_ text: String, in configuration: WorkerConfiguration) {
        let endpoints = configuration.endpoints
        let found = endpoints.first { $0.id == text } ?? endpoints.first { $0.name == text }
        id = found?.id ?? text
        name = found?.name ?? text
        isConfigured = found != nil
    }

    /// For messages: `core-banking (7c0b5d9e)`, or the id alone.
    var title: String { Printable.text(name == id ? id : "\(name) (\(id))") }
}
