import Testing

@testable import ProviderAPI

private let failure = #"{"task_id": "t1", "event_type": "e", "body": {}, "status": "failure"}"#

@Suite("Log page: envelope")
struct LogPageEnvelopeTests {
    @Test(arguments: [
        "[\(failure)]", #"{"results": [\#(failure)]}"#, #"{"logs": [\#(failure)]}"#, #"{"data": [\#(failure)]}"#,
        #"{"items": [\#(failure)]}"#, #"{"count": 1, "data": {"x": []}, "items": [\#(failure)], "z": [1]}"#,
        #"{"items": [], "results": [\#(failure)], "logs": []}"#, #"{"res\u0075lts": [\#(failure)]}"#,
        #"{"results": null, "results": [\#(failure)]}"#,
    ]) func `the list is found`(_ text: String) throws {
        let page = try decode(text)
        #expect(page.items.count == 1)
        #expect(page.next == nil)
    }

    @Test func `a byte order mark before the page is passed over, and before a web page too`() throws {
        #expect(try decode("\u{FEFF} [\(failure)]").items.count == 1)
        #expect(throws: LogPageDecoder.Fault.self) { try decode("\u{FEFF}\u{FEFF}[]") }
        let page = Array("\u{FEFF}<html>".utf8)
        let error = JSONSyntaxError(problem: .unexpectedByte, offset: 3)
        #expect(error.cause(in: page) == "the answer is HTML, not JSON: is base_url right?")
    }

    @Test func `an empty customer id is an id`() throws {
        let page = try decode(#"[{"id": 1, "status": "failure", "event": "e", "body": 1, "customer_id": ""}]"#)
        guard case .entry(let entry)? = page.items.first else { throw UnexpectedItem() }
        #expect(entry.customerID == JSONID(json: "\"\"", text: ""))
    }

    private struct UnexpectedItem: Error {}

    @Test func `a null body is a body, and only counts when no other name has a value`() throws {
        let page = try decode(
            #"""
            [{"id": 1, "status": "failure", "event": "e", "body": null},
             {"id": 2, "status": "failure", "event": "e", "body": null, "payload": 7}]
            """#)
        let bodies = page.items.map { item -> [UInt8]? in
            guard case .entry(let entry) = item else { return nil }
            return entry.body
        }
        #expect(bodies == [Array("null".utf8), Array("7".utf8)])
    }

    @Test(arguments: ["[]", #"{"results": []}"#, #"{"results": null}"#]) func `an empty list is an empty page`(
        _ text: String
    ) throws {
        #expect(try decode(text).items.isEmpty)
    }

    @Test(arguments: ["{}", "null", "3", #""x""#, #"{"detail": "no"}"#, #"{"results": {"a": 1}}"#])
    func `an answer without a list is refused`(_ text: String) {
        #expect(throws: LogPageDecoder.Fault.noList) { try decode(text) }
    }

    @Test(
        arguments: [
            (#"{"results": [], "next": "/p2"}"#, "/p2"),
            (#"{"results": [], "links": {"prev": "a", "next": "/p2"}}"#, "/p2"),
            (#"{"next": null, "links": {"next": "/p2"}, "results": []}"#, "/p2"),
            (#"{"links": {"next": "/no"}, "next": "/p2", "results": []}"#, "/p2"),
            (#"{"next": "", "results": []}"#, nil), (#"{"next": null, "results": []}"#, nil),
            (#"{"results": []}"#, nil),
            (#"{"next": false, "results": []}"#, nil), (#"{"links": {"next": {"href": "x"}}, "results": []}"#, nil),
            (#"{"next": "https:\/\/a\u002etest", "results": []}"#, "https://a.test"),
        ] as [(String, String?)]) func `the next page is found`(_ text: String, _ next: String?) throws
    {
        let page = try decode(text)
        #expect(page.next == next)
        #expect(page.badNext == (text.contains("href") ? "links.next" : nil))
    }

    @Test func `names of the envelope can be overridden, also with a path`() throws {
        var fields = FieldNames.standard
        fields.entries = ["payload.deliveries"]
        fields.next = ["_links.next.href"]
        let page = try decode(
            #"{"_links": {"next": {"href": "/p2"}}, "payload": {"total": 1, "deliveries": [\#(failure)]}}"#,
            fields: fields)
        #expect(page.items.count == 1)
        #expect(page.next == "/p2")
    }

    @Test func `entries stay in the order of the page and one bad entry does not stop the rest`() throws {
        let good = failure.replacing("t1", with: "t2")
        let page = try decode("[\(failure), 5, {\"task_id\": {}}, \(good)]")
        let kinds = page.items.map { item in
            switch item {
            case .entry(let entry): entry.taskID.text
            case .unreadable(let entry): entry.reason.rawValue
            }
        }
        #expect(kinds == ["t1", "not_an_object", "no_task_id", "t2"])
    }

    @Test func `broken syntax is an error of the page with its place`() {
        #expect(throws: LogPageDecoder.Fault.syntax(JSONSyntaxError(problem: .unexpectedByte, offset: 72))) {
            try decode("[\(failure), ,]")
        }
    }
}

@Suite("Log page: entries")
struct LogEntryTests {
    @Test func `every field of an entry is read`() throws {
        let entry = try readEntry(
            #"""
            {"task_id": 12, "event_type": "document_upload", "customer_id": "c\u002d1", "webhook_id": 9, "body": [1.0 , 2],
             "status": "FAILED", "status_code": 502, "created_at": 1700000000, "updated_at": "2024-01-01T00:00:00Z",
             "error": "bad gateway"}
            """#)
        #expect(
            entry
                == LogEntry(
                    taskID: JSONID(json: "12", text: "12"), eventType: "document_upload",
                    customerID: JSONID(json: #""c\u002d1""#, text: "c-1"), webhookID: JSONID(json: "9", text: "9"),
                    body: Array("[1.0 , 2]".utf8), outcome: .failed, statusCode: 502, loggedAt: 1_700_000_000_000,
                    changedAt: 1_704_067_200_000, errorText: "bad gateway"))
    }

    @Test(arguments: [
        ("task_id", "id"), ("event_type", "event"), ("customer_id", "customer"), ("customer_id", "profile_id"),
        ("webhook_id", "webhook"), ("webhook_id", "endpoint_id"), ("body", "payload"), ("body", "request_body"),
        ("status", "state"), ("status", "response_status"), ("created_at", "timestamp"), ("created_at", "date_done"),
        ("created_at", "date_created"), ("created_at", "updated_at"), ("error", "result"), ("error", "traceback"),
        ("error", "response_body"), ("error", "message"), ("body", #"\u0062ody"#), ("task_id", #"task\u005Fid"#),
    ]) func `every spelling means the same`(_ name: String, _ spelling: String) throws {
        let text = #"""
            {"task_id": "t", "event_type": "e", "customer_id": "c", "webhook_id": "w", "body": {"b": 1}, "status": "failure",
             "created_at": 1700000000, "error": "x"}
            """#
        let other = text.replacing("\"\(name)\":", with: "\"\(spelling)\":")
        #expect(other != text)
        #expect(try readEntry(other) == readEntry(text))
        let both = text.replacing("\"\(name)\":", with: "\"\(spelling)\": null, \"\(name)\":")
        #expect(try readEntry(both) == readEntry(text))
    }

    @Test func `the first present name wins whatever the order in the text, and of a repeated key the last`() throws {
        let entry = try readEntry(
            #"{"id": 2, "task_id": 1, "success": true, "payload": 3, "body": 1, "body": 2, "customer": "b", "customer_id": null}"#
        )
        #expect(entry?.taskID.json == "1")
        #expect(entry?.body == Array("2".utf8))
        #expect(entry?.customerID?.text == "b")
    }

    @Test(arguments: [
        "1.0", "1e400", "123456789012345678901234567890", #"{"a":1,"a":2}"#, #"{"b":1,"a":2}"#, #""\u00e9é""#, #""\/""#,
        #"["\ud800", "\udc00"]"#, "{ \"a\" :\n[ 1 ,2 ] }", #""text""#, "-0.0", "[]", "true", "false", "0",
    ]) func `a body is cut out byte for byte`(_ body: String) throws {
        let entry = try readEntry(#"{"task_id":1,"event":"e","status":500,"body": \#(body) }"#)
        #expect(entry?.body == Array(body.utf8))
    }

    @Test(
        arguments: [
            (#""status": "success""#, .succeeded, nil), (#""state": "SUCCEEDED""#, .succeeded, nil),
            (#""status": "Ok""#, .succeeded, nil), (#""status": "delivered""#, .succeeded, nil),
            (#""status": " completed ""#, .succeeded, nil), (#""status": "failure""#, .failed, nil),
            (#""status": "FAILED""#, .failed, nil), (#""status": "error""#, .failed, nil),
            (#""status": "timeout""#, .failed, nil), (#""status": "rejected""#, .failed, nil),
            (#""status": "revoked""#, .failed, nil), (#""status": "exhausted""#, .failed, nil),
            (#""status": "PENDING""#, .inProgress, nil), (#""status": "received""#, .inProgress, nil),
            (#""status": "started""#, .inProgress, nil), (#""status": "RETRY""#, .inProgress, nil),
            (#""status": "retrying""#, .inProgress, nil), (#""status": "queued""#, .inProgress, nil),
            (#""status": "in_progress""#, .inProgress, nil), (#""success": true"#, .succeeded, nil),
            (#""success": false"#, .failed, nil), (#""status_code": 200"#, .succeeded, 200),
            (#""status_code": 299"#, .succeeded, 299), (#""response_status": 199"#, .failed, 199),
            (#""response_code": 300"#, .failed, 300), (#""status_code": 0"#, .failed, 0),
            (#""status": "200""#, .succeeded, 200),
            (#""status": "503""#, .failed, 503), (#""status": 2e2"#, .succeeded, 200),
            (#""status": 1e400"#, .failed, nil),
            (#""status_code": 500, "state": "success""#, .succeeded, 500),
            (#""status": 200, "success": false"#, .failed, 200),
            (#""status": "failure", "success": true, "status_code": 200"#, .failed, 200),
            (#""status": null, "status_code": 404"#, .failed, 404),
            (#""status": "", "status_code": 204"#, .succeeded, 204),
            (#""status": {"x": 1}, "success": true"#, .succeeded, nil), (#""status": -1"#, .failed, -1),
            (#""status_code": null"#, .unsaid, nil), (#""status": null, "state": """#, .unsaid, nil),
            (#""status_code": null, "error": """#, .unsaid, nil),
            (#""status_code": null, "error": "connection refused""#, .failed, nil),
        ] as [(String, LogEntry.Outcome, Int?)]) func `outcomes are judged`(
            _ members: String, _ outcome: LogEntry.Outcome, _ code: Int?
        ) throws
    {
        let entry = try readEntry(#"{"task_id": 1, "event": "e", "body": 1, \#(members)}"#)
        #expect(entry?.outcome == outcome)
        #expect(entry?.statusCode == code)
    }

    @Test(
        arguments: [
            ("5", .notAnObject), ("[]", .notAnObject), ("null", .notAnObject), (#""x""#, .notAnObject),
            (#"{"status": "failure"}"#, .noTaskID), (#"{"id": null, "status": "failure"}"#, .noTaskID),
            (#"{"id": "", "status": "failure"}"#, .noTaskID), (#"{"id": 1.5, "status": "failure"}"#, .noTaskID),
            (#"{"id": true, "status": "failure"}"#, .noTaskID), (#"{"id": {"a": 1}, "status": "failure"}"#, .noTaskID),
            (#"{"id": 1}"#, .noOutcome), (#"{"id": 1, "status": null}"#, .noBody),
            (#"{"id": 1, "status": []}"#, .noOutcome),
            (#"{"id": 1, "status": "weird"}"#, .unknownOutcome),
            (#"{"id": 1, "status": "weird", "success": true}"#, .unknownOutcome),
            (#"{"id": 1, "status": "ok", "created_at": "yesterday"}"#, .badTime),
            (#"{"id": 1, "status": "ok", "created_at": [1]}"#, .badTime),
            (#"{"id": 1, "status": "failure", "event": "e"}"#, .noBody),
            (#"{"id": 1, "status": "failure", "body": {}}"#, .noEventType),
            (#"{"id": 1, "status": "failure", "body": {}, "event": 5}"#, .noEventType),
            (#"{"id": 1, "status": "failure", "body": {}, "event": "e", "customer": {"id": 1}}"#, .badIdentifier),
            (#"{"id": 1, "status": "failure", "body": {}, "event": "e", "webhook": [1]}"#, .badIdentifier),
            // The database would read it back, and a retry would send it, as "e".
            (#"{"id": 1, "status": "failure", "body": {}, "event": "e\u0000f"}"#, .badIdentifier),
            (#"{"id": "1\u0000", "status": "success"}"#, .badIdentifier),
        ] as [(String, UnreadableEntry.Reason)])
    func `an entry that cannot be understood is kept whole with its reason`(
        _ text: String, _ reason: UnreadableEntry.Reason
    ) throws {
        let entry = try readUnreadable(text)
        #expect(entry?.reason == reason)
        #expect(entry?.raw == Array(text.utf8))
        #expect(entry?.detail.isEmpty == false)
    }

    @Test func `an unreadable entry tells when it was logged and names what it found`() throws {
        let word = try readUnreadable(#"{"id": 1, "status": "weird", "created_at": 1700000000}"#)
        #expect(word?.loggedAt == 1_700_000_000_000)
        #expect(word?.detail == "status: the word 'weird' is not in any list of outcome words")
        let time = try readUnreadable(#"{"id": 1, "status": "ok", "created_at": "yesterday"}"#)
        #expect(time?.detail == #"created_at: '"yesterday"' is not a readable time"#)
    }

    @Test func `a body over the limit is unreadable on a failure and left out otherwise`() throws {
        let body = "\"" + String(repeating: "a", count: LogEntryDecoder.bodyLimit - 2) + "\""
        let text = #"{"id": 1, "event": "e", "status": "failure", "body": \#(body)}"#
        #expect(try readEntry(text)?.body?.count == LogEntryDecoder.bodyLimit)
        let longer = text.replacing("\"aaaa", with: "\"aaaaa", maxReplacements: 1)
        #expect(try readUnreadable(longer)?.reason == .bodyTooLarge)
        let succeeded = try readEntry(longer.replacing("failure", with: "success"))
        #expect(succeeded != nil && succeeded?.body == nil)
    }

    @Test func `an entry nested too deep is kept and the page goes on`() throws {
        let deep = String(repeating: "[", count: 600) + String(repeating: "]", count: 600)
        let page = try decode(#"[{"id": 1, "body": \#(deep)}, \#(deep), {"id": 2, "status": "ok"}]"#)
        let reasons = page.items.map { item -> UnreadableEntry.Reason? in
            if case .unreadable(let entry) = item { entry.reason } else { nil }
        }
        #expect(reasons == [.tooDeep, .notAnObject, nil])
    }

    @Test func `error texts are shortened and other values kept as they stand`() throws {
        func errorText(_ value: String) throws -> String? {
            try readEntry(#"{"id": 1, "status": "ok", "error": \#(value)}"#)?.errorText
        }
        #expect(try errorText("\"" + String(repeating: "é", count: 900) + "\"") == String(repeating: "é", count: 500))
        #expect(
            try errorText("\"" + String(repeating: #"\u00e9"#, count: 900) + "\"") == String(repeating: "é", count: 500)
        )
        #expect(try errorText(#"{"a": 1}"#) == #"{"a": 1}"#)
        #expect(try errorText(#""", "message": "m""#) == "m")
        #expect(try errorText("null") == nil)
    }

    @Test func `several times give the first readable as logged and the latest as changed`() throws {
        let entry = try readEntry(
            #"{"id": 1, "status": "ok", "updated_at": 1700000009, "timestamp": 1700000001, "created_at": "soon"}"#)
        #expect(entry?.loggedAt == 1_700_000_001_000)
        #expect(entry?.changedAt == 1_700_000_009_000)
        let single = try readEntry(#"{"id": 1, "status": "ok", "timestamp": 1700000001}"#)
        #expect(single?.changedAt == single?.loggedAt)
        #expect(try readEntry(#"{"id": 1, "status": "ok"}"#)?.changedAt == nil)
    }

    @Test func `names and words can be overridden`() throws {
        var fields = FieldNames.standard
        fields.taskID = ["uuid"]
        fields.outcome = ["zustand"]
        fields.succeededWords = ["Fertig"]
        let entry = try readEntry(
            #"{"uuid": "u", "task_id": "t", "status": "failure", "zustand": "FERTIG"}"#, fields: fields)
        #expect(entry?.taskID.text == "u")
        #expect(entry?.outcome == .succeeded)
    }
}
