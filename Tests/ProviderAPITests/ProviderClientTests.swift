import HostileInput
import Testing

@testable import ProviderAPI

@Suite("Reading the log")
struct ProviderClientLogTests {
    @Test func `the first page is asked for with token, path and limits`() async throws {
        let transport = ScriptedTransport(HTTPResponse(200, "[]"))
        let page = try await makeClient(transport, baseURL: "https://api.test/pre/").logs(of: "end/point 1")
        #expect(page == LogPage(items: LogPage.Items([])))
        let request = try #require(transport.requests.first)
        #expect(request.url == "https://api.test/pre/api/v2/webhook_endpoint/end%2Fpoint%201/logs")
        #expect(request.method == .get)
        #expect(request.authorization == "Bearer tok-1")
        #expect(request.headers.contains(HTTPHeader("Accept-Encoding", "gzip")))
        #expect(request.responseLimit == 64 << 20)
        #expect(request.timeout == .seconds(30))
    }

    @Test func `pages are followed from the body and from the Link header`() async throws {
        let transport = ScriptedTransport(
            HTTPResponse(
                200, #"{"results": [], "next": "?page=2"}"#,
                headers: [HTTPHeader("Date", "Thu, 01 Jan 2026 00:00:01 GMT")]),
            HTTPResponse(200, "[]", headers: [HTTPHeader("Link", "</p3>; rel=\"next\"")]),
            HTTPResponse(200, "[]"))
        let client = makeClient(transport)
        let first = try await client.logs(of: "e")
        let second = try await client.logs(of: "e", at: first.next)
        let third = try await client.logs(of: "e", at: second.next)
        #expect(first.serverTime == testNow + 1000)
        #expect(third.next == nil)
        #expect(
            transport.requests.map(\.url) == [
                "https://api.test/api/v2/webhook_endpoint/e/logs",
                "https://api.test/api/v2/webhook_endpoint/e/logs?page=2",
                "https://api.test/p3",
            ])
    }

    @Test func `a next page on another origin is refused and never called`() async {
        let transport = ScriptedTransport(HTTPResponse(200, #"{"results": [], "next": "https://evil.test/p2"}"#))
        let client = makeClient(transport)
        let error = await #expect(throws: ProviderError.self) { try await client.logs(of: "e") }
        #expect(error?.reason == .foreignNextPage(origin: "https://evil.test"))
        #expect(error?.kind == .foreignNextPage)
        #expect(transport.requests.count == 1)
    }

    @Test(
        arguments: [
            (HTTPResponse(401), .unauthorized), (HTTPResponse(403), .forbidden), (HTTPResponse(404), .endpointNotFound),
            (HTTPResponse(429, headers: [HTTPHeader("Retry-After", "9")]), .throttled(retryAfter: .seconds(9))),
            (
                HTTPResponse(503, headers: [HTTPHeader("Retry-After", "9")]),
                .unavailable(status: 503, retryAfter: .seconds(9))
            ),
            (HTTPResponse(500), .unavailable(status: 500, retryAfter: nil)),
            (HTTPResponse(408), .unavailable(status: 408, retryAfter: nil)),
            (HTTPResponse(302, headers: [HTTPHeader("Location", "/x")]), .redirected(status: 302)),
            (HTTPResponse(400), .rejected(status: 400)),
            (
                HTTPResponse(200, " \n<!doctype html>"),
                .unreadableAnswer(cause: "the answer is HTML, not JSON: is base_url right?")
            ),
            (HTTPResponse(200), .unreadableAnswer(cause: "the answer is empty: is base_url right?")),
            (
                HTTPResponse(200, "[1"),
                .unreadableAnswer(
                    cause:
                        "the answer is not JSON: the text ends too early at byte 2: was it cut on its way, or is base_url "
                        + "wrong?")
            ),
            (
                HTTPResponse(200, "{}"),
                .unreadableAnswer(
                    cause:
                        "the answer holds no list of entries, neither at its top nor under: results, logs, data, items")
            ),
            (
                HTTPResponse(200, #"{"next": 2, "logs": []}"#),
                .unreadableAnswer(cause: "the answer's 'next' is not the text of an address, or longer than 8192 bytes")
            ),
        ] as [(HTTPResponse, ProviderError.Reason)]) func `an answer that is no page becomes an error`(
            _ response: HTTPResponse, _ reason: ProviderError.Reason
        ) async
    {
        let transport = ScriptedTransport(response)
        let error = await #expect(throws: ProviderError.self) { try await makeClient(transport).logs(of: "abc") }
        #expect(error?.reason == reason)
        #expect("\(error.map { "\($0)" } ?? "")".hasPrefix("reading the log of endpoint 'abc': "))
        #expect(transport.requests.count == 1)
    }

    @Test(
        arguments: [
            (.notSent(.dns), .unreachable(cause: "dns")), (.unknownOutcome(.timeout), .unreachable(cause: "timeout")),
            (.responseTooLarge(limit: 5), .answerTooLarge(limit: 5)), (.cancelled, .cancelled),
        ] as [(TransportError, ProviderError.Reason)]) func `a missing answer becomes an error`(
            _ failure: TransportError, _ reason: ProviderError.Reason
        ) async
    {
        let client = makeClient(ScriptedTransport(failing: failure))
        let error = await #expect(throws: ProviderError.self) { try await client.logs(of: "e") }
        #expect(error?.reason == reason)
    }
}
