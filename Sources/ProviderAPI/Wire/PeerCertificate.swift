import Foundation
import NIOCore
import NIOPosix
import NIOSSL
import Synchronization

/// Finds out why a server's certificate was not accepted, because the TLS library does not tell. Begins a second
/// handshake only to see the certificate, and breaks it off before anything is sent.
enum PeerCertificate {
    /// Longest time to connect, and longest time for the handshake.
    private static let limit = TimeAmount.seconds(5)

    /// The reason, by the certificate's dates.
    ///
    /// - Parameters:
    ///   - time: how long the look may take.
    ///   - now: this machine's clock in milliseconds since 1970 UTC.
    /// - Returns: `certificateIssuerUnknown` when the dates are right, and when the certificate cannot be seen in time.
    static func fault(
        of origin: Origin, through proxy: NetworkPath.Proxy?, within time: Duration, at now: Int64
    ) async -> TransportError.Cause {
        let end = NIODeadline.now() + TimeAmount(time)
        guard let certificate = await seen(of: origin, through: proxy, until: end) else {
            return .certificateIssuerUnknown
        }
        let seconds = now / 1_000
        if certificate.notValidAfter < seconds { return .certificateExpired }
        return certificate.notValidBefore > seconds ? .certificateNotYetValid : .certificateIssuerUnknown
    }

    private static func seen(
        of origin: Origin, through proxy: NetworkPath.Proxy?, until end: NIODeadline
    ) async -> NIOSSLCertificate? {
        let left = end - .now()
        guard left > .zero else { return nil }
        let seen = Mutex<NIOSSLCertificate?>(nil)
        let look = Look(origin: origin) { certificate in seen.withLock { $0 = certificate } }
        let bootstrap = ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .connectTimeout(min(limit, left))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let handler: any ChannelHandler =
                        if let proxy { Tunnel(to: origin, proxy: proxy, look: look) } else { try look.handler() }
                    try channel.pipeline.syncOperations.addHandler(handler)
                }
            }
        let (host, port) = proxy.map { ($0.host, $0.port) } ?? (origin.host, origin.port)
        guard let channel = try? await bootstrap.connect(host: host, port: port).get() else { return nil }
        channel.eventLoop.scheduleTask(deadline: min(.now() + limit, end)) { channel.close(promise: nil) }
        try? await channel.closeFuture.get()
        return seen.withLock { $0 }
    }

    /// A handshake that ends as soon as the certificate is known.
    private struct Look: Sendable {
        let origin: Origin
        let tell: @Sendable (NIOSSLCertificate?) -> Void

        func handler() throws -> NIOSSLClientHandler {
            let context = try NIOSSLContext(configuration: .makeClientConfiguration())
            let isName = origin.host.contains { $0.isLetter } && !origin.host.contains("[")
            return try NIOSSLClientHandler(
                context: context, serverHostname: isName ? origin.host : nil,
                customVerificationCallback: { (chain, verdict: EventLoopPromise<NIOSSLVerificationResult>) in
                    tell(chain.first)
                    verdict.succeed(.failed)
                })
        }
    }

    /// Asks a proxy for a tunnel, then begins the handshake in it.
    private final class Tunnel: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        private let origin: Origin
        private let proxy: NetworkPath.Proxy
        private let look: Look
        private var isOpen = false

        init(to origin: Origin, proxy: NetworkPath.Proxy, look: Look) {
            self.origin = origin
            self.proxy = proxy
            self.look = look
        }

        func channelActive(context: ChannelHandlerContext) {
            let address = "\(origin.host):\(origin.port)"
            var request = "CONNECT \(address) HTTP/1.1\r\nHost: \(address)\r\n"
            if let credentials = proxy.credentials {
                request += "Proxy-Authorization: Basic \(Data(credentials.revealed.utf8).base64EncodedString())\r\n"
            }
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: request + "\r\n")), promise: nil)
        }

        /// Expects the proxy's short answer in one piece; gives up otherwise.
        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            guard !isOpen else { return context.fireChannelRead(data) }
            let answer = String(buffer: unwrapInboundIn(data))
            let status = answer.split(separator: " ", maxSplits: 2).dropFirst().first
            guard status == "200", answer.hasSuffix("\r\n\r\n"), let handler = try? look.handler() else {
                return context.close(promise: nil)
            }
            isOpen = true
            try? context.pipeline.syncOperations.addHandler(handler)
        }
    }
}
