import DeliveryQueue
import Foundation
import ProviderAPI
import Testing

@testable import DeliveryWorker

/// What commands use beside the daemon: a client for one piece of work, and work that a signal cancels.
@Suite struct ProviderConnectionTests {
    @Test func `work gets a client of the configured provider and gives back its value or its error`() async throws {
        var sample = ConfigurationSample()
        sample.baseURL = "http://127.0.0.1:9"
        let configuration = try sample.read()

        let kind = try await withProvider(configuration) { client in
            await #expect(throws: ProviderError.self) { try await client.logs(of: "e-1") }?.kind
        }
        #expect(kind == .unreachable)
        await #expect(throws: Unknown("mine")) {
            try await withProvider(configuration) { _ in throw Unknown("mine") }
        }
    }

    @Test func `work that no signal disturbs gives back its value or its error`() async throws {
        #expect(try await cancelledBySignals { 7 } == 7)
        await #expect(throws: Unknown("mine")) { try await cancelledBySignals { throw Unknown("mine") } }
    }
}
