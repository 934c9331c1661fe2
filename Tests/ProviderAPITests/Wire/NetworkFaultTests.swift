import HostileInput
import TestSupport
import Testing

@testable import ProviderAPI

/// Every call of the client against every fault that a network can have, over real sockets.
@Suite("Network faults", .timeLimit(.minutes(20)))
struct NetworkFaultTests {
    /// A busy machine may need this much longer than the request's own deadline. What never ends would take longer.
    private static let grace = Duration.seconds(120)

    @Test(arguments: NetworkFault.all + [NetworkFault.resetAtOnce])
    func `each call ends in time, in the right class and in words, and the next one succeeds`(
        fault: NetworkFault
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for operation in NetworkOperation.allCases {
                group.addTask { try await expect(operation, fault) }
            }
            try await group.waitForAll()
        }
    }

    /// On a busy machine a short deadline may end before the server sees the call. The call then gets a longer one.
    private func expect(_ operation: NetworkOperation, _ fault: NetworkFault) async throws {
        for patience in [1, 4, 16] {
            if try await meets(operation, fault, fault.timeout * patience) { return }
        }
        Issue.record("\(operation): \(fault) never happened")
    }

    /// - Returns: false when the fault did not happen and nothing was proved.
    private func meets(
        _ operation: NetworkOperation, _ fault: NetworkFault, _ timeout: Duration
    ) async throws -> Bool {
        let cell: Comment = "\(operation.rawValue): \(fault.description)"
        let skipped = operation == .refresh ? 1 : 0
        let server = try FaultyServer(fault, at: operation.path, skipped: skipped, good: NetworkOperation.good)
        return try await withRealTransport { transport in
            let client = try operation.client(transport, at: server.url, timeout: timeout)
            await operation.prepare(client)
            let begun = ContinuousClock.now
            let outcome = await operation.call(client)
            let took = ContinuousClock.now - begun
            guard server.isOver else { return false }
            #expect(took < timeout + Self.grace, cell)
            let allowed = Self.kinds(operation, fault.truth)
            #expect(allowed.contains(outcome.kind), "\(cell): \(outcome.kind) is none of \(allowed)")
            expectWords(outcome, of: operation, cell)

            var next = await operation.call(client)
            // A short deadline may strike again. And the client needs a moment to notice that the server closed the
            // connection after its answer; a call in this moment is lost.
            let patient = try operation.client(transport, at: server.url, timeout: .seconds(20))
            try? await waitUntil("the next call succeeds") {
                if next.isGood || !(next.text.contains("timeout") || fault.after != .good) { return true }
                next = await operation.call(patient)
                return false
            }
            #expect(next.isGood, "\(cell), then \(next.kind): \(next.text)")
            #expect(!server.wasReused, cell)
            return true
        }
    }

    /// The kinds of docs/architecture.md, "What each answer leads to". A call that may have been executed never counts
    /// as not sent.
    private static func kinds(_ operation: NetworkOperation, _ truth: NetworkFault.Truth) -> Set<String> {
        switch (truth, operation) {
        case (.good, .retry): ["accepted"]
        case (.good, _): ["done"]
        case (.open, .retry): ["uncertain"]
        case (.unread, .retry): ["uncertain", "unreachable"]
        case (.unusable, .retry): ["uncertain"]
        case (.redirected, .retry): ["redirected"]
        case (.redirected, _): ["redirected"]
        case (.open, _) where operation.isOnce: ["unknown_outcome"]
        case (.unread, _) where operation.isOnce: ["unknown_outcome", "unreachable"]
        case (.unusable, _) where operation.isOnce: ["unknown_outcome"]
        case (.open, _): ["unreachable", "answer_too_large"]
        case (.unread, _): ["unreachable"]
        case (.unusable, _): ["unreadable_answer"]
        }
    }

    private func expectWords(_ outcome: NetworkOperation.Outcome, of operation: NetworkOperation, _ cell: Comment) {
        let text = outcome.text
        for secret in NetworkOperation.hidden { #expect(!text.contains(secret), cell) }
        #expect(!text.unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x202E }, cell)
        guard case .failed = outcome else { return }
        #expect(text.contains(operation.object), "\(cell): \(text)")
        let advice = ["check ", "look at", "read it again", "shows whether", "correct base_url", "base_url"]
        #expect(advice.contains { text.contains($0) }, "\(cell) does not say what to do: \(text)")
    }

    // MARK: - Before there is a connection

    @Test(arguments: NetworkOperation.allCases)
    func `what never reached the provider is not sent`(operation: NetworkOperation) async throws {
        let plain = try RawServer { connection in connection.write("HTTP/1.1 400 Bad Request\r\n\r\n") }
        let mute = try RawServer { connection in connection.wait() }
        let full = try FullListener()
        let urls = [
            ("refused", "http://127.0.0.1:\(try RawServer.closedPort())", true),
            ("no such host", "http://nowhere.invalid", true),
            ("no TLS", "https://127.0.0.1:\(plain.port)", operation.hasBody),
            ("a TLS handshake that does not end", "https://127.0.0.1:\(mute.port)", operation.hasBody),
            ("a connection that does not come", full.url, operation.hasBody),
        ]
        for (name, url, isKnown) in urls where !(operation == .refresh) {
            try await withRealTransport { transport in
                // A refusal comes at once. Its deadline is so long that a busy machine does not reach it.
                let timeout = Duration.seconds(name == "refused" || name == "no such host" ? 20 : 1)
                let client = try operation.client(transport, at: url, timeout: timeout)
                let begun = ContinuousClock.now
                let outcome = await operation.call(client)
                #expect(ContinuousClock.now - begun < timeout + Self.grace, "\(operation): \(name)")
                // Nobody can tell how far a call without a body got. It may count as unknown, never as not sent.
                let allowed = isKnown ? ["unreachable"] : ["unreachable", "unknown_outcome"]
                #expect(allowed.contains(outcome.kind), "\(operation): \(name): \(outcome.kind)")
                expectWords(outcome, of: operation, "\(operation): \(name)")
            }
        }
    }
}
