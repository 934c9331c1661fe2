import DeliveryQueue
import Logging
package import ProviderAPI
package import RedeliverConfiguration

/// Gives an operator's command a client of the configured provider for one piece of work. Nothing is logged.
package func withProvider<Value: Sendable>(
    _ configuration: WorkerConfiguration, _ work: (ProviderClient) async throws -> Value
) async throws -> Value {
    let logger = Logger(label: "redeliver", factory: { _ in SwiftLogNoOpLogHandler() })
    let transport = try AsyncHTTPTransport(
        concurrency: configuration.retry.concurrency, path: configuration.provider.path,
        now: { WallClock.system.now.milliseconds }, logger: logger)
    let client = ProviderClient(configuration, transport: transport, wallClock: .system, logger: logger)
    do {
        let value = try await work(client)
        // An error here must not hide the value, which may be a secret that the provider shows only once.
        try? await transport.shutdown()
        return value
    } catch {
        try? await transport.shutdown()
        throw error
    }
}

extension ProviderClient {
    /// A client of the configured provider. The caller shuts the transport down.
    init(
        _ configuration: WorkerConfiguration, transport: any HTTPTransport, wallClock: WallClock,
        clock: any Clock<Duration> = ContinuousClock(), logger: Logger
    ) {
        self.init(
            baseURL: configuration.provider.baseURL, credential: configuration.provider.credential,
            fields: configuration.provider.fields, requestTimeout: configuration.provider.requestTimeout,
            transport: transport, now: { wallClock.now.milliseconds }, clock: clock, logger: logger)
    }
}
