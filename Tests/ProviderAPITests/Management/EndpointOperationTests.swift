import Testing

@testable import ProviderAPI

/// The operations on endpoints by name, so that a test can run over all of them.
enum EndpointOperation: String, CaseIterable, Sendable {
    case events, create, update, secret, rotate, test

    /// Calls that must not be repeated after a lost answer.
    static let once: [EndpointOperation] = [.create, .rotate, .test]
    static let repeatable: [EndpointOperation] = [.events, .update, .secret]

    func call(_ client: ProviderClient) async throws(ProviderError) {
        switch self {
        case .events: _ = try await client.events()
        case .create: _ = try await client.createEndpoint(sampleFields)
        case .update: _ = try await client.updateEndpoint("e/1", sampleFields)
        case .secret: _ = try await client.secret(of: "e/1")
        case .rotate: _ = try await client.rotateSecret(of: "e/1")
        case .test: _ = try await client.test("e/1", event: "a b&c")
        }
    }

    func error(_ transport: ScriptedTransport) async -> ProviderError? {
        do throws(ProviderError) {
            try await call(makeClient(transport))
            return nil
        } catch {
            return error
        }
    }
}

let sampleFields: EndpointFields = {
    let json = #"{"url":"https://a.test/x?key=k3y","enabled_events":["e"],"custom_headers":{"X-K":"s3cret\"1"}}"#
    guard let fields = try? EndpointFields(json: Array(json.utf8)) else { preconditionFailure("the sample is sound") }
    return fields
}()

@Suite("Operations on endpoints")
struct EndpointOperationTests {
    @Test(
        arguments: [
            (.events, "GET /api/v2/events", nil),
            (
                .create, "POST /api/v2/webhook_endpoint",
                #"{"url": "https://a.test/x?key=k3y", "enabled_events": ["e"], "custom_headers": {"X-K":"s3cret\"1"}}"#
            ),
            (
                .update, "PUT /api/v2/webhook_endpoint/e%2F1",
                #"{"url": "https://a.test/x?key=k3y", "enabled_events": ["e"], "custom_headers": {"X-K":"s3cret\"1"}}"#
            ),
            (.secret, "GET /api/v2/webhook_endpoint/e%2F1/secret", nil),
            (.rotate, "PATCH /api/v2/webhook_endpoint/e%2F1/secret", nil),
            (.test, "POST /api/v2/webhook_endpoint/e%2F1/test?event=a%20b%26c", nil),
        ] as [(EndpointOperation, String, String?)])
    func `each operation is called as documented`(
        operation: EndpointOperation, line: String, body: String?
    ) async throws {
        let transport = ScriptedTransport(HTTPResponse(200, #"[]"#))
        _ = await operation.error(transport)
        let request = try #require(transport.requests.first)
        #expect("\(request.method.rawValue) \(request.url)" == line.replacing(" /", with: " https://api.test/"))
        #expect(request.body.map { String(decoding: $0, as: UTF8.self) } == body)
        #expect(request.headers.contains(HTTPHeader("Content-Type", "application/json")) == (body != nil))
        #expect(request.authorization == "Bearer tok-1")
        #expect(request.timeout == .seconds(30))
        #expect(request.responseLimit == (operation == .events ? 16 << 20 : 1 << 20))
        #expect(transport.requests.count == 1)
    }

    @Test(arguments: EndpointOperation.allCases) func `a refusal is told as what it is`(
        operation: EndpointOperation
    ) async {
        let refusals: [(Int, ProviderError.Reason)] = [
            (401, .unauthorized), (403, .forbidden), (404, .endpointNotFound), (400, .rejected(status: 400)),
            (422, .rejected(status: 422)), (307, .redirected(status: 307)), (429, .throttled(retryAfter: nil)),
            (503, .unavailable(status: 503, retryAfter: nil)), (425, .unavailable(status: 425, retryAfter: nil)),
        ]
        for (status, reason) in refusals {
            let transport = ScriptedTransport(HTTPResponse(status, "{}"))
            let error = await operation.error(transport)
            #expect(error?.reason == reason)
            #expect(transport.requests.count == 1)
        }
        #expect(await operation.error(ScriptedTransport(failing: .notSent(.refused)))?.kind == .unreachable)
    }

    @Test(arguments: EndpointOperation.repeatable, [500, 502, 504, 408])
    func `a fault of the provider is an outage for a call that may be repeated`(
        operation: EndpointOperation, status: Int
    ) async {
        let error = await operation.error(ScriptedTransport(HTTPResponse(status)))
        #expect(error?.reason == .unavailable(status: status, retryAfter: nil))
    }

    @Test(arguments: EndpointOperation.once, [500, 502, 504, 408])
    func `a fault of the provider leaves open whether a call was executed that must not be repeated`(
        operation: EndpointOperation, status: Int
    ) async {
        let error = await operation.error(ScriptedTransport(HTTPResponse(status)))
        #expect(error?.kind == .unknownOutcome)
        #expect("\(error.map { "\($0)" } ?? "")".contains("is unknown (HTTP \(status)): "))
    }

    @Test(
        arguments: EndpointOperation.allCases,
        [.unknownOutcome(.timeout), .unknownOutcome(.reset), .responseTooLarge(limit: 9)] as [TransportError])
    func `a lost answer leaves the outcome open where repeating would do harm`(
        operation: EndpointOperation, failure: TransportError
    ) async {
        let error = await operation.error(ScriptedTransport(failing: failure))
        if EndpointOperation.once.contains(operation) {
            #expect(error?.kind == .unknownOutcome)
            #expect("\(error.map { "\($0)" } ?? "")".contains("(\(failure.label))"))
        } else {
            #expect(error?.reason == ProviderError.reason(of: failure))
        }
    }

    @Test(
        arguments: EndpointOperation.allCases,
        [
            (" \n<html>", "the answer is HTML, not JSON: is base_url right?"),
            (#"{"id": "e-2", "secret"#, "the answer is not JSON: the text ends too early at byte 21"),
            ("{}{}", "the answer is not JSON: text after the value at byte 2"),
        ])
    func `an answer that is no JSON is refused`(operation: EndpointOperation, answer: (String, String)) async {
        let error = await operation.error(ScriptedTransport(HTTPResponse(200, answer.0)))
        #expect(error?.kind == (EndpointOperation.once.contains(operation) ? .unknownOutcome : .unreadableAnswer))
        #expect("\(error.map { "\($0)" } ?? "")".contains(answer.1))
    }

    @Test(
        arguments: [
            (.events, "{}"), (.events, "17"), (.events, #"{"results": {}}"#), (.events, #"[{"title": "x"}]"#),
            (.events, #"["a", 3]"#), (.events, #"[""]"#), (.events, ""), (.create, "{}"), (.create, "[]"),
            (.create, #"{"id": {}}"#), (.create, #"{"id": ""}"#), (.create, ""), (.secret, "{}"), (.secret, #""""#),
            (.secret, #"{"secret_token": 17}"#), (.secret, #"{"secret_token": "a\nb"}"#), (.secret, ""),
            (.secret, "null"), (.rotate, "{}"), (.rotate, ""), (.rotate, #"{"secret_token": null}"#),
            (.update, "   "),
        ] as [(EndpointOperation, String)])
    func `an answer without what was asked for is refused`(operation: EndpointOperation, answer: String) async {
        let error = await operation.error(ScriptedTransport(HTTPResponse(200, answer)))
        #expect(error?.kind == (EndpointOperation.once.contains(operation) ? .unknownOutcome : .unreadableAnswer))
    }

    @Test(arguments: EndpointOperation.allCases) func `a token that has ended is renewed once`(
        operation: EndpointOperation
    ) async throws {
        let transport = ScriptedTransport(
            HTTPResponse(200, #"{"access": "a-1", "refresh": "r-1"}"#), HTTPResponse(401),
            HTTPResponse(200, #"{"access": "a-2"}"#), HTTPResponse(403))
        let client = makeClient(transport, credential: .login(username: "u", password: .value(Secret("p"))))
        let error = await #expect(throws: ProviderError.self) { try await operation.call(client) }
        #expect(error?.kind == .forbidden)
        #expect(transport.requests.count == 4 && transport.requests[3].authorization == "Bearer a-2")
    }

    @Test(arguments: [EndpointOperation.create, .update])
    func `a refusal's text is shown without the values that were sent`(operation: EndpointOperation) async {
        let answer =
            #"{"detail":"bad: s3cret\"1 https://a.test/x?key=k3y","tail":""# + String(repeating: "z", count: 400)
        let error = await operation.error(ScriptedTransport(HTTPResponse(400, answer)))
        let text = error.map { "\($0)" } ?? ""
        #expect(text.contains(#"it says: {"detail":"bad: [hidden] [hidden]","tail":"zzz"#))
        #expect(!text.contains("s3cret") && !text.contains("k3y"))
    }

    @Test(arguments: [EndpointOperation.create, .update])
    func `a refusal's text is shown without the token`(operation: EndpointOperation) async {
        let error = await operation.error(ScriptedTransport(HTTPResponse(400, "not allowed: Bearer tok-1")))
        #expect("\(error.map { "\($0)" } ?? "")".contains("not allowed: Bearer [hidden]"))
    }

    @Test(arguments: [EndpointOperation.secret, .rotate, .events])
    func `a refusal's text is not shown where it could hold a secret`(operation: EndpointOperation) async {
        let error = await operation.error(ScriptedTransport(HTTPResponse(400, #"{"secret_token":"5ecret"}"#)))
        #expect(error?.said == nil && error?.kind == .rejected)
    }
}
