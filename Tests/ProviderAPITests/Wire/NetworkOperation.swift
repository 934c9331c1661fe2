import Foundation
import Synchronization

@testable import ProviderAPI

/// Runs a piece of work with a transport over the real network, which is shut down afterwards. It has the real time, by
/// which certificates are judged.
func withRealTransport<Value>(
    concurrency: Int = 4, _ body: (AsyncHTTPTransport) async throws -> Value
) async throws -> Value {
    let transport = try AsyncHTTPTransport(
        concurrency: concurrency, now: { Int64(Date.now.timeIntervalSince1970 * 1_000) }, logger: .silent)
    do {
        let value = try await body(transport)
        try await transport.shutdown()
        return value
    } catch {
        try await transport.shutdown()
        throw error
    }
}

/// Whether a server has read a request.
final class Reading: Sendable {
    private let state = Mutex(false)

    var hasBegun: Bool { state.withLock { $0 } }

    func begin() {
        state.withLock { $0 = true }
    }
}

/// Each call that the client can make, so that a test can run over all of them.
enum NetworkOperation: String, CaseIterable, Sendable {
    case logs, retry, login, refresh, events, create, update, secret, rotate, test

    enum Outcome {
        case done
        case failed(ProviderError)
        case answered(RetryAnswer)
    }

    static let password = "pa55-w0rd-3"
    /// Secrets that no text may hold: the token, the password, a header's value, a secret, the body.
    static let hidden = ["tok-1", "acc-1", "ref-1", password, "k3y", "s3cret\"1", "s1gning", "b0dy"]
    private static let body = Array(#"{"name": "b0dy"}"#.utf8)

    var path: String {
        switch self {
        case .logs: "/api/v2/webhook_endpoint/e-1/logs"
        case .retry: "/api/v2/webhook_endpoint/retry"
        case .login: "/api/v2/user/login"
        case .refresh: "/api/v2/token/refresh/"
        case .events: "/api/v2/events"
        case .create: "/api/v2/webhook_endpoint"
        case .update: "/api/v2/webhook_endpoint/e-1"
        case .secret, .rotate: "/api/v2/webhook_endpoint/e-1/secret"
        case .test: "/api/v2/webhook_endpoint/e-1/test"
        }
    }

    /// The answer of a sound server.
    static func good(_ path: String) -> String {
        switch path {
        case Self.logs.path: #"[{"id": 1, "status": "success"}]"#
        case Self.retry.path, Self.test.path: #"{"task_id": 1}"#
        case Self.login.path, Self.refresh.path: #"{"access": "acc-1", "refresh": "ref-1"}"#
        case Self.events.path: #"["x"]"#
        case Self.secret.path: #""s1gning""#
        default: #"{"id": "e-1"}"#
        }
    }

    /// The object that a text about the failure must name.
    var object: String {
        switch self {
        case .login: "logging in as 'worker'"
        case .refresh: "refreshing the token"
        case .events: "listing the events"
        case .create: "creating an endpoint"
        default: "endpoint 'e-1'"
        }
    }

    /// Calls that must not be repeated after a lost answer.
    var isOnce: Bool { [.create, .rotate, .test].contains(self) }
    /// Over a connection, only a call with a body can be known not to have been sent.
    var hasBody: Bool { [.retry, .login, .refresh, .create, .update].contains(self) }

    func client(_ transport: AsyncHTTPTransport, at url: String, timeout: Duration) throws -> ProviderClient {
        let login = Credential.login(username: "worker", password: .value(Secret(Self.password)))
        return ProviderClient(
            baseURL: try BaseAddress(url),
            credential: self == .login || self == .refresh ? login : .token(Secret("tok-1")),
            fields: .standard, requestTimeout: timeout, transport: transport, now: { testNow },
            logger: .silent)
    }

    /// Makes this one call. A refresh needs a login, which `prepare` has made.
    func call(_ client: ProviderClient) async -> Outcome {
        do throws(ProviderError) {
            switch self {
            case .logs: _ = try await client.logs(of: "e-1")
            case .retry:
                return .answered(
                    await client.retry(
                        RetryRequest(
                            taskIDJSON: "1", customerIDJSON: "2", webhookIDJSON: "3", eventType: "x", body: Self.body)))
            case .login, .refresh: try await client.signIn()
            case .events: _ = try await client.events()
            case .create: _ = try await client.createEndpoint(sampleFields)
            case .update: _ = try await client.updateEndpoint("e-1", sampleFields)
            case .secret: _ = try await client.secret(of: "e-1")
            case .rotate: _ = try await client.rotateSecret(of: "e-1")
            case .test: _ = try await client.test("e-1", event: "x")
            }
            return .done
        } catch {
            return .failed(error)
        }
    }

    func prepare(_ client: ProviderClient) async {
        guard self == .refresh else { return }
        // On a busy machine it may miss its time too.
        for _ in 0..<10 {
            if (try? await client.signIn()) != nil { return }
        }
    }
}

extension NetworkOperation.Outcome {
    var isGood: Bool {
        switch self {
        case .done: true
        case .failed: false
        case .answered(let answer): answer.kind == .accepted
        }
    }

    /// The text that people would read.
    var text: String {
        switch self {
        case .done: ""
        case .failed(let error): error.description
        case .answered(let answer): answer.detail ?? ""
        }
    }

    /// The kind of answer or error, for comparisons.
    var kind: String {
        switch self {
        case .done: "done"
        case .failed(let error): error.kind.rawValue
        case .answered(let answer): answer.kind.rawValue
        }
    }
}
