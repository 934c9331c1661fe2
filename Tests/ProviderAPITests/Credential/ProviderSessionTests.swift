import TestSupport
import Testing

@testable import ProviderAPI

private let login = Credential.login(username: "ops", password: .value(Secret("p\"w")))
private let loggedIn = HTTPResponse(200, #"{"id": 1, "access": "acc-1", "refresh": "ref-1"}"#)
private let refreshed = HTTPResponse(200, #"{"access": "acc-2"}"#)
private let emptyPage = HTTPResponse(200, "[]")
private let throttled = HTTPResponse(429, headers: [HTTPHeader("Retry-After", "5")])
private let webPage = HTTPResponse(200, "<html>")
private let loginCall = "POST /api/v2/user/login"
private let loggedInAgain = HTTPResponse(200, #"{"access": "acc-3", "refresh": "ref-3"}"#)
private let retryCall = "POST /api/v2/webhook_endpoint/retry"
private let refreshCall = "POST /api/v2/token/refresh/"
private let logsCall = "GET /api/v2/webhook_endpoint/e/logs"

@Suite("Session")
struct ProviderSessionTests {
    @Test func `the first call logs in and later ones reuse the token`() async throws {
        let transport = ScriptedTransport(loggedIn, emptyPage, emptyPage)
        let client = makeClient(transport, credential: login)
        _ = try await client.logs(of: "e")
        _ = try await client.logs(of: "e")
        #expect(transport.calls == [loginCall, logsCall, logsCall])
        #expect(transport.requests[0].text == #"{"username": "ops", "password": "p\"w"}"#)
        #expect(transport.requests[0].authorization == nil)
        #expect(transport.requests[2].authorization == "Bearer acc-1")
    }

    @Test func `a caller that is cancelled in the login does not take it from the others`() async throws {
        let (begun, beginning) = AsyncStream<Never>.makeStream()
        let transport = ScriptedTransport([
            { _ in
                beginning.finish()
                try? await untilCancelled()
                return .failure(.cancelled)
            },
            { _ in .success(loggedIn) }, { _ in .success(emptyPage) },
        ])
        let client = makeClient(transport, credential: login)
        let first = Task { try await client.logs(of: "e") }
        for await _ in begun {}
        let second = Task { try await client.logs(of: "e") }
        for _ in 0..<100 { await Task.yield() }
        first.cancel()

        #expect(try await second.value.items.isEmpty)
        #expect(transport.calls == [loginCall, loginCall, logsCall])
        await #expect(throws: ProviderError.self) { try await first.value }
    }

    @Test func `a refused token is refreshed once and the call repeated once`() async throws {
        let transport = ScriptedTransport(loggedIn, HTTPResponse(401), refreshed, emptyPage)
        _ = try await makeClient(transport, credential: login).logs(of: "e")
        #expect(transport.calls == [loginCall, logsCall, refreshCall, logsCall])
        #expect(transport.requests[2].text == #"{"refresh": "ref-1"}"#)
        #expect(transport.requests[3].authorization == "Bearer acc-2")
    }

    @Test func `a refused refresh falls back to one login`() async {
        let again = HTTPResponse(200, #"{"access": "acc-3", "refresh": "ref-3"}"#)
        let transport = ScriptedTransport(loggedIn, HTTPResponse(401), HTTPResponse(401), again, HTTPResponse(200))
        let answer = await makeClient(transport, credential: login).retry(sampleRetry)
        #expect(answer.kind == .accepted)
        #expect(transport.calls.map { $0.contains("user/login") } == [true, false, false, true, false])
        #expect(transport.requests[4].authorization == "Bearer acc-3")
    }

    @Test func `a rotated refresh token is used the next time`() async throws {
        let rotated = HTTPResponse(200, #"{"access": "acc-2", "refresh": "ref-2"}"#)
        let transport = ScriptedTransport(loggedIn, HTTPResponse(401), rotated, HTTPResponse(200), refreshed)
        let client = makeClient(transport, credential: login)
        _ = await client.retry(sampleRetry)
        try? await client.signIn()
        #expect(transport.requests[1].authorization == "Bearer acc-1")
        #expect(transport.requests.last?.text == #"{"refresh": "ref-2"}"#)
    }

    @Test func `a refreshed token that is refused as well leads to a login in the same call`() async {
        let transport = ScriptedTransport(
            loggedIn, HTTPResponse(401), refreshed, HTTPResponse(401), loggedInAgain, HTTPResponse(200))
        let answer = await makeClient(transport, credential: login).retry(sampleRetry)
        #expect(answer.kind == .accepted)
        #expect(transport.calls == [loginCall, retryCall, refreshCall, retryCall, loginCall, retryCall])
        #expect(transport.requests[5].authorization == "Bearer acc-3")
    }

    @Test func `when the login's token is refused too, the call ends in unauthorized and nothing is asked any more`()
        async throws
    {
        let transport = ScriptedTransport(
            loggedIn, HTTPResponse(401), refreshed, HTTPResponse(401), loggedInAgain, HTTPResponse(401), loggedIn,
            HTTPResponse(401), loggedIn, emptyPage)
        let client = makeClient(transport, credential: login)
        #expect(await client.retry(sampleRetry).kind == .unauthorized)
        #expect(await client.retry(sampleRetry).kind == .unauthorized)
        #expect(transport.requests.count == 6)
        // Each new attempt is one login and no refresh until a call succeeds.
        try await client.signIn()
        #expect((await #expect(throws: ProviderError.self) { try await client.logs(of: "e") })?.kind == .unauthorized)
        #expect(transport.calls.dropFirst(6) == [loginCall, logsCall])
        try await client.signIn()
        _ = try await client.logs(of: "e")
        #expect(transport.calls.dropFirst(8) == [loginCall, logsCall])
    }

    @Test func `a token that a call got through with is refreshed again when it ends`() async throws {
        let transport = ScriptedTransport(
            loggedIn, HTTPResponse(401), refreshed, emptyPage, HTTPResponse(401), refreshed, emptyPage)
        let client = makeClient(transport, credential: login)
        _ = try await client.logs(of: "e")
        _ = try await client.logs(of: "e")
        #expect(transport.calls.count { $0 == refreshCall } == 2)
        #expect(transport.calls.count { $0 == loginCall } == 1)
    }

    /// All calls are refused together, three times. Each 401 comes back only when all calls of its wave have arrived.
    @Test(arguments: [HTTPResponse(200), HTTPResponse(401)])
    func `many calls refused again and again make one refresh and one login`(last: HTTPResponse) async {
        let count = 20
        func refused() -> [ScriptedTransport.Answer] {
            let barrier = Barrier(count)
            return Array(
                repeating: { _ in
                    await barrier.wait()
                    return .success(HTTPResponse(401))
                }, count: count)
        }
        let answers: [ScriptedTransport.Answer] =
            [{ _ in .success(loggedIn) }] + refused() + [{ _ in .success(refreshed) }] + refused()
            + [{ _ in .success(loggedInAgain) }] + Array(repeating: { _ in .success(last) }, count: count)
        let transport = ScriptedTransport(answers)
        let client = makeClient(transport, credential: login)
        let kinds = await withTaskGroup(of: RetryAnswer.Kind.self) { group in
            for _ in 0..<count { group.addTask { await client.retry(sampleRetry).kind } }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(kinds == Array(repeating: last.status == 200 ? .accepted : .unauthorized, count: count))
        #expect(transport.calls.count { $0 == refreshCall } == 1)
        #expect(transport.calls.count { $0 == loginCall } == 2)
    }

    /// All calls are refused together. Each 401 comes back only when all calls have arrived.
    @Test func `concurrent refusals make one refresh`() async {
        let count = 20
        let barrier = Barrier(count)
        let refused: ScriptedTransport.Answer = { _ in
            await barrier.wait()
            return .success(HTTPResponse(401))
        }
        let answers: [ScriptedTransport.Answer] =
            [{ _ in .success(loggedIn) }] + Array(repeating: refused, count: count)
            + [{ _ in .success(refreshed) }]
            + Array(repeating: { _ in .success(HTTPResponse(200)) }, count: count)
        let transport = ScriptedTransport(answers)
        let client = makeClient(transport, credential: login)
        let kinds = await withTaskGroup(of: RetryAnswer.Kind.self) { group in
            for _ in 0..<count { group.addTask { await client.retry(sampleRetry).kind } }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(kinds == Array(repeating: .accepted, count: count))
        #expect(transport.calls.count { $0 == refreshCall } == 1)
        #expect(transport.calls.count { $0 == loginCall } == 1)
    }

    @Test(arguments: [400, 401, 403, 404, 422]) func `a refused login is not tried again until signing in`(
        _ status: Int
    ) async throws {
        let transport = ScriptedTransport(HTTPResponse(status), loggedIn, emptyPage)
        let client = makeClient(transport, credential: login)
        let error = await #expect(throws: ProviderError.self) { try await client.logs(of: "e") }
        #expect(error?.kind == .credential)
        let again = await #expect(throws: ProviderError.self) { try await client.logs(of: "e") }
        #expect(again == error)
        #expect(await client.retry(sampleRetry).kind == .unauthorized)
        #expect(transport.calls == [loginCall])
        try await client.signIn()
        _ = try await client.logs(of: "e")
        #expect(transport.calls == [loginCall, loginCall, logsCall])
    }

    @Test func `a login that is forbidden is not blamed on the password`() async throws {
        let client = makeClient(ScriptedTransport(HTTPResponse(403)), credential: login)

        let error = await #expect(throws: ProviderError.self) { try await client.logs(of: "e") }

        let text = "\(try #require(error))"
        #expect(text.contains("403") && text.contains("allow-list") && !text.contains("check the user name"))
    }

    @Test(
        arguments: [
            (throttled, .throttled), (HTTPResponse(503), .unavailable), (HTTPResponse(500), .unavailable),
            (HTTPResponse(302), .redirected), (webPage, .unreadableAnswer),
            (HTTPResponse(200, #"{"access": "a b"}"#), .unreadableAnswer),
            (HTTPResponse(200, #"{"access": 5}"#), .unreadableAnswer),
        ] as [(HTTPResponse, ProviderError.Kind)]) func `a login that could not be served is no refused login`(
            _ response: HTTPResponse, _ kind: ProviderError.Kind
        ) async throws
    {
        let transport = ScriptedTransport(response, loggedIn, emptyPage)
        let client = makeClient(transport, credential: login)
        let error = await #expect(throws: ProviderError.self) { try await client.logs(of: "e") }
        #expect(error?.kind == kind)
        _ = try await client.logs(of: "e")
        #expect(transport.calls == [loginCall, loginCall, logsCall])
    }

    @Test(
        arguments: [
            (throttled, .throttled), (HTTPResponse(503), .unavailable), (HTTPResponse(401), .unauthorized),
            (HTTPResponse(301), .redirected), (webPage, .unauthorized),
        ] as [(HTTPResponse, RetryAnswer.Kind)]) func `a retry without a token says why and is not sent`(
            _ response: HTTPResponse, _ kind: RetryAnswer.Kind
        ) async
    {
        let transport = ScriptedTransport(response)
        let answer = await makeClient(transport, credential: login).retry(sampleRetry)
        #expect(answer.kind == kind)
        #expect(answer.status == nil)
        #expect(transport.calls == [loginCall])
    }

    @Test func `an unreachable login makes a retry unreachable even when the outcome of the login is unknown`() async {
        let answer = await makeClient(ScriptedTransport(failing: .unknownOutcome(.timeout)), credential: login).retry(
            sampleRetry)
        #expect(answer.kind == .unreachable)
    }

    @Test func `a fixed token that is refused cannot be renewed`() async throws {
        let transport = ScriptedTransport(HTTPResponse(401))
        let client = makeClient(transport)
        #expect(await client.retry(sampleRetry).kind == .unauthorized)
        try await client.signIn()
        #expect(transport.requests.count == 1)
    }

    @Test(arguments: ["", "a b", "a\nb", "é"]) func `a token that cannot stand in a header is never sent`(
        _ token: String
    ) async {
        let transport = ScriptedTransport(HTTPResponse(200))
        #expect(await makeClient(transport, credential: .token(Secret(token))).retry(sampleRetry).kind == .unauthorized)
        #expect(transport.requests.isEmpty)
    }
}

@Suite("Secrets")
struct SecretTests {
    @Test func `secrets never show in descriptions, debug descriptions and dumps`() async throws {
        func shown(_ value: Any) -> String {
            var dumped = ""
            dump(value, to: &dumped)
            return "\(value) \(String(reflecting: value)) \(dumped)"
        }
        let transport = ScriptedTransport(loggedIn, HTTPResponse(200))
        let client = makeClient(transport, credential: .login(username: "ops", password: .value(Secret("hunter2"))))
        _ = await client.retry(sampleRetry)
        let values: [Any] = [
            Secret("hunter2"), Credential.token(Secret("hunter2")), login, transport.requests,
            transport.requests[1].headers, loggedIn,
            Credential.login(username: "u", password: .value(Secret("hunter2"))), client,
        ]
        for value in values {
            for secret in ["hunter2", "acc-1", "ref-1", "p\"w"] { #expect(!shown(value).contains(secret)) }
        }
        #expect("\(Secret("x"))" == "[hidden]")
        #expect("\(HTTPHeader("authorization", "Bearer x"))" == "authorization: [hidden]")
        #expect(
            "\(HTTPRequest(method: .get, url: "https://a.test/p?token=x", timeout: .zero, responseLimit: 0))"
                == "GET https://a.test/p")
    }
}

/// Holds callers until `count` of them have come.
private actor Barrier {
    private var missing: Int
    private var waiting: [CheckedContinuation<Void, Never>] = []

    init(_ count: Int) {
        missing = count
    }

    func wait() async {
        missing -= 1
        if missing > 0 { return await withCheckedContinuation { waiting.append($0) } }
        for continuation in waiting { continuation.resume() }
    }
}
