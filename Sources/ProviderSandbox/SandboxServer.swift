import AsyncHTTPClient
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore

/// Runs the provider, the receiver and the sender of webhooks together.
struct SandboxServer {
    let scenario: Scenario
    let logger: Logger
    /// Called once with the start line, when both ports answer.
    let announce: @Sendable (String) -> Void

    /// Runs until the process ends.
    ///
    /// - Throws: when a port is taken or the ledger file cannot be opened.
    func run() async throws {
        let ledger = try Ledger(scenario: scenario)
        try await ledger.noteOpening()
        var configuration = HTTPClient.Configuration()
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 64
        configuration.redirectConfiguration = .disallow
        try await HTTPClient.withHTTPClient(configuration: configuration) { client in
            try await run(ledger: ledger, client: client)
        }
    }

    /// Starts the receiver first, because clients may call the provider as soon as it listens.
    private func run(ledger: Ledger, client: HTTPClient) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            let (receiverPorts, receiverStarted) = AsyncStream<Int>.makeStream()
            let receiver = application(ReceiverRoutes(ledger: ledger), port: scenario.receiverPort, receiverStarted)
            group.addTask { try await receiver.run() }
            group.addTask {
                guard let receiverPort = await receiverPorts.first(where: { _ in true }) else { return }
                try await runProvider(ledger: ledger, client: client, receiver: "http://127.0.0.1:\(receiverPort)")
            }
            // Neither listener ends by itself, so the first one that ends has failed.
            try await group.next()
            group.cancelAll()
        }
    }

    private func runProvider(ledger: Ledger, client: HTTPClient, receiver: String) async throws {
        await ledger.receiverListens(at: receiver)
        let sender = WebhookSender(ledger: ledger, client: client, receiver: receiver, logger: logger)
        let (ports, started) = AsyncStream<Int>.makeStream()
        let provider = application(
            ProviderRoutes(ledger: ledger, sender: sender, mount: scenario.mount), port: scenario.port, started)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await sender.run() }
            group.addTask { try await provider.run() }
            group.addTask {
                guard let port = await ports.first(where: { _ in true }) else { return }
                announce(await startLine(ledger: ledger, port: port, receiver: receiver))
                // The stream stays open. This waits for cancellation, so that it does not look like a listener's end.
                for await _ in ports {}
            }
            try await group.next()
            group.cancelAll()
        }
    }

    private func application<Responder: HTTPResponder>(
        _ responder: Responder, port: Int, _ started: AsyncStream<Int>.Continuation
    ) -> Application<Responder>
    where Responder.Context: InitializableFromSource<ApplicationRequestContextSource> {
        Application(
            responder: responder,
            server: .http1(configuration: HTTP1Channel.Configuration(additionalChannelHandlers: [ClientWatch()])),
            configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: port), backlog: 1024),
            onServerRunning: { channel in started.yield(channel.localAddress?.port ?? port) },
            logger: logger)
    }

    private func startLine(ledger: Ledger, port: Int, receiver: String) async -> String {
        let token = ledger.fixedToken.map { JSONText.quoted($0) } ?? "null"
        let endpoints = JSONText.array(await ledger.endpointIDs)
        return """
            {"provider":"http://127.0.0.1:\(port)\(scenario.mount)","receiver":"\(receiver)","endpoints":\(endpoints),"token":\(token)}
            """
    }
}
