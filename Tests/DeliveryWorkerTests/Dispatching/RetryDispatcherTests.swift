import DeliveryQueue
import Foundation
import GRDB
import ProviderAPI
import Testing

@testable import DeliveryWorker

@Suite struct RetryDispatcherTests {
    private func lines(_ count: Int) -> [LogLine] {
        (0..<count).map { LogLine("t\($0)", at: .noon(-600 - Double($0))) }
    }

    // MARK: - What is sent

    /// The odd bodies that a re-encoding would change.
    private static let bodies = [
        #"{"a": 1.0}"#, #"[1e400, -0, -0.0, 1E+2]"#, #"{"n": 123456789012345678901234567890}"#,
        #"{"a": 1, "a": 2, "a": {"a": 3}}"#, #"{"z": 1, "a": 2, "m": 3}"#, #"{"x": "\u00e9é"}"#, #""\/path\/""#,
        #"{"x": "\ud800 \udc00\ud83d"}"#, "{ \"a\" :\t[ 1 ,\n2 ] }", #""a string""#, "42", "[]", "true", "{}",
        #"{"quote": "\"\\\n", "e": "\u0000", "d": "\u007f"}"#, #"{"": ""}"#, "\"\u{1F600} \u{2028}\"",
    ]

    @Test(arguments: bodies)
    func `a body goes from the log's page through the database into the retry byte for byte`(body: String) async throws
    {
        let bench = try await Workbench()
        try await bench.ingest([LogLine("t1").with { $0.body = body }])
        let transport = ScriptedTransport { _ async throws(TransportError) in .accepted }

        _ = try await bench.dispatcher(transport).runOnce(at: .noon)

        let stored = try #require(try bench.rows("SELECT body FROM delivery_body").first)
        #expect(stored["body"] as Data == Data(body.utf8))
        let request = try #require(await transport.retries.first)
        #expect(
            request.body
                == Array(
                    (#"{"task_id": "t1", "body": "# + body
                        + #", "customer_id": "c-1", "webhook_id": "w-1", "event_type": "profile_update"}"#).utf8))
    }

    @Test(arguments: [
        (task: "17", customer: "null", webhook: #""w""#), (#""17""#, "18", "19"), (#""a\u00e9""#, #""\/""#, #""w-1""#),
        ("123456789012345678901234567890", "-5", "0"),
    ])
    func `ids keep their JSON type and spelling`(task: String, customer: String, webhook: String) async throws {
        let bench = try await Workbench()
        try await bench.ingest([
            LogLine("").with {
                $0.task = task
                $0.customer = customer
                $0.webhook = webhook
            }
        ])
        let transport = ScriptedTransport { _ async throws(TransportError) in .accepted }

        _ = try await bench.dispatcher(transport).runOnce(at: .noon)

        let text = try #require(await transport.retries.first?.bodyText)
        #expect(text.hasPrefix("{\"task_id\": \(task), \"body\": "))
        #expect(text.contains("\"customer_id\": \(customer), \"webhook_id\": \(webhook), "))
    }

    @Test func `exactly the due deliveries are sent, each once`() async throws {
        let bench = try await Workbench()
        try await bench.ingest(lines(40))
        try bench.execute(
            """
            UPDATE delivery SET next_attempt_ms = \(Timestamp.noon(1).milliseconds)
            WHERE CAST(substr(task_id, 2) AS INTEGER) >= 25
            """)
        let transport = ScriptedTransport { _ async throws(TransportError) in .accepted }

        let summary = try await bench.dispatcher(transport).runOnce(at: .noon)

        #expect(summary == DispatchSummary(started: 25, recorded: 25, accepted: 25))
        let sent = await transport.retries.map { $0.bodyText.dropFirst(13).prefix { $0 != "\"" } }
        #expect(Set(sent) == Set((0..<25).map { "t\($0)" }))
        #expect(sent.count == 25)
        #expect(try bench.tasks(.awaiting).count == 25)
        #expect(try bench.tasks(.scheduled).count == 15)
    }

    @Test func `the intent is committed before the call begins`() async throws {
        let bench = try await Workbench()
        try await bench.ingest(lines(5))
        let path = bench.path
        let transport = ScriptedTransport { request async throws(TransportError) in
            let task = String(request.bodyText.dropFirst(13).prefix { $0 != "\"" })
            return HTTPResponse(status: Self.hasOpenIntent(task, inDatabase: path) ? 202 : 400)
        }

        _ = try await bench.dispatcher(transport, concurrency: 2).runOnce(at: .noon)

        #expect(try bench.tasks(.awaiting).count == 5)
    }

    /// Asked on a connection of its own, which sees only what is committed.
    private static func hasOpenIntent(_ task: String, inDatabase path: String) -> Bool {
        let sql = """
            SELECT COUNT(*) FROM delivery JOIN attempt ON attempt.delivery_id = delivery.id
            WHERE task_id = ? AND state = 'attempting' AND delivery.lease_token = 1 AND attempt.lease_token = 1
              AND answered_ms IS NULL AND intent_ms = \(Timestamp.noon.milliseconds)
            """
        let count = try? DatabaseQueue(path: path).read { try Int.fetchOne($0, sql: sql, arguments: [task]) }
        return count == 1
    }

    @Test(arguments: [1, 3, 16])
    func `never more calls are in flight than allowed`(concurrency: Int) async throws {
        let bench = try await Workbench()
        try await bench.ingest(lines(40))
        let transport = ScriptedTransport { _ async throws(TransportError) in
            for _ in 0..<20 { await Task.yield() }
            return .accepted
        }

        let summary = try await bench.dispatcher(transport, concurrency: concurrency).runOnce(at: .noon)

        #expect(summary.started == 40)
        #expect(await transport.mostInFlight <= concurrency)
    }

    @Test func `as many calls are in flight as are allowed`() async throws {
        let bench = try await Workbench()
        try await bench.ingest(lines(40))
        let latch = Latch()
        let transport = ScriptedTransport { _ async throws(TransportError) in
            await latch.pass()
            return .accepted
        }
        let dispatcher = bench.dispatcher(transport, concurrency: 4)

        async let summary = dispatcher.runOnce(at: .noon)
        await latch.arrived(4)
        #expect(await transport.inFlight == 4)
        await latch.open()

        #expect(try await summary.started == 40)
    }

    @Test func `two turns at once never send one delivery twice`() async throws {
        let bench = try await Workbench()
        try await bench.ingest(lines(30))
        let transport = ScriptedTransport { _ async throws(TransportError) in .accepted }
        let dispatcher = bench.dispatcher(transport, concurrency: 4)

        async let first = dispatcher.runOnce(at: .noon)
        async let second = dispatcher.runOnce(at: .noon)
        _ = try await (first, second)

        let bodies = await transport.retries.map(\.bodyText)
        #expect(bodies.count == 30)
        #expect(Set(bodies).count == 30)
    }

    // MARK: - When nothing is sent

    @Test(arguments: ["pause", "outage", "credential"])
    func `while the gate is shut nothing is sent and nothing is claimed`(reason: String) async throws {
        let bench = try await Workbench()
        try await bench.ingest(lines(3))
        let gate = bench.gate()
        await gate.with { gate in
            switch reason {
            case "pause": gate.pause(.throttled, for: nil, at: .noon)
            case "outage": _ = gate.unreachable(at: .noon)
            default: gate.credentialRefused(at: .noon)
            }
        }
        let transport = ScriptedTransport { _ async throws(TransportError) in .accepted }

        let summary = try await bench.dispatcher(transport, gate: gate).runOnce(at: .noon)

        #expect(summary == DispatchSummary())
        #expect(await transport.requests.isEmpty)
        #expect(try bench.number("SELECT COUNT(*) FROM attempt") == 0)
        #expect(try bench.tasks(.scheduled).count == 3)
    }

    @Test func `the token bucket spreads the calls of one turn over time`() async throws {
        let bench = try await Workbench()
        try await bench.ingest(lines(30))
        let transport = ScriptedTransport { _ async throws(TransportError) in .accepted }

        let summary = try await bench.dispatcher(transport, gate: bench.gate(perSecond: 2, burst: 10)).runOnce(
            at: .noon)

        #expect(summary.started == 30)
        #expect(bench.time.now - .noon == .seconds(10))
    }

    @Test func `superseded deliveries whose policy says skip are not sent and give their tokens back`() async throws {
        let policy = RetryPolicy(spacing: .listed([.zero]), jitter: 0, onSuperseded: .skip)
        let bench = try await Workbench(policy: policy)
        try await bench.ingest(lines(5) + [LogLine("newer", "success", at: .noon(-10))])
        let gate = bench.gate(perSecond: 1, burst: 5)
        let transport = ScriptedTransport { _ async throws(TransportError) in .accepted }

        let summary = try await bench.dispatcher(transport, gate: gate).runOnce(at: .noon)

        #expect(summary == DispatchSummary(superseded: 5))
        #expect(await transport.requests.isEmpty)
        #expect(await gate.with { $0.take(upTo: 100, at: .noon) } == 5)
    }
}
