import DeliveryQueue
import ProviderAPI
import Testing

@testable import DeliveryWorker
@testable import RedeliverConfiguration

/// Kept entries under another configuration of `log_fields`.
@Suite struct UnreadableReaderTests {
    private func reader(_ bench: Workbench, _ change: (inout FieldNames) -> Void) -> UnreadableReader {
        var fields = FieldNames.standard
        change(&fields)
        return UnreadableReader(
            store: bench.store, client: bench.client(ScriptedTransport([]), fields: fields),
            endpoints: [Workbench.endpoint], rules: bench.rules, logger: .silent)
    }

    private static func row(_ signature: Int) -> String {
        #"""
        {"uuid": "u-1", "result_code": 500, "kind": "a", "data": {"secret": "s3cret"}, "at": 1,
         "file": "https://files.test/a.pdf?X-Signature=\#(signature)&b=c"}
        """#
    }

    @Test func `the reason says which fields an entry has, and is judged anew when the names change`() async throws {
        let bench = try await Workbench()
        _ = try await bench.poller(ScriptedTransport([.json("[\(Self.row(1))]")])).runOnce(at: .noon)
        let has = "the entry has: uuid, result_code, kind, data, at, file"
        func detail() throws -> String? { try bench.text("SELECT reason || ': ' || detail FROM unreadable_entry") }
        #expect(try detail() == "no_task_id: no string or integer in any of: task_id, id; \(has)")

        #expect(try await reader(bench) { $0.taskID = ["uuid"] }.runOnce(at: .noon(60)) == 0)
        #expect(
            try detail()
                == "no_outcome: no boolean, number or word in any of: status, state, success, status_code, "
                + "response_status, response_code; \(has)")

        let right = reader(bench) {
            ($0.taskID, $0.outcome, $0.eventType, $0.body) = (["uuid"], ["result_code"], ["kind"], ["data"])
        }
        #expect(try await right.runOnce(at: .noon(120)) == 1)
        #expect(try bench.number("SELECT COUNT(*) FROM unreadable_entry") == 0)
        #expect(try bench.tasks(.scheduled) == ["u-1"])
    }

    @Test func `an address that is signed anew in each reading makes no further row, also after new names`()
        async throws
    {
        let bench = try await Workbench()
        let pages = (1...6).map { turn in
            HTTPResponse.json("[\(Self.row(turn)), \(Self.row(turn).replacing("u-1", with: "u-2"))]")
        }
        let poller = bench.poller(ScriptedTransport(pages))
        for turn in 0..<3 { _ = try await poller.runOnce(at: .noon(Double(turn))) }
        #expect(try bench.number("SELECT COUNT(*) FROM unreadable_entry") == 2)

        _ = try await reader(bench) { $0.taskID = ["uuid"] }.runOnce(at: .noon(10))
        for turn in 0..<3 { _ = try await poller.runOnce(at: .noon(Double(20 + turn))) }
        // The poller still has the old names, and so another identity for the same rows.
        #expect(try bench.number("SELECT COUNT(*) FROM unreadable_entry") == 4)
        _ = try await reader(bench) { $0.taskID = ["uuid"] }.runOnce(at: .noon(30))
        #expect(try bench.number("SELECT COUNT(*) FROM unreadable_entry") == 2)
    }

    @Test func `a row that is no JSON is kept as its bytes and stays so`() async throws {
        let bench = try await Workbench()
        let row = #"{"task_id": "x", "status": "failure", "took": NaN}"#
        let page = "[\(LogLine("t1").text), \(row), \(LogLine("t2").text)]"
        let summary = try await bench.poller(ScriptedTransport([.json(page)])).runOnce(at: .noon)
        #expect(summary.new == 2 && summary.unreadable == 1)
        #expect(try await reader(bench) { $0.taskID = ["id"] }.runOnce(at: .noon(60)) == 0)
        #expect(try bench.text("SELECT CAST(raw AS TEXT) || reason FROM unreadable_entry") == row + "bad_json")
    }

    /// Also where an operator has freed what was unread, or a part of it is unread already.
    @Test(arguments: [nil, (-3_600.0, true), (60, false)])
    func `after new names nothing is called before the log is read back to the oldest kept entry`(
        gap: (from: Double, isFreed: Bool)?
    ) async throws {
        let bench = try await Workbench()
        _ = try await bench.poller(ScriptedTransport([.json("[\(Self.row(1))]")])).runOnce(at: .noon)
        if let gap {
            try bench.execute(
                """
                INSERT INTO scan_gap (endpoint_id, from_ms, to_ms, newest_first, started_ms, since_ms, freed_ms, retry_ms)
                VALUES ('e1', \(Timestamp.noon(gap.from).milliseconds), \(Timestamp.noon(9_000).milliseconds), 1,
                    0, 0, \(gap.isFreed ? "0" : "NULL"), \(Timestamp.noon(9_000_000).milliseconds))
                """)
        }
        let right = reader(bench) {
            ($0.taskID, $0.outcome, $0.eventType, $0.body) = (["uuid"], ["result_code"], ["kind"], ["data"])
        }
        #expect(try await right.runOnce(at: .noon(120)) == 1)
        bench.time.advance(by: .seconds(7_200))
        let calls = ScriptedTransport { _ async throws(TransportError) in .accepted }

        #expect(try await bench.dispatcher(calls).runOnce(at: bench.time.now) { _ in }.started == 0)
        let arrival = LogText.page([LogLine("u-1", "success", at: .noon(7_100))])
        let log = ScriptedTransport { _ async throws(TransportError) in .json(arrival) }
        for _ in 0..<2 { _ = try await bench.poller(log).runOnce(at: bench.time.now) }
        #expect(try bench.tasks(.delivered) == ["u-1"])
    }
}
