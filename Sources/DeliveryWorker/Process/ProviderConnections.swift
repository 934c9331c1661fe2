import DeliveryQueue
import Logging
import ProviderAPI
import RedeliverConfiguration
import Synchronization

/// The daemon's connections to the provider. A reload makes new ones, because the network path may change and
/// certificates are renewed by replacing their files.
final class ProviderConnections: HTTPTransport {
    private let transport: Mutex<AsyncHTTPTransport>
    private let logger: Logger

    /// - Throws: `NetworkPath.Fault` when a file was changed after the configuration was checked.
    init(for configuration: WorkerConfiguration, logger: Logger) throws {
        self.logger = logger
        transport = Mutex(try Self.make(for: configuration, logger))
    }

    private static func make(for configuration: WorkerConfiguration, _ logger: Logger) throws -> AsyncHTTPTransport {
        try AsyncHTTPTransport(
            concurrency: configuration.retry.concurrency + configuration.endpoints.count,
            path: configuration.provider.path, now: { WallClock.system.now.milliseconds }, logger: logger)
    }

    /// Call it while no request is under way. The old connections stay when a certificate file cannot be used any more.
    func renew(for configuration: WorkerConfiguration) async {
        let next: AsyncHTTPTransport
        do {
            next = try Self.make(for: configuration, logger)
        } catch {
            return logger.error(
                "cannot make new connections to the provider; the old ones stay", metadata: ["error": "\(error)"])
        }
        let old = transport.withLock { transport in
            defer { transport = next }
            return transport
        }
        do {
            try await old.shutdown()
        } catch {
            logger.error("cannot close the old connections to the provider", metadata: ["error": "\(error)"])
        }
    }

    func send(_ request: HTTPRequest) async throws(TransportError) -> HTTPResponse {
        try await transport.withLock { $0 }.send(request)
    }

    func shutdown() async throws {
        try await transport.withLock { $0 }.shutdown()
    }
}
