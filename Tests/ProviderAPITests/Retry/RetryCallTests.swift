import Foundation
import Testing

@testable import ProviderAPI

@Suite("Asking for a retry")
struct ProviderClientRetryTests {
    @Test(arguments: [
        "1.0", "1e400", "123456789012345678901234567890", #"{"a":1,"a":2}"#, #"{"z":1,"a":2}"#, #"{"e":"\u00e9é"}"#,
        #""\/""#,
        #"["\ud800"]"#, "{ \"a\" :\n [ 1 , 2 ] }", #""text""#, "0", "[]", "null", "true",
    ]) func `the body arrives unchanged`(_ body: String) async throws {
        let transport = ScriptedTransport(HTTPResponse(200))
        var request = sampleRetry
        request.body = Array(body.utf8)
        _ = await makeClient(transport).retry(request)
        let sent = try #require(transport.requests.first?.body)
        #expect(JSONText.member("body", of: sent).map(Array.init) == Array(body.utf8))
    }

    @Test func `the call is spliced from the raw tokens`() async throws {
        let transport = ScriptedTransport(HTTPResponse(202))
        let request = RetryRequest(
            taskIDJSON: #""\u0061-1""#, customerIDJSON: "007e0", webhookIDJSON: #""12""#, eventType: "a\"b\nc",
            body: Array("[1.0 ]".utf8))
        let answer = await makeClient(transport).retry(request)
        let sent = try #require(transport.requests.first)
        #expect(sent.method == .post)
        #expect(sent.url == "https://api.test/api/v2/webhook_endpoint/retry")
        #expect(sent.headers.contains(HTTPHeader("Content-Type", "application/json")))
        #expect(sent.authorization == "Bearer tok-1")
        #expect(
            sent.text
                == #"{"task_id": "\u0061-1", "body": [1.0 ], "customer_id": 007e0, "webhook_id": "12", "event_type": "a\"b\u000ac"}"#
        )
        #expect(answer == RetryAnswer(kind: .accepted, grant: 0, status: 202))
    }

    @Test(
        arguments: [
            (200, .accepted), (201, .accepted), (204, .accepted), (299, .accepted), (301, .redirected),
            (302, .redirected), (304, .redirected),
            (307, .redirected), (308, .redirected), (400, .rejected), (401, .unauthorized), (402, .clientRefused),
            (403, .forbidden),
            (404, .notFound), (405, .clientRefused), (407, .clientRefused), (408, .uncertain), (409, .uncertain),
            (410, .notFound), (413, .rejected), (415, .clientRefused), (421, .clientRefused), (423, .uncertain),
            (426, .clientRefused), (431, .clientRefused), (451, .clientRefused),
            (418, .rejected), (422, .rejected), (425, .unavailable), (429, .throttled), (499, .rejected),
            (500, .serverError),
            (501, .clientRefused), (502, .serverError), (503, .unavailable), (504, .serverError), (520, .serverError),
            (599, .serverError),
            (101, .uncertain),
        ] as [(Int, RetryAnswer.Kind)]) func `each status has its meaning`(_ status: Int, _ kind: RetryAnswer.Kind)
        async
    {
        let transport = ScriptedTransport(HTTPResponse(status))
        let answer = await makeClient(transport).retry(sampleRetry)
        #expect(answer.kind == kind)
        #expect(answer.status == status)
        #expect(transport.requests.count == 1)
    }

    /// `2xx` and `other 4xx` stand for the statuses of their hundred that no row names.
    @Test func `each status has the meaning that the documentation's table gives it`() throws {
        let file = URL(filePath: #filePath).appending(path: "../../../../docs/architecture.md").standardizedFileURL
        let page = try String(contentsOf: file, encoding: .utf8)
        var documented: [Substring: Substring] = [:]
        for row in page.matches(of: /(?m)^\| `([a-z_]+)` \| ([^|]+) \|/) {
            for status in row.2.matches(of: /\b[1-5](?:\d\d|xx)\b/) { documented[status.output] = row.1 }
        }
        #expect(documented.count == 36)

        for status in 200...599 {
            let row = documented["\(status)"] ?? documented["\(status / 100)xx"]
            #expect(RetryAnswer.kind(ofStatus: status).rawValue == row.map(String.init), "\(status)")
        }
    }

    @Test(arguments: TransportError.Cause.allCases) func `a missing answer says whether the call was sent`(
        _ cause: TransportError.Cause
    ) async {
        let unsent = await makeClient(ScriptedTransport(failing: .notSent(cause))).retry(sampleRetry)
        #expect(unsent == RetryAnswer(kind: .unreachable, detail: cause.rawValue))
        let unknown = await makeClient(ScriptedTransport(failing: .unknownOutcome(cause))).retry(sampleRetry)
        #expect(unknown == RetryAnswer(kind: .uncertain, detail: cause.rawValue))
    }

    @Test(arguments: [TransportError.responseTooLarge(limit: 9), .cancelled])
    func `an answer too large and a cancelled call are uncertain`(_ error: TransportError) async {
        #expect(await makeClient(ScriptedTransport(failing: error)).retry(sampleRetry).kind == .uncertain)
    }

    @Test(
        arguments: [
            (#"{"task_id": "n-1"}"#, "n-1"), (#"{"x": [], "task_id": 42}"#, "42"), (#"{"task_id": null}"#, nil),
            (#"{"task_id": {}}"#, nil),
            (#"{"id": 1}"#, nil), ("[1]", nil), ("OK", nil), ("", nil), (" \n", nil), ("Retry queued.", nil),
            (#"{"errors": [], "ok": true}"#, nil),
        ] as [(String, String?)]) func `a new task id is taken from the answer`(_ body: String, _ id: String?) async
    {
        let answer = await makeClient(ScriptedTransport(HTTPResponse(200, body))).retry(sampleRetry)
        #expect(answer == RetryAnswer(kind: .accepted, grant: 0, status: 200, namedTaskID: id))
    }

    @Test(arguments: [
        "<html>", " \n<!doctype html><p>Request blocked", #"{"task_id": 1"#, #"{"success": false}"#, #"{"ok":false}"#,
        #"{"error": "no such user"}"#, #"{"errors": ["x"]}"#, #"{"status": "Failed"}"#, #"{"result": "error"}"#,
        String(repeating: "please log in ", count: 9),
    ]) func `a 2xx that is a web page or says no does not take the retry on`(_ body: String) async {
        let answer = await makeClient(ScriptedTransport(HTTPResponse(200, body))).retry(sampleRetry)
        #expect(answer.kind == .uncertain && answer.status == 200 && answer.namedTaskID == nil)
        #expect(answer.detail != nil)
    }

    @Test(
        arguments: [
            (503, 4, nil, .unavailable), (503, 30, nil, .uncertain), (425, 6, nil, .uncertain),
            (503, 30, "9", .unavailable), (429, 30, nil, .throttled),
        ] as [(Int, Int64, String?, RetryAnswer.Kind)])
    func `a 503 that came late without naming a wait may have been executed`(
        status: Int, seconds: Int64, wait: String?, kind: RetryAnswer.Kind
    ) {
        let response = HTTPResponse(status, headers: wait.map { [HTTPHeader("Retry-After", $0)] } ?? [])
        #expect(RetryAnswer(response, toRetryOf: [], after: .seconds(seconds), now: testNow).kind == kind)
    }

    @Test(
        arguments: [
            (#"{"body": ["Not a valid string."]}"#, .bodyForm), (#"{"body": "must be a string"}"#, .bodyForm),
            (#"{"body": ["Expected a dictionary of items but got type \"str\"."]}"#, .bodyForm),
            (#"{"body": ["This field is required."]}"#, .rejected),
            (#"{"task_id": ["Not a valid string."]}"#, .rejected),
        ] as [(String, RetryAnswer.Kind)])
    func `a 400 that wants the body in another form is about every delivery`(text: String, kind: RetryAnswer.Kind) async
    {
        #expect(await makeClient(ScriptedTransport(HTTPResponse(400, text))).retry(sampleRetry).kind == kind)
    }

    @Test func `a refusal keeps the start of the answer on one clean line`() async {
        let text = "{\"error\":\n\t\"nope\u{0}\u{1B}[31m\u{202E}\"}" + String(repeating: " é", count: 400)
        let answer = await makeClient(ScriptedTransport(HTTPResponse(422, text))).retry(sampleRetry)
        #expect(answer.detail?.hasPrefix("{\"error\": \"nope [31m \"} é é") == true)
        #expect(answer.detail?.count == 300)
    }

    @Test(
        arguments: [
            (#"{"name": "Ayşe", "born": 19840312, "files": [{"code": "p/7"}], "note": "x", "ok": null}"#, "whole"),
            (#"bad: Ayşe 19840312, 'p/7' is null"#, "bad: [hidden] [hidden], '[hidden]' is null"),
            (#"{"e": "name Ay\u015fe: no"}"#, #"{"e": "name [hidden]: no"}"#),
            (#"Bearer tok-1 must not"#, "Bearer [hidden] must not"),
            ("Bearer tok-1\u{301} and p/7\u{20DD}", "Bearer [hidden]\u{301} and [hidden]\u{20DD}"),
            ("name Ays\u{327}e: no", "name [hidden]: no"),
        ])
    func `a refusal is kept without the body and the token that were sent`(answer: String, kept: String) async {
        let body = #"{"name": "Ayşe", "born": 19840312, "files": [{"code": "p/7"}], "note": "x", "ok": null}"#
        var request = sampleRetry
        request.body = Array(body.utf8)
        for status in [400, 500] {
            let transport = ScriptedTransport(HTTPResponse(status, answer))
            let detail = await makeClient(transport).retry(request).detail
            #expect(detail == (kept == "whole" ? "[hidden]" : kept))
        }
    }

    @Test func `a web page with a 2xx is kept without the token, and a task id stays what it is`() async {
        let page = await makeClient(ScriptedTransport(HTTPResponse(200, "<p>Bearer tok-1 must not"))).retry(sampleRetry)
        #expect(page.detail == "<p>Bearer [hidden] must not")
        let long = "<p>" + String(repeating: "x", count: 294) + "tok-1"
        let cut = await makeClient(ScriptedTransport(HTTPResponse(200, long))).retry(sampleRetry)
        #expect(cut.detail?.contains("tok") == false)
        let named = ScriptedTransport(HTTPResponse(200, #"{"task_id": "tok-1"}"#))
        #expect(await makeClient(named).retry(sampleRetry).namedTaskID == "tok-1")
    }

    @Test func `a refusal too large to be searched for the body is kept without its text`() async {
        var request = sampleRetry
        request.body = Array(("[" + String(repeating: #""abc","#, count: 20_000) + "1]").utf8)
        #expect(await makeClient(ScriptedTransport(HTTPResponse(400, "no: abc"))).retry(request).detail == nil)
        let answer = String(repeating: "a", count: 20_000)
        #expect(await makeClient(ScriptedTransport(HTTPResponse(400, answer))).retry(sampleRetry).detail == nil)
    }

    @Test func `Retry-After is handed on`() async {
        let response = HTTPResponse(429, headers: [HTTPHeader("retry-after", "17")])
        let answer = await makeClient(ScriptedTransport(response)).retry(sampleRetry)
        #expect(answer == RetryAnswer(kind: .throttled, grant: 0, status: 429, retryAfter: .seconds(17)))
    }

    @Test func `a redirect of a POST is reported with its place and not followed`() async {
        let transport = ScriptedTransport(
            HTTPResponse(302, headers: [HTTPHeader("Location", "https://u:p@api.test/x?key=1")]), HTTPResponse(200))
        let answer = await makeClient(transport).retry(sampleRetry)
        #expect(answer.kind == .redirected && answer.detail == "Location: https://api.test/x")
        #expect(transport.requests.count == 1)
    }

    @Test(arguments: ["/api/v2/webhook_endpoint/retry/", "https://api.test/api/v2/webhook_endpoint/retry/"])
    func `a slash at the end is learned from a permanent redirect, and the POST is not followed`(_ place: String) async
    {
        let transport = ScriptedTransport(
            HTTPResponse(301, headers: [HTTPHeader("Location", place)]), HTTPResponse(202),
            HTTPResponse(308, headers: [HTTPHeader("Location", "/api/v2/webhook_endpoint/retry")]))
        let client = makeClient(transport)

        #expect(await client.retry(sampleRetry).kind == .moved)
        #expect(transport.requests.count == 1)
        #expect(await client.retry(sampleRetry).kind == .accepted)
        #expect(transport.requests.last?.url == "https://api.test/api/v2/webhook_endpoint/retry/")
        // Back again: it does not go to and fro.
        #expect(await client.retry(sampleRetry).kind == .redirected)
    }

    @Test(arguments: [
        (301, "https://elsewhere.test/api/v2/webhook_endpoint/retry/"), (301, "/api/v2/webhook_endpoint/retry/x/"),
        (301, "http://api.test/api/v2/webhook_endpoint/retry/"), (302, "/api/v2/webhook_endpoint/retry/"),
    ])
    func `any other redirect teaches nothing`(status: Int, place: String) async {
        let answer = HTTPResponse(status, headers: [HTTPHeader("Location", place)])
        let client = makeClient(ScriptedTransport(answer, HTTPResponse(202)))
        #expect(await client.retry(sampleRetry).kind == .redirected)
    }

    @Test func `a log whose address wants a slash is read at once, its pages too`() async throws {
        let transport = ScriptedTransport(
            HTTPResponse(301, headers: [HTTPHeader("Location", "/api/v2/webhook_endpoint/e/logs/")]),
            HTTPResponse(200, "[]"), HTTPResponse(200, "[]"))
        let client = makeClient(transport)
        _ = try await client.logs(of: "e")
        _ = try await client.logs(of: "e")
        let logs = "https://api.test/api/v2/webhook_endpoint/e/logs"
        #expect(transport.requests.map(\.url) == [logs, logs + "/", logs + "/"])
    }

    @Test(
        arguments: [
            (#"{"a": "é\n\"x\""}"#, #""{\"a\": \"é\\n\\\"x\\\"\"}""#), (#""text""#, #""text""#), ("1.0", #""1.0""#),
        ])
    func `where the body is sent as text, one string holds exactly its bytes`(body: String, sent: String) async throws {
        let transport = ScriptedTransport(HTTPResponse(202))
        var request = sampleRetry
        request.body = Array(body.utf8)
        request.form = .text
        _ = await makeClient(transport).retry(request)
        let value = try #require(transport.requests.first?.body)
        #expect(JSONText.member("body", of: value).map { String(decoding: $0, as: UTF8.self) } == sent)
    }
}
