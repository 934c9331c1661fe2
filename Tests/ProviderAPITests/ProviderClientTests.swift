import HostileInput
import Testing

@testable import ProviderAPI

@Suite("Reading the log")
struct ProviderClientLogTests {
    @Test func `the first page is asked for with token, path and limits`() async throws {
        let transport = ScriptedTransport(HTTPResponse(200, "[]"))
        let page = try await makeClient(transport, baseURL: "https://api.test/pre/").logs(of: "end/point 1")
        #expect(page == LogPage(items: LogPage.Items([]), grant: 0))
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

    @Test func `a next page on another origin is asked for at our own`() async throws {
        let transport = ScriptedTransport(
            HTTPResponse(200, #"{"results": [1], "next": "http://inner-host:8000/api/v2/p?page=2"}"#),
            HTTPResponse(200, "[]"))
        let client = makeClient(transport, baseURL: "https://api.test/gw")
        let page = try await client.logs(of: "e")
        #expect(page.items.count == 1 && page.nextFault == nil)
        #expect(page.nextCorrection == LinkCorrection(origin: "http://inner-host:8000", prefix: "/gw"))
        #expect(try await client.logs(of: "e", at: page.next).nextCorrection == nil)
        #expect(transport.requests.last?.url == "https://api.test/gw/api/v2/p?page=2")
    }

    @Test(
        arguments: [
            (#""javascript:alert(1)""#, [], "the address of the next page is not http or https, or not valid"),
            (#""ftp://api.test/p2""#, [], "the address of the next page is not http or https, or not valid"),
            (#""https://user:pw@api.test/p2""#, [], "the address of the next page is not http or https, or not valid"),
            ("2", [], "the answer's 'next' is not the text of an address, or longer than 8192 bytes"),
            ("NaN", [], "the answer's 'next' is not the text of an address, or longer than 8192 bytes"),
            (
                "null", [HTTPHeader("Link", "</\(String(repeating: "p", count: 8_192))>; rel=next")],
                "the address of the next page is longer than 8192 bytes"
            ),
        ] as [(String, [HTTPHeader], String)])
    func `a page whose next cannot be followed is used and says so`(
        next: String, headers: [HTTPHeader], cause: String
    ) async throws {
        let answer = HTTPResponse(200, #"{"next": \#(next), "results": [1, 2]}"#, headers: headers)
        let page = try await makeClient(ScriptedTransport(answer)).logs(of: "e")
        #expect(page.items.count == 2 && page.next == nil && page.nextCorrection == nil)
        #expect(page.nextFault?.reason == .unreadableAnswer(cause: cause))
        #expect(page.nextFault?.description == "reading the log of endpoint 'e': \(cause)")
    }

    @Test func `of several links to the next page the first that is one counts`() async throws {
        let link = [HTTPHeader("Link", "</p3>; rel=next")]
        for (text, headers, path) in [
            (#"{"next": 2, "links": {"next": "/p2"}, "results": []}"#, [], "/p2"),
            (#"{"next": 2, "links": {"next": {}}, "results": []}"#, link, "/p3"),
        ] as [(String, [HTTPHeader], String)] {
            let page = try await makeClient(ScriptedTransport(HTTPResponse(200, text, headers: headers))).logs(of: "e")
            #expect(page.next?.url == "https://api.test" + path && page.nextFault == nil)
        }
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
            (HTTPResponse(302, headers: [HTTPHeader("Location", "/x?k=1")]), .redirected(status: 302, to: "/x")),
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
