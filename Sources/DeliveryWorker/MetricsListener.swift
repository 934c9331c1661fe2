import Foundation
import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import ServiceLifecycle
import Synchronization

/// Serves the metrics file over HTTP, and whether the daemon is alive and ready, for those who cannot read a file: `/metrics`,
/// `/healthz` and `/readyz`.
struct MetricsListener: Sendable {
    let address: ListenAddress
    let textfile: String
    let vitals: Vitals
    /// The names of the configured endpoints by their ids.
    let endpoints: [String: String]
    let clock: any Clock<Duration>
    let logger: Logger

    /// Nobody needs longer for one answer.
    private static let longestConnection = TimeAmount.seconds(10)
    /// Further ones are closed at once.
    private static let mostConnections = 64
    /// Until an address that cannot be had is tried again.
    private static let pause = Duration.seconds(15)

    /// Returns when a graceful shutdown begins.
    func run() async {
        while !Task.isCancelled, !Task.isShuttingDownGracefully {
            do {
                try await serve()
            } catch {
                logger.error(
                    "metrics are not served: check `metrics.listen`, and who else listens there",
                    metadata: ["address": "\(address)", "error": "\(error)", "next.in": "\(Self.pause)"])
                await cancelWhenGracefulShutdown { _ = try? await clock.sleep(for: Self.pause) }
            }
        }
    }

    // MARK: - Answers

    struct Answer: Equatable {
        var status: HTTPResponseStatus
        var type = "text/plain; charset=utf-8"
        var body: [UInt8]

        init(_ status: HTTPResponseStatus, _ text: String) {
            self.status = status
            body = Array((text + "\n").utf8)
        }

        /// The file, byte for byte.
        init(metrics: [UInt8]) {
            status = .ok
            type = "text/plain; version=0.0.4; charset=utf-8"
            body = metrics
        }
    }

    func answer(_ method: HTTPMethod, _ uri: String) async -> Answer {
        guard [.GET, .HEAD].contains(method) else { return Answer(.methodNotAllowed, "only GET and HEAD") }
        switch uri.prefix(while: { $0 != "?" }) {
        case "/metrics": return metrics
        case "/healthz": return await health
        case "/readyz": return await readiness
        default: return Answer(.notFound, "there are /metrics, /healthz and /readyz")
        }
    }

    private var metrics: Answer {
        (try? Data(contentsOf: URL(filePath: textfile))).map { Answer(metrics: Array($0)) }
            ?? Answer(.serviceUnavailable, "the metrics file is not there yet, or cannot be read")
    }

    /// Alive while every loop completes its turns.
    private var health: Answer {
        get async {
            let stalled = await vitals.stalledLoops.sorted()
            return stalled.isEmpty
                ? Answer(.ok, "ok")
                : Answer(.serviceUnavailable, "does not complete its turn: \(stalled.joined(separator: ", "))")
        }
    }

    /// Ready once every log was read: before that nothing of its endpoint is retried.
    private var readiness: Answer {
        get async {
            let read = await vitals.endpointsPolled
            let unread = endpoints.filter { !read.contains($0.key) }.values.sorted()
            return unread.isEmpty
                ? Answer(.ok, "ok")
                : Answer(.serviceUnavailable, "not read yet: the log of \(unread.joined(separator: ", "))")
        }
    }

    // MARK: - Connections

    private typealias Connection = NIOAsyncChannel<HTTPServerRequestPart, HTTPServerResponsePart>

    private func serve() async throws {
        let server = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .bind(host: address.host, port: address.port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline(withErrorHandling: true)
                    channel.eventLoop.scheduleTask(in: Self.longestConnection) { channel.close(promise: nil) }
                    return try Connection(wrappingChannelSynchronously: channel)
                }
            }
        let open = Open()
        try await server.executeThenClose { connections in
            try await withThrowingDiscardingTaskGroup { group in
                for try await connection in connections.cancelOnGracefulShutdown() {
                    let isTooMany = open.began() > Self.mostConnections
                    group.addTask { [self] in
                        // A client that goes away disturbs nobody.
                        try? await talk(on: connection, isTooMany: isTooMany)
                        open.ended()
                    }
                }
                group.cancelAll()
            }
        }
    }

    /// How many connections there are.
    private final class Open: Sendable {
        private let count = Atomic(0)

        func began() -> Int { count.wrappingAdd(1, ordering: .relaxed).newValue }
        func ended() { count.wrappingSubtract(1, ordering: .relaxed) }
    }

    /// One answer; then the connection is closed.
    private func talk(on connection: Connection, isTooMany: Bool) async throws {
        try await connection.executeThenClose { inbound, outbound in
            guard !isTooMany else { return }
            for try await part in inbound {
                guard case .head(let head) = part else { continue }
                let answer = await answer(head.method, head.uri)
                let headers: HTTPHeaders = [
                    "content-type": answer.type, "content-length": "\(answer.body.count)", "connection": "close",
                ]
                try await outbound.write(.head(.init(version: .http1_1, status: answer.status, headers: headers)))
                if head.method != .HEAD { try await outbound.write(.body(.byteBuffer(ByteBuffer(bytes: answer.body)))) }
                try await outbound.write(.end(nil))
                return
            }
        }
    }
}
