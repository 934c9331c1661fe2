import DeliveryQueue
import Foundation
import GRDB
import ProviderAPI
import Testing

@testable import DeliveryWorker
@testable import RedeliverConfiguration

@Suite struct LogPollerEntryTests {
    @Test(
        arguments: [
            (entry: #""w-9""#, configured: nil, text: "w-9", json: #""w-9""#),
            ("17", nil, "17", "17"), (nil, nil, "e1", #""e1""#), (nil, "hook \"7\"", "hook \"7\"", #""hook \"7\"""#),
            (#""w-9""#, "other", "w-9", #""w-9""#),
        ] as [(String?, String?, String, String)])
    func `the webhook id is the entry's, else the configured one, else the endpoint's`(
        entry: String?, configured: String?, text: String, json: String
    ) async throws {
        let bench = try await Workbench()
        let page = LogText.page([LogLine("t1").with { $0.webhook = entry }])
        let poller = bench.poller(
            ScriptedTransport([.json(page)]), endpoint: .init(id: "e1", name: "core", webhookID: configured))

        _ = try await poller.runOnce(at: .noon)

        #expect(try bench.text("SELECT webhook_id FROM delivery") == text)
        #expect(try bench.text("SELECT webhook_id_json FROM delivery_body") == json)
    }

    @Test func `entries that cannot be understood are kept whole and do not stop the page`() async throws {
        let bench = try await Workbench()
        let strange = [
            #"{"id": {"a": 1}, "status": "failure"}"#, #"17"#, #"{"task_id": "x", "status": "exploded"}"#,
            #"{"task_id": "y", "status": "failure", "event_type": "a"}"#,
        ]
        let page = "[" + (strange + [LogLine("t1").text]).joined(separator: ", ") + "]"
        let poller = bench.poller(ScriptedTransport([.json(page), .json(page)]))

        let summary = try await poller.runOnce(at: .noon)
        _ = try await poller.runOnce(at: .noon(60))

        #expect(summary.unreadable == 4)
        #expect(summary.new == 1)
        let kept = try bench.rows("SELECT raw, reason FROM unreadable_entry ORDER BY id")
        #expect(kept.map { String(decoding: $0["raw"] as Data, as: UTF8.self) } == strange)
        #expect(
            kept.map { $0["reason"] as String } == ["no_task_id", "not_an_object", "unknown_outcome", "no_body"])
    }

    @Test func `a newest-first log that shows the success before the failure makes no delivery of it`() async throws {
        let bench = try await Workbench()

        try await bench.ingest([LogLine("t1", "success", at: .noon(-30)), LogLine("t1", at: .noon(-60))])

        #expect(try bench.number("SELECT COUNT(*) FROM delivery") == 0)
    }

    @Test func `failures before the lookback are not taken up`() async throws {
        let bench = try await Workbench(lookback: .seconds(3_600))

        try await bench.ingest([LogLine("old", at: .noon(-3_601)), LogLine("young", at: .noon(-3_599))])

        #expect(try bench.tasks(.scheduled) == ["young"])
    }

    @Test func `five polls in a row that fail begin an outage, one that works ends it`() async throws {
        let bench = try await Workbench()
        let gate = bench.gate()
        let answers = Array(repeating: HTTPResponse(status: 502), count: 5) + [.json("[]")]
        let poller = bench.poller(ScriptedTransport(answers), gate: gate)

        for _ in 0..<4 { _ = try? await poller.runOnce(at: .noon) }
        #expect(await gate.gate.closed == nil)
        _ = try? await poller.runOnce(at: .noon)
        #expect(await gate.gate.closed == .outage)
        // An answer to what was asked in the same moment could be from before.
        bench.time.advance(by: .seconds(1))
        _ = try await poller.runOnce(at: .noon(1))
        #expect(await gate.gate.closed == nil)
    }

    @Test func `a body that is no JSON is warned of once before it is sent, without its text`() async throws {
        let bench = try await Workbench()
        let said = LogLines()
        let rows = (1...2).map { n in LogLine("t\(n)").with { $0.body = #""{'secret': None}""# } }
        let poller = bench.poller(ScriptedTransport(rows.map { .json(LogText.page([$0])) }), logger: said.logger)

        for turn in 0..<2 { _ = try await poller.runOnce(at: .noon(Double(turn))) }

        #expect(try bench.tasks(.scheduled) == ["t1", "t2"])
        #expect(
            said.all.filter { $0.hasPrefix("warning the body of a failure is a string that is not JSON") }.count == 1)
        #expect(!said.all.contains { $0.contains("secret") })
    }
}
