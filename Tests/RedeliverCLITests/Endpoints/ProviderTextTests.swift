import ArgumentParser
import DeliveryQueue
import DeliveryWorker
import Foundation
import RedeliverConfiguration
import Testing

@testable import ProviderAPI
@testable import RedeliverCLI

/// A configuration with the given list `endpoints` below it, read as the program reads it.
func makeConfiguration(endpoints: String) throws -> WorkerConfiguration {
    let folder = FileManager.default.temporaryDirectory.appending(path: "redeliver-cli-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = folder.appending(path: "redeliver.yaml")
    let yaml = "provider: {base_url: https://a.test, auth: {token: t}}\ndatabase: r.db\nendpoints:\n\(endpoints)\n"
    try yaml.write(to: file, atomically: true, encoding: .utf8)
    return try WorkerConfiguration.load(path: file.path, environment: [:])
}

@Suite struct EventReportTests {
    private let events = [
        EventExample(name: "profile_create", payload: Array(#"{"a":[1.0,{}],"b":"x\u001b[2J\"{"}"#.utf8)),
        EventExample(name: "odd\u{1B}[2J", payload: nil),
    ]

    @Test func `events are a table`() {
        #expect(
            EventReport(events, withExamples: false).table.text(on: .plain) == """
                EVENT TYPE      EXAMPLE
                profile_create  34 bytes
                odd�[2J         -
                """)
    }

    @Test func `examples are indented without touching a value`() {
        #expect(
            EventReport(events, withExamples: true).examples(on: .plain, raw: false) == #"""
                profile_create
                {
                  "a": [
                    1.0,
                    {}
                  ],
                  "b": "x\u001b[2J\"{"
                }

                odd�[2J
                (no example)
                """#)
    }

    @Test func `a raw example is the provider's, byte for byte, and steers no terminal`() {
        let strange = EventReport(
            [EventExample(name: "a", payload: Array("[ 1e400,\"\u{9B}2J\"]".utf8))], withExamples: true)
        #expect(strange.examples(on: .plain, raw: true) == "a\n[ 1e400,\"\u{9B}2J\"]")
        let terminal = Terminal(width: 80, hasColours: false)
        #expect(strange.examples(on: terminal, raw: true) == "a\n[ 1e400,\"\u{FFFD}2J\"]")
    }

    @Test func `JSON and CSV hold an example as text, and only when it is asked for`() throws {
        let text = try JSONOutput.text(EventReport(events, withExamples: true).rows)
        #expect(text.contains(#""example_payload" : "{\"a\":[1.0,{}],\"b\":\"x\\u001b[2J\\\"{\"}""#))
        #expect(!(try JSONOutput.text(EventReport(events, withExamples: false).rows)).contains("payload"))
        #expect(
            EventReport(events, withExamples: true).table.csv(on: .plain).hasPrefix(
                #"""
                event_type,example,example_payload
                profile_create,34 bytes,"{""a"":[1.0,{}],""b"":""x\u001b[2J\""{""}"
                """#))
    }

    @Test(arguments: [
        ("{}", "{}"), ("[ ]", "[]"), ("17", "17"), (#""a: {""#, #""a: {""#),
        ("[[],[1]]", "[\n  [],\n  [\n    1\n  ]\n]"),
        (#"{"a":"\\","b":"\""}"#, "{\n  \"a\": \"\\\\\",\n  \"b\": \"\\\"\"\n}"),
    ]) func `any JSON is indented`(json: String, text: String) {
        #expect(JSONIndent.text(Array(json.utf8)) == text)
    }
}

@Suite struct EndpointReportTests {
    private func fields(_ url: String = "https://hooks.example.com/x") throws -> EndpointFields {
        try EndpointFields(url: url, events: ["a", "b"], headers: [("X-K", "s3cret")])
    }

    @Test func `a new endpoint is told with the lines for the configuration`() throws {
        let report = CreatedEndpoint(WebhookEndpoint(id: "e-2"), try fields(), besides: ["core"])
        #expect(
            report.text == """
                endpoint e-2 is registered: a, b

                Add these lines to `endpoints:` in the configuration, then reload the daemon (SIGHUP):

                  - id: "e-2"
                    name: "hooks.example.com"
                """)
        #expect(!(try JSONOutput.text(report)).contains("s3cret"))
    }

    @Test(arguments: ["e-2", "17", "a: b # c", "it's \"quoted\" \\ x", "true", "{x}", "- y", "é🙂"])
    func `the lines mean what they say, whatever the id holds`(id: String) throws {
        let report = CreatedEndpoint(WebhookEndpoint(id: id), try fields(), besides: [])
        let configuration = try makeConfiguration(endpoints: report.configuration)
        #expect(configuration.endpoints.map(\.id) == [id])
        #expect(configuration.endpoints.map(\.name) == ["hooks.example.com"])
    }

    @Test func `an id cannot break out of its line`() {
        #expect(YAMLText.quoted("a\n\u{85}\u{2028}\u{202E}b") == #""a\U0000000A\U00000085\U00002028\U0000202Eb""#)
    }

    @Test func `no name is proposed that is taken or that no configuration takes`() throws {
        let taken = CreatedEndpoint(WebhookEndpoint(id: "e"), try fields(), besides: ["hooks.example.com"])
        #expect(taken.configuration == #"  - id: "e""#)
        let long = try fields("https://\(String(repeating: "a", count: 60)).\(String(repeating: "b", count: 60)).test")
        let report = CreatedEndpoint(WebhookEndpoint(id: "e"), long, besides: [])
        #expect(try makeConfiguration(endpoints: report.configuration).endpoints[0].name.count == 64)
        let address = CreatedEndpoint(WebhookEndpoint(id: "e"), try fields("https://[::1]:8443/x"), besides: [])
        #expect(try makeConfiguration(endpoints: address.configuration).endpoints.count == 1)
    }

    @Test func `an update tells what was sent and what the answer says, and no header's value`() throws {
        let endpoint = ProviderEndpoint("core", in: try makeConfiguration(endpoints: "  - {id: e-1, name: core}"))
        let silent = UpdatedEndpoint(endpoint, try fields(), WebhookEndpoint())
        #expect(silent.text == "endpoint core is updated: url, enabled_events, custom_headers")
        let told = UpdatedEndpoint(
            endpoint, try EndpointFields(metadata: [("a", "b")]),
            WebhookEndpoint(url: "https://x", enabledEvents: ["a"]))
        #expect(told.text == "endpoint core is updated: metadata\nurl: https://x\nenabled events: a")
        #expect(!(try JSONOutput.text(silent)).contains("s3cret"))
    }

    @Test(arguments: [
        ("https://ann:pa55@a.test:8443/x?y=a@b#@", "https://…@a.test:8443/x?y=a@b#@"),
        ("https://ann:p@55@a.test", "https://…@a.test"), ("https://a.test/x@y", "https://a.test/x@y"), ("a@b", "a@b"),
    ]) func `a password in a receiver's address is not printed`(url: String, printed: String) throws {
        let endpoint = ProviderEndpoint("core", in: try makeConfiguration(endpoints: "  - {id: e-1, name: core}"))
        let updated = UpdatedEndpoint(endpoint, try fields(), WebhookEndpoint(url: url))
        #expect(updated.url == printed && updated.text.hasSuffix("\nurl: \(printed)"))
        #expect(CreatedEndpoint(WebhookEndpoint(id: "e", url: url), try fields(), besides: []).url == printed)
    }

    @Test func `an endpoint is found by id, then by name, and anything else is an id`() throws {
        let endpoints = "  - {id: e-1, name: core}\n  - {id: core, name: other}\n  - {id: e-3, name: third}"
        let configuration = try makeConfiguration(endpoints: endpoints)
        #expect(ProviderEndpoint("core", in: configuration).id == "core")
        #expect(ProviderEndpoint("third", in: configuration) == ProviderEndpoint("e-3", in: configuration))
        #expect(ProviderEndpoint("third", in: configuration).title == "third (e-3)")
        let unknown = ProviderEndpoint("x\u{1B}", in: configuration)
        #expect(unknown.id == "x\u{1B}" && !unknown.isConfigured && unknown.title == "x�")
    }
}

@Suite struct EndpointLogTextTests {
    private let now = Timestamp(milliseconds: 1_767_225_600_000)

    private var lines: [LogTail.Line] {
        [
            .init(time: nil, taskID: nil, outcome: .unreadable, detail: "no_task_id: none of task_id, id"),
            .init(
                time: now - .seconds(300), taskID: "t-1", eventType: "profile_create", customerID: "c-1",
                outcome: .failed, httpStatus: 503, detail: "says \u{1B}[2J"),
            .init(time: now, taskID: "t-22", eventType: "a", outcome: .succeeded, httpStatus: 200),
        ]
    }

    @Test func `a log is a table`() {
        #expect(
            LogTail.Line.table(lines, at: now).text(on: .plain) == """
                AT                                OUTCOME     EVENT TYPE      TASK ID  CUSTOMER ID  HTTP STATUS  DETAIL
                -                                 unreadable  -               -        -            -            no_task_id: none of task_id, id
                2025-12-31T23:55:00Z (5 min ago)  failed      profile_create  t-1      c-1          503          says �[2J
                2026-01-01T00:00:00Z (now)        succeeded   a               t-22     -            200          -
                """)
    }

    @Test func `JSON has Unix seconds and leaves out what is not there`() throws {
        #expect(
            try JSONOutput.line(lines[1]) == #"{"at":1767225300,"customer_id":"c-1","detail":"says \u001b[2J","#
                + #""event_type":"profile_create","http_status":503,"outcome":"failed","task_id":"t-1"}"#)
        #expect(
            try JSONOutput.line(lines[0])
                == #"{"detail":"no_task_id: none of task_id, id","outcome":"unreadable"}"#)
    }

    @Test func `followed lines keep their columns, under one heading`() throws {
        var printer = LogPrinter(json: false, csv: false)
        let text = try [[lines[1]], [], [lines[2]]].map { try printer.text(of: $0, on: .plain) }.joined()
        #expect(
            text == """
                AT                    OUTCOME  EVENT TYPE      TASK ID  CUSTOMER ID  HTTP STATUS  DETAIL
                2025-12-31T23:55:00Z  failed   profile_create  t-1      c-1          503          says �[2J
                2026-01-01T00:00:00Z  succeeded  a               t-22     -            200          -

                """)
    }

    @Test func `followed lines are one object on a line, or rows under one heading`() throws {
        var json = LogPrinter(json: true, csv: false)
        let objects = try json.text(of: lines, on: .plain).split(separator: "\n")
        #expect(objects.count == 3 && objects.allSatisfy { $0.hasPrefix("{") && $0.hasSuffix("}") })
        #expect(try json.text(of: [], on: .plain).isEmpty)
        var csv = LogPrinter(json: false, csv: true)
        let rows = try [[], [lines[2]], [lines[2]]].map { try csv.text(of: $0, on: .plain) }.joined()
        #expect(
            rows == """
                at,outcome,event_type,task_id,customer_id,http_status,detail
                2026-01-01T00:00:00Z,succeeded,a,t-22,,200,
                2026-01-01T00:00:00Z,succeeded,a,t-22,,200,

                """)
    }
}

@Suite struct TestReportTests {
    private func report(_ line: LogTail.Line?, taskID: String? = "t-1", waited: Bool = true) throws -> TestReport {
        let endpoint = ProviderEndpoint("core", in: try makeConfiguration(endpoints: "  - {id: e-1, name: core}"))
        return TestReport(endpoint, event: "profile_create", taskID: taskID, waited: waited, outcome: line)
    }

    @Test func `the outcome of a test is told, and is the exit code`() throws {
        let sent = "test event profile_create is sent: task t-1"
        let failed = LogTail.Line(time: nil, taskID: "t-1", outcome: .failed, httpStatus: 503, detail: "down\u{7}")
        let cases: [(TestReport, String, Int32?)] = [
            (try report(nil, waited: false), sent, nil),
            (try report(.init(time: nil, taskID: "t-1", outcome: .succeeded)), sent + "\ndelivered", nil),
            (try report(failed), sent + "\nfailed: HTTP 503, down�", 1),
            (try report(nil), sent + "\nthe log did not show its result in time", 69),
        ]
        for (report, text, code) in cases {
            #expect(report.text == text)
            #expect(report.exitCode?.rawValue == code)
        }
        let unnamed = try report(nil, taskID: nil, waited: false)
        #expect(unnamed.text == "test event profile_create is sent: the answer names no task id")
    }
}
