import DeliveryQueue
import Logging
package import ProviderAPI
package import RedeliverConfiguration

/// Gives an operator's command the provider as a configuration names it, for one piece of work.
///
/// Nothing is logged: what happens is what `work` returns or throws.
package func withProvider<Value: Sendable>(
    _ configuration: WorkerConfiguration, _ work: (ProviderClient) async throws -> Value
) async throws -> Value {
    let logger = Logger(label: "redeliver", factory: { _ in SwiftLogNoOpLogHandler() })
    let transport = try AsyncHTTPTransport(
        concurrency: configuration.retry.concurrency, path: configuration.provider.path, logger: logger)
    let client = ProviderClient(configuration, transport: transport, wallClock: .system, logger: logger)
    do {
        let value = try await work(client)
        // Its failure must not hide the value, which may be a secret that is shown only now.
        try? await transport.shutdown()
        return value
    } catch {
        try? await transport.shutdown()
        throw error
    }
}

extension ProviderClient {
    /// The provider that a configuration names, over a transport that the caller shuts down.
    init(
        _ configuration: WorkerConfiguration, transport: any HTTPTransport, wallClock: WallClock, logger: Logger
    ) {
        self.init(
            baseURL: configuration.provider.baseURL, credential: configuration.provider.credential,
            fields: configuration.provider.fields, requestTimeout: configuration.provider.requestTimeout,
            transport: transport, now: { wallClock.now.milliseconds }, logger: logger)
    }
}
