import DeliveryQueue
import ProviderAPI
import Synchronization

@testable import DeliveryWorker

/// A provider in front of which trouble can be put, with tokens that end, and which writes down when it was called.
final class TroubledProvider: HTTPTransport {
    typealias Trouble = @Sendable (HTTPRequest) -> Result<HTTPResponse, TransportError>?

    private struct State {
        var trouble: Trouble?
        var tokens = 0
        var calls: [(at: Timestamp, request: HTTPRequest)] = []
    }

    private let inner: any HTTPTransport
    private let time: VirtualTime
    private let state = Mutex(State())

    init(_ inner: any HTTPTransport, time: VirtualTime) {
        self.inner = inner
        self.time = time
    }

    /// Answers instead of the provider, as long as it returns something; nil ends the trouble.
    func set(_ trouble: Trouble?) {
        state.withLock { $0.trouble = trouble }
    }

    /// Tokens given out so far are worth nothing any more.
    func endTokens() {
        state.withLock { $0.tokens += 1 }
    }

    func send(_ request: HTTPRequest) async throws(TransportError) -> HTTPResponse {
        let now = time.now
        let answer: Result<HTTPResponse, TransportError>? = state.withLock { state in
            state.calls.append((now, request))
            if let answer = state.trouble?(request) { return answer }
            guard request.isLogin || request.isRefresh else { return nil }
            return .success(.json(#"{"access": "a-\#(state.tokens)", "refresh": "r"}"#))
        }
        if let answer { return try answer.get() }
        let token = request.headers.first { $0.name == "Authorization" }?.value
        let isGood = state.withLock { token == "Bearer a-\($0.tokens)" || token == "Bearer t-1" }
        return isGood ? try await inner.send(request) : HTTPResponse(status: 401)
    }

    /// When calls of this sort were made, in order.
    func times(_ isWanted: (HTTPRequest) -> Bool) -> [Timestamp] {
        state.withLock { state in state.calls.filter { isWanted($0.request) }.map(\.at) }
    }
}

extension HTTPRequest {
    var isLogin: Bool { url.hasSuffix("/user/login") }
    var isRefresh: Bool { url.hasSuffix("/token/refresh/") }
    var isRead: Bool { method == .get }
}
