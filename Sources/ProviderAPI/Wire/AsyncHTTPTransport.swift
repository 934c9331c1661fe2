import AsyncHTTPClient
package import Logging
import NIOCore
import NIOHTTP1
import NIOSSL
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Sends requests with async-http-client. One deadline bounds the whole exchange, redirects are not followed, nothing
/// is retried silently, and an error says whether the provider may have executed the request.
///
/// Ignores the environment's proxy settings. Call ``shutdown()`` once before dropping it.
package struct AsyncHTTPTransport: HTTPTransport {
    /// Longest wait for TCP and TLS together. The request's own deadline may end earlier.
    private static let connectTimeout = TimeAmount.seconds(10)
    /// Shorter than the usual keep-alive of servers and load balancers. A request on a connection that the other side
    /// is just closing would have an unknown outcome.
    private static let idleTimeout = TimeAmount.seconds(15)

    private let client: HTTPClient
    private let deadlines = Deadlines()
    private let proxy: NetworkPath.Proxy?
    private let now: @Sendable () -> Int64

    /// Opens at most `concurrency` connections to a host. Further requests wait for one, within their timeout.
    ///
    /// - Parameters:
    ///   - path: the proxy and the certificates on the way.
    ///   - now: this machine's clock in milliseconds since 1970 UTC; certificates are judged by it.
    /// - Throws: the fault of the first certificate file that cannot be used.
    package init(
        concurrency: Int, path: NetworkPath = .direct, now: @escaping @Sendable () -> Int64, logger: Logger
    ) throws(NetworkPath.Fault) {
        proxy = path.proxy
        self.now = now
        var pool = HTTPClient.Configuration.ConnectionPool(
            idleTimeout: Self.idleTimeout, concurrentHTTP1ConnectionsPerHostSoftLimit: max(1, concurrency))
        // The library would retry a refused connection silently until the connect timeout.
        pool.retryConnectionEstablishment = false
        var configuration = HTTPClient.Configuration(
            tlsConfiguration: try path.tlsConfiguration(),
            // A redirected POST would be repeated as a GET, and its 200 would look like success.
            redirectConfiguration: .disallow,
            timeout: .init(connect: Self.connectTimeout),
            connectionPool: pool,
            proxy: proxy?.forClient
        )
        configuration.httpVersion = .http1Only
        // Nobody collects spans, and even an unused span costs more than the deadline of a call.
        configuration.tracing.tracer = nil
        client = HTTPClient(
            eventLoopGroupProvider: .singleton, configuration: configuration, backgroundActivityLogger: logger)
    }

    /// Closes all connections. Requests in flight fail.
    package func shutdown() async throws {
        try await client.shutdown()
    }

    package func send(_ request: HTTPRequest) async throws(TransportError) -> HTTPResponse {
        let mark = SendMark()
        let end = ContinuousClock.now + request.timeout
        do {
            // The library's own deadline ends at the response head, and each dripped byte resets its read timeout.
            return try await deadlines.run(within: request.timeout) { [self] in try await exchange(request, mark) }
        } catch {
            guard !Task.isCancelled else { throw .cancelled }
            if TLSFault.isDistrust(error), let origin = request.origin {
                throw .notSent(
                    await PeerCertificate.fault(
                        of: origin, through: proxy, within: ContinuousClock.now.duration(to: end), at: now()))
            }
            // The mark is final only now: the exchange has ended and can no longer begin to send its body.
            throw transportError(error, request, bodyBegun: mark.isSet)
        }
    }

    private func exchange(_ request: HTTPRequest, _ mark: SendMark) async throws -> HTTPResponse {
        var outgoing = HTTPClientRequest(url: request.url)
        outgoing.method = HTTPMethod(rawValue: request.method.rawValue)
        for header in request.headers { outgoing.headers.add(name: header.name, value: header.value) }
        if let body = request.body {
            outgoing.body = .stream(MarkedBody(bytes: body, mark: mark), length: .known(Int64(body.count)))
        }
        let answer = try await client.execute(outgoing, deadline: .distantFuture)
        var body = try AnswerBody(codings: answer.headers["content-encoding"], limit: request.responseLimit)
        for try await part in answer.body { try body.append(part.readableBytesView) }
        // A cancelled body stream may end as if the body were complete.
        try Task.checkCancellation()
        try body.finish()
        return HTTPResponse(
            status: Int(answer.status.code),
            headers: answer.headers.map { HTTPHeader($0.name, $0.value) },
            body: body.bytes
        )
    }
}

/// Whether the library has asked for the request's body. It asks once the connection stands and the head is written. A
/// server that never saw the announced body cannot have executed the request.
private final class SendMark: Sendable {
    private let flag = Atomic(false)

    var isSet: Bool { flag.load(ordering: .sequentiallyConsistent) }

    func set() {
        flag.store(true, ordering: .sequentiallyConsistent)
    }
}

/// A body in one piece that sets the mark before it hands out its bytes.
private struct MarkedBody: AsyncSequence, Sendable {
    let bytes: [UInt8]
    let mark: SendMark

    struct Iterator: AsyncIteratorProtocol {
        var body: MarkedBody?

        mutating func next() async -> ByteBuffer? {
            guard let current = body else { return nil }
            body = nil
            current.mark.set()
            return ByteBuffer(bytes: current.bytes)
        }
    }

    func makeAsyncIterator() -> Iterator {
        Iterator(body: self)
    }
}

extension AsyncHTTPTransport {
    /// Decides whether the request surely was not sent or may have been executed. In doubt it may have been.
    private func transportError(
        _ error: any Error, _ request: HTTPRequest, bodyBegun: Bool
    ) -> TransportError {
        if case AnswerBody.Fault.tooLarge = error { return .responseTooLarge(limit: request.responseLimit) }
        let cause = Self.cause(error)
        let isUnsent = request.body != nil && !bodyBegun
        switch cause {
        case .refused, .dns, .connectTimeout:
            return bodyBegun ? .unknownOutcome(cause) : .notSent(proxy == nil ? cause : .proxyUnreachable)
        case .noConnection, .shutDown, .invalidRequest:
            return bodyBegun ? .unknownOutcome(cause) : .notSent(cause)
        case .certificateExpired, .certificateNotYetValid, .certificateOfAnotherHost, .certificateIssuerUnknown,
            .proxyUnreachable, .proxyRefused, .proxyCredentials:
            return .notSent(cause)
        case .timeout:
            // Without its body begun, the request was still waiting for a connection.
            return isUnsent ? .notSent(.connectTimeout) : .unknownOutcome(.timeout)
        case .tls, .clientCertificateRefused, .unreachable:
            // These can strike an established connection too. Only the mark tells.
            return isUnsent ? .notSent(cause) : .unknownOutcome(cause)
        case .connectionClosed, .reset, .garbledAnswer, .other:
            return .unknownOutcome(cause)
        }
    }

    private static func cause(_ error: any Error) -> TransportError.Cause {
        switch error {
        case is Deadlines.DeadlinePassed, is CancellationError: .timeout
        case let error as HTTPClientError: cause(error)
        case let error as IOError: cause(errno: error.errnoCode)
        case is ChannelError, HTTPParserError.invalidEOFState: .connectionClosed
        case is HTTPParserError, is AnswerBody.Fault: .garbledAnswer
        case is SocketAddressError: .dns
        default: TLSFault.cause(error) ?? cause(typeName: String(reflecting: type(of: error)), description: "\(error)")
        }
    }

    /// Errors of types that this module does not import, recognised by their type's name.
    private static func cause(typeName: String, description: String) -> TransportError.Cause {
        if typeName == "NIOPosix.NIOConnectionError" {
            // The library tried each address of the host, and all attempts failed.
            if description.hasPrefix("DNS error") { return .dns }
            return description.contains("connectTimeout") ? .connectTimeout : .refused
        }
        return .other
    }

    private static func cause(_ error: HTTPClientError) -> TransportError.Cause {
        switch error {
        case .connectTimeout: .connectTimeout
        case .tlsHandshakeTimeout: .tls
        case .proxyAuthenticationRequired: .proxyCredentials
        case .invalidProxyResponse, .httpProxyHandshakeTimeout: .proxyRefused
        case .getConnectionFromPoolTimeout: .noConnection
        case .alreadyShutdown: .shutDown
        case .invalidURL, .emptyHost, .emptyScheme: .invalidRequest
        case .readTimeout, .writeTimeout, .deadlineExceeded: .timeout
        case .remoteConnectionClosed, .uncleanShutdown, .requestStreamCancelled: .connectionClosed
        default:
            // The errors about header fields carry values, so they are compared by their bounded form.
            error.shortDescription.hasPrefix("Invalid header field") || error.shortDescription == "Unsupported scheme"
                ? .invalidRequest : .other
        }
    }

    private static func cause(errno: CInt) -> TransportError.Cause {
        switch errno {
        case ECONNREFUSED: .refused
        case ENETUNREACH, EHOSTUNREACH: .unreachable
        case ETIMEDOUT: .connectTimeout
        case EPIPE, ECONNRESET: .reset
        default: .other
        }
    }
}

extension NetworkPath.Proxy {
    /// The proxy in the form of async-http-client.
    fileprivate var forClient: HTTPClient.Configuration.Proxy {
        guard let credentials else { return .server(host: host, port: port) }
        let parts = credentials.revealed.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(
            String.init)
        return .server(
            host: host, port: port,
            authorization: .basic(username: parts[0], password: parts.count > 1 ? parts[1] : ""))
    }
}
