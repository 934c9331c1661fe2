import DeliveryQueue
import LocalFiles
import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import RedeliverConfiguration
import ServiceLifecycle

/// Serves the metrics file (`/metrics`) and whether the daemon is alive and ready (`/healthz`, `/readyz`) over HTTP.
struct MetricsListener: Sendable {
    let address: ListenAddress
    let textfile: String
    let vitals: Vitals
    /// The names of the configured endpoints by their ids.
    let endpoints: [String: String]
    let clock: any Clock<Duration>
    let logger: Logger

    /// A connection is closed after this time; one answer needs far less.
    private static let longestConnection = TimeAmount.seconds(10)
    /// A connection that has not sent its request by then is closed.
    private static let longestRequest = TimeAmount.seconds(2)
    /// A further connection takes the place of the oldest, so that a probe is never kept out.
    private static let mostConnections = 64
    /// In bytes: ten times the page of a thousand endpoints.
    private static let largestFile = 64 << 20
    /// How long it waits before it tries a taken address again.
    private static let pause = Duration.seconds(15)

    /// Returns when a graceful shutdown begins.
    func run() async {
        while !Task.isCancelled, !Task.isShuttingDownGracefully {
            do {
                try await serve()
            } catch {
                logger.error(
                    "metrics cannot be served; check `metrics.listen` and whether another program listens there",
                    metadata: ["address": "\(address)", "error": "\(error)", "next.in": "\(Self.pause)"])
                await cancelWhenGracefulShutdown { _ = try? await clock.sleep(for: Self.pause) }
            }
        }
    }

    // MARK: - Answers

    struct Answer: Equatable, Sendable {
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
        default: return Answer(.notFound, "not found: the paths are /metrics, /healthz and /readyz")
        }
    }

    private var metrics: Answer {
        do throws(FileFault) {
            // Others may write to its folder, and a link there must not publish another file.
            let folder = try OpenFolder(PendingFile.folder(of: textfile))
            let file = try folder.read(PendingFile.name(of: textfile))
            return Answer(metrics: try file.bytes(atMost: Self.largestFile))
        } catch {
            return Answer(.serviceUnavailable, "the metrics file does not exist yet or cannot be read")
        }
    }

    /// Healthy while every loop completes its turns in time.
    private var health: Answer {
        get async {
            let stalled = await vitals.stalledLoops.sorted()
            return stalled.isEmpty
                ? Answer(.ok, "ok")
                : Answer(.serviceUnavailable, "loops that hang: \(stalled.joined(separator: ", "))")
        }
    }

    /// Ready when every log was read since the start. Before that the endpoint's deliveries are not retried.
    private var readiness: Answer {
        get async {
            let read = await vitals.endpointsPolled
            let unread = endpoints.filter { !read.contains($0.key) }.values.sorted()
            return unread.isEmpty
                ? Answer(.ok, "ok")
                : Answer(.serviceUnavailable, "logs not read yet: \(unread.joined(separator: ", "))")
        }
    }

    // MARK: - Connections

    private func serve() async throws {
        let open = OpenConnections(most: Self.mostConnections)
        let server = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline(withErrorHandling: true)
                    try channel.pipeline.syncOperations.addHandler(Exchange(listener: self, open: open))
                    channel.eventLoop.scheduleTask(in: Self.longestConnection) { channel.close(promise: nil) }
                }
            }
            .bind(host: address.host, port: address.port).get()
        await withTaskCancellationOrGracefulShutdownHandler {
            try? await server.closeFuture.get()
        } onCancelOrGracefulShutdown: {
            server.close(promise: nil)
        }
    }

    /// One connection: it gets one answer and is closed when the system has taken it. A handler and not a task with
    /// streams: a connection that comes while the listener closes is dropped, and streams must not be dropped.
    private final class Exchange: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart

        private let listener: MetricsListener
        private let open: OpenConnections
        private var isAnswered = false

        init(listener: MetricsListener, open: OpenConnections) {
            self.listener = listener
            self.open = open
        }

        func channelActive(context: ChannelHandlerContext) {
            open.began(context.channel)
            context.eventLoop.assumeIsolated().scheduleTask(in: MetricsListener.longestRequest) {
                if !self.isAnswered { context.close(promise: nil) }
            }
            context.fireChannelActive()
        }

        func channelInactive(context: ChannelHandlerContext) {
            open.ended(context.channel)
            context.fireChannelInactive()
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            guard case .head(let head) = unwrapInboundIn(data), !isAnswered else { return }
            isAnswered = true
            let channel = context.channel
            let answer = context.eventLoop.makePromise(of: Answer.self)
            answer.completeWithTask { [listener] in await listener.answer(head.method, head.uri) }
            answer.futureResult.whenSuccess { Self.send($0, withBody: head.method != .HEAD, on: channel) }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            context.close(promise: nil)
        }

        private static func send(_ answer: Answer, withBody: Bool, on channel: any Channel) {
            let headers: HTTPHeaders = [
                "content-type": answer.type, "content-length": "\(answer.body.count)", "connection": "close",
            ]
            let head = HTTPResponseHead(version: .http1_1, status: answer.status, headers: headers)
            channel.write(HTTPServerResponsePart.head(head), promise: nil)
            if withBody {
                channel.write(HTTPServerResponsePart.body(.byteBuffer(ByteBuffer(bytes: answer.body))), promise: nil)
            }
            channel.writeAndFlush(HTTPServerResponsePart.end(nil)).whenComplete { _ in channel.close(promise: nil) }
        }
    }
}
