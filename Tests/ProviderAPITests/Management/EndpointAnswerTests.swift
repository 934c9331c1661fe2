import Testing

@testable import ProviderAPI

@Suite("Answers of the operations on endpoints")
struct EndpointAnswerTests {
    private func client(_ answers: String...) -> ProviderClient {
        makeClient(
            ScriptedTransport(
                answers.map { answer -> ScriptedTransport.Answer in { _ in .success(HTTPResponse(200, answer)) } }))
    }

    @Test(arguments: [
        #""s-1""#, " \n\"s-1\" ", #"{"secret_token": "s-1"}"#, #"{"secret": "s-1"}"#, #"{"token": "s-1"}"#,
        #"{"secret_key": "s-1"}"#, #"{"data": {"secret": "s-1"}}"#, #"{"id": 1, "secret_token": "s-1", "token": "t"}"#,
        #"{"secret_token": null, "secret": "s-1"}"#, #"{"secret_token": "s\u002d1"}"#,
    ]) func `a secret is found in many shapes`(answer: String) async throws {
        #expect(try await client(answer).secret(of: "e").revealed == "s-1")
        #expect(try await client(answer).rotateSecret(of: "e").revealed == "s-1")
    }

    @Test func `a secret keeps every character, and shows in no description`() async throws {
        let secret = try await client(#"{"secret_token": "a\"\\ é/=+"}"#).secret(of: "e")
        #expect(secret.revealed == "a\"\\ é/=+")
        #expect("\(secret)" == "[hidden]")
    }

    @Test(
        arguments: [
            (#"{"id": "e-2"}"#, WebhookEndpoint(id: "e-2")), (#"{"id": 17, "url": null}"#, WebhookEndpoint(id: "17")),
            (#"{"endpoint_id": "e-2"}"#, WebhookEndpoint(id: "e-2")),
            (#"{"webhook_id": "w", "endpoint_id": "e"}"#, WebhookEndpoint(id: "w")),
            (#"{"status": "ok", "data": {"id": "e-2", "url": "u"}}"#, WebhookEndpoint(id: "e-2", url: "u")),
            (
                #"{"id": "e-2", "url": "u", "enabled_events": ["a", "b"]}"#,
                WebhookEndpoint(id: "e-2", url: "u", enabledEvents: ["a", "b"])
            ),
            (#"{"id": "e-2", "enabled_events": "all"}"#, WebhookEndpoint(id: "e-2")),
        ])
    func `a new endpoint's id is found in many shapes`(answer: String, endpoint: WebhookEndpoint) async throws {
        #expect(try await client(answer).createEndpoint(sampleFields) == endpoint)
    }

    @Test(
        arguments: [
            ("", WebhookEndpoint()), ("[]", WebhookEndpoint()), (#""ok""#, WebhookEndpoint()),
            (#"{"url": "u"}"#, WebhookEndpoint(url: "u")), (#"{"id": "e"}"#, WebhookEndpoint(id: "e")),
        ])
    func `an update needs no answer but that it was done`(answer: String, endpoint: WebhookEndpoint) async throws {
        #expect(try await client(answer).updateEndpoint("e", sampleFields) == endpoint)
    }

    @Test(
        arguments: [
            (#"["a", "b"]"#, [("a", nil), ("b", nil)]),
            (#"[]"#, []),
            (#"{"results": ["a"]}"#, [("a", nil)]), (#"{"data": ["a"]}"#, [("a", nil)]),
            (#"{"events": ["a"]}"#, [("a", nil)]), (#"{"data": {"events": ["a"]}}"#, [("a", nil)]),
            (#"[{"event": "a", "example_payload": {"n": 1.0}}]"#, [("a", #"{"n": 1.0}"#)]),
            (#"[{"name": "a", "payload": [1e400 ]}]"#, [("a", "[1e400 ]")]),
            (#"[{"event_type": "a", "example": null, "body": "x"}, "b"]"#, [("a", #""x""#), ("b", nil)]),
        ] as [(String, [(String, String?)])])
    func `a list of events is found in many shapes`(answer: String, events: [(String, String?)]) async throws {
        let wanted = events.map { EventExample(name: $0.0, payload: $0.1.map { Array($0.utf8) }) }
        #expect(try await client(answer).events() == wanted)
    }

    @Test func `further pages of events are followed, and never to another origin`() async throws {
        let paged = client(#"{"results": ["a"], "next": "?page=2"}"#, #"{"results": ["b"], "next": null}"#)
        #expect(try await paged.events().map(\.name) == ["a", "b"])
        let transport = ScriptedTransport(
            HTTPResponse(200, #"{"results": ["a"], "next": "https://evil.test/p2"}"#), HTTPResponse(200, #"["b"]"#))
        #expect(try await makeClient(transport).events().map(\.name) == ["a", "b"])
        #expect(transport.requests.last?.url == "https://api.test/p2")
        let unusable = await #expect(throws: ProviderError.self) {
            try await client(#"{"results": ["a"], "next": "ftp://api.test/p2"}"#).events()
        }
        #expect(unusable?.kind == .unreadableAnswer)
        let circle = await #expect(throws: ProviderError.self) {
            try await client(#"{"results": ["a"], "next": "?p=2"}"#, #"{"results": ["b"], "next": "?p=2"}"#).events()
        }
        #expect(circle?.kind == .unreadableAnswer)
    }

    @Test(
        arguments: [
            (#"{"task_id": "t-1"}"#, "t-1"), (#"{"task_id": 17}"#, "17"), (#"{"data": {"task_id": "t-1"}}"#, "t-1"),
            (#"{"id": "x"}"#, nil), ("{}", nil), ("", nil), ("[1]", nil), (#"{"task_id": null}"#, nil),
            (#"{"task_id": ""}"#, nil),
        ] as [(String, String?)])
    func `a test's task id is taken from the answer`(answer: String, taskID: String?) async throws {
        #expect(try await client(answer).test("e", event: "a") == taskID)
    }
}

@Suite("Fields of an endpoint")
struct EndpointFieldsTests {
    private func fault(_ make: () throws(EndpointFields.Fault) -> EndpointFields) -> String {
        do throws(EndpointFields.Fault) {
            return "none: \(try make())"
        } catch {
            return error.description
        }
    }

    @Test func `options become the documented object`() throws {
        let fields = try EndpointFields(
            url: "https://a.test", events: ["a", "b\"c"], headers: [("X-A", "1=2"), ("X-B", "")],
            metadata: [("team", "core")])
        #expect(
            String(decoding: fields.payload, as: UTF8.self)
                == #"{"url": "https://a.test", "enabled_events": ["a", "b\"c"], "#
                + #""custom_headers": {"X-A": "1=2", "X-B": ""}, "metadata": {"team": "core"}}"#)
        #expect(fields.names == ["url", "enabled_events", "custom_headers", "metadata"])
        #expect(try EndpointFields().names.isEmpty)
    }

    @Test func `only what is given is sent, and metadata stays as it is`() throws {
        let fields = try EndpointFields(json: Array(#" {"metadata": { "n" : 1.0, "m": {"a": [] } }} "#.utf8))
        #expect(String(decoding: fields.payload, as: UTF8.self) == #"{"metadata": { "n" : 1.0, "m": {"a": [] } }}"#)
    }

    @Test func `values show in no description`() {
        var dumped = ""
        dump(sampleFields, to: &dumped)
        #expect("\(sampleFields)" == "url, enabled_events, custom_headers")
        #expect(!dumped.contains("s3cret") && !"\(String(reflecting: sampleFields))".contains("s3cret"))
    }

    @Test(arguments: [
        "", "a.test", "/x", "ftp://a.test", "https://", "https:///x", "https://a b", "https://a.test/ü",
        "https://a.test#x", "https://a.test:99999", "mailto:a@b.test", "https://a.test/\n",
    ]) func `an address that is none is refused and not repeated`(url: String) {
        let fault = fault { () throws(EndpointFields.Fault) in try EndpointFields(url: url) }
        #expect(fault.hasPrefix("url: expected an absolute http or https address"))
    }

    @Test(arguments: [
        "http://127.0.0.1:8080", "HTTPS://a.test/x?y=z", "https://user:pw@a.test/", "https://[::1]/x",
    ]) func `an address that is one is sent as it is`(url: String) throws {
        #expect(try EndpointFields(url: url).url == url)
    }

    @Test(
        arguments: [
            ("", "the text is not JSON: the text ends too early at byte 0"), ("[]", "the text: expected a JSON object"),
            (#"{"url": 1}"#, "url: expected a text"), (#"{"enabled_events": []}"#, "at least one event name"),
            (#"{"enabled_events": ["a", 1]}"#, "expected a list of names"),
            (#"{"enabled_events": "a"}"#, "expected a list of names"),
            (#"{"enabled_events": ["a", "a"]}"#, "'a' appears twice"),
            (#"{"enabled_events": [""]}"#, "is empty"), (#"{"custom_headers": []}"#, "expected a JSON object"),
            (#"{"custom_headers": {"A": 1}}"#, "'A' must have a text"),
            (#"{"custom_headers": {"A b": "s3cret"}}"#, "'A b' is not a header's name"),
            (#"{"custom_headers": {"A": "s3cret\r\nX: y"}}"#, "the value of A holds characters"),
            (#"{"custom_headers": {"A": "1", "a": "2"}}"#, "'a' appears twice"),
            (#"{"metadata": 1}"#, "expected a JSON object"), (#"{"metadata": {"a": 1, "a": 2}}"#, "appears twice"),
            (#"{"uri": "x"}"#, "there is no field 'uri': the fields are url, enabled_events, custom_headers, metadata"),
            (#"{"url": "https://a.test", "url": "https://b.test"}"#, "'url' appears twice"),
        ])
    func `a file that cannot be sent is refused with its reason`(json: String, reason: String) {
        let fault = fault { () throws(EndpointFields.Fault) in try EndpointFields(json: Array(json.utf8)) }
        #expect(fault.contains(reason))
        #expect(!fault.contains("s3cret"))
    }
}
