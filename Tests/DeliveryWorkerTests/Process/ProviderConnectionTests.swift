import DeliveryQueue
import Foundation
import ProviderAPI
import RedeliverConfiguration
import Testing

@testable import DeliveryWorker

/// What commands use beside the daemon: a client for one piece of work, and work that a signal cancels.
@Suite struct ProviderConnectionTests {
    private struct Mine: Error {}

    @Test func `work gets a client of the configured provider and gives back its value or its error`() async throws {
        let yaml = """
            provider: {base_url: "http://127.0.0.1:9", auth: {token: t0k3n-for-tests}}
            endpoints: [{id: e-1}]
            database: redeliver.db
            """
        let configuration = try WorkerConfiguration.read(yaml: yaml, path: "/data/redeliver.yaml", environment: [:])

        let kind = try await withProvider(configuration) { client in
            await #expect(throws: ProviderError.self) { try await client.logs(of: "e-1") }?.kind
        }
        #expect(kind == .unreachable)
        await #expect(throws: Mine.self) {
            try await withProvider(configuration) { _ in throw Mine() }
        }
    }

    /// A lock that stays would keep the next start out.
    @Test func `the database is closed, also when the connections cannot be`() async throws {
        let bench = try await Workbench()
        let connections = try ProviderConnections(for: .for(bench), logger: .silent)
        try await connections.shutdown()

        await #expect(throws: (any Error).self) { try await Worker.close(connections, bench.store) }

        try QueueStore(path: bench.path, now: bench.time.now).close()
    }

    @Test func `work that no signal disturbs gives back its value or its error`() async throws {
        #expect(try await cancelledBySignals { 7 } == 7)
        await #expect(throws: Mine.self) { try await cancelledBySignals { throw Mine() } }
    }
}
