import DeliveryQueue
import GRDB
import ProviderAPI
import Testing

@testable import DeliveryWorker

/// docs/architecture.md, the table of answers, from the HTTP answer to the rows.
@Suite struct RetryAnswerEffectTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let name: String
        let answer: Result<HTTPResponse, TransportError>
        let state: DeliveryState
        var used = 0
        /// Seconds from the answer to the next attempt.
        var again: Double?
        var dead: String?
        let label: String
        var closed: CallGate.Closed?
        var outcome: String?
        var held: String?

        var testDescription: String { name }
    }

    private static func status(_ code: Int, _ headers: [HTTPHeader] = []) -> Result<HTTPResponse, TransportError> {
        .success(HTTPResponse(status: code, headers: headers, body: Array("why".utf8)))
    }

    private static let cases: [Case] =
        [200, 201, 202, 204].map { Case(name: "\($0)", answer: status($0), state: .awaiting, label: "accepted") }
        + [408, 409, 423].map { Case(name: "\($0)", answer: status($0), state: .awaiting, label: "uncertain") }
        + [500, 502, 504, 507].map {
            Case(name: "\($0)", answer: status($0), state: .awaiting, label: "server_error")
        }
        + [TransportError.unknownOutcome(.timeout), .unknownOutcome(.reset), .responseTooLarge(limit: 1)].map {
            Case(name: $0.label, answer: .failure($0), state: .awaiting, label: "uncertain")
        }
        + [402, 405, 407, 415, 421, 426, 431, 451, 501, 511].map {
            Case(
                name: "\($0)", answer: status($0), state: .scheduled, again: 300, label: "client_refused",
                outcome: "not_executed", held: "client_refused")
        }
        + [400, 413, 414, 422].map {
            Case(
                name: "\($0)", answer: status($0), state: .dead, used: 1, dead: "rejected", label: "rejected",
                outcome: "refused")
        }
        + [301, 302, 307, 308].map {
            Case(
                name: "\($0)", answer: status($0, [HTTPHeader("Location", "https://evil.test/")]), state: .scheduled,
                again: 3_600, label: "redirected", outcome: "not_executed", held: "redirected")
        }
        + [
            notExecuted("429", status(429), 30, "throttled", .throttled),
            notExecuted("429 with 7 s", status(429, [HTTPHeader("Retry-After", "7")]), 7, "throttled", .throttled),
            notExecuted("429 with 0 s", status(429, [HTTPHeader("Retry-After", "0")]), 1, "throttled", .throttled),
            notExecuted(
                "429 with years", status(429, [HTTPHeader("Retry-After", "99999999")]), 3_600, "throttled", .throttled),
            notExecuted(
                "429 until a date", status(429, [HTTPHeader("Retry-After", "Sun, 15 Jun 2025 12:02:00 GMT")]), 120,
                "throttled", .throttled),
            notExecuted("503", status(503), 30, "unavailable", .unavailable),
            notExecuted("425", status(425), 30, "unavailable", .unavailable),
            notExecuted("refused", .failure(.notSent(.refused)), 5, "unreachable", .outage),
            notExecuted("DNS", .failure(.notSent(.dns)), 5, "unreachable", .outage),
            notExecuted("401", status(401), 60, "unauthorized", .credential),
            notExecuted("403", status(403), 60, "forbidden", .credential),
        ]
        + [404, 410].map {
            Case(
                name: "\($0)", answer: status($0), state: .scheduled, again: 3_600, label: "not_found",
                outcome: "not_executed")
        }
        + [
            Case(
                name: "another form of the body",
                answer: .success(.json(#"{"body": ["Not a valid string."]}"#, status: 400)), state: .scheduled,
                again: 3_600, label: "body_form", outcome: "not_executed", held: "body_form"),
            Case(
                name: "a web page", answer: .success(HTTPResponse(status: 200, body: Array("<html>".utf8))),
                state: .awaiting, label: "uncertain"),
        ]

    private static func notExecuted(
        _ name: String, _ answer: Result<HTTPResponse, TransportError>, _ again: Double, _ label: String,
        _ closed: CallGate.Closed
    ) -> Case {
        Case(
            name: name, answer: answer, state: .scheduled, again: again, label: label, closed: closed,
            outcome: "not_executed")
    }

    @Test(arguments: cases)
    func `an answer has the effect that the table says`(expected: Case) async throws {
        let bench = try await Workbench()
        try await bench.ingest([LogLine("t1")])
        let gate = bench.gate()
        let transport = ScriptedTransport { _ async throws(TransportError) in try expected.answer.get() }

        _ = try await bench.dispatcher(transport, gate: gate).runOnce(at: .noon)

        let row = try #require(try bench.rows("SELECT * FROM delivery").first)
        #expect(row["state"] == expected.state.rawValue)
        #expect(row["attempts_used"] == expected.used)
        #expect(row["dead_reason"] == expected.dead)
        #expect(row["next_attempt_ms"] == expected.again.map { Timestamp.noon($0).milliseconds })
        let attempt = try #require(try bench.rows("SELECT * FROM attempt").first)
        #expect(attempt["answer"] == expected.label)
        #expect(attempt["outcome"] == expected.outcome)
        #expect(await gate.gate.closed == expected.closed)
        #expect(try bench.text("SELECT hold_reason FROM endpoint") == expected.held)
        #expect(try await bench.store.snapshot(at: .noon).count(Counter.retryRequests, expected.label) == 1)
        #expect(await transport.retries.count == 1)
    }

    @Test func `a second 404 an hour later is final`() async throws {
        let bench = try await Workbench()
        try await bench.ingest([LogLine("t1")])
        let transport = ScriptedTransport { _ async throws(TransportError) in HTTPResponse(status: 404) }
        let dispatcher = bench.dispatcher(transport)

        _ = try await dispatcher.runOnce(at: bench.time.now)
        bench.time.advance(by: .seconds(3_599))
        #expect(try await dispatcher.runOnce(at: bench.time.now).started == 0)
        bench.time.advance(by: .seconds(1))
        _ = try await dispatcher.runOnce(at: bench.time.now)

        #expect(try bench.text("SELECT dead_reason FROM delivery") == "rejected")
        #expect(await transport.retries.count == 2)
    }

    @Test func `three different deliveries refused in a row hold the endpoint, and one try an hour later frees it`()
        async throws
    {
        let bench = try await Workbench()
        try await bench.ingest((1...6).map { LogLine("t\($0)", at: .noon(-600 + Double($0))) })
        try bench.execute("UPDATE endpoint SET retry_shows = 'new_entry'")
        let answers = ScriptedTransport(
            [400, 422, 400, 202, 202, 202].map { HTTPResponse(status: $0) })
        let dispatcher = bench.dispatcher(answers, concurrency: 1)

        _ = try await dispatcher.runOnce(at: bench.time.now)
        #expect(try bench.text("SELECT hold_reason FROM endpoint") == "rejected")
        #expect(await answers.retries.count == 3)
        bench.time.advance(by: .seconds(3_600))
        _ = try await dispatcher.runOnce(at: bench.time.now)

        #expect(try bench.text("SELECT hold_reason FROM endpoint") == nil)
        #expect(try bench.tasks(.dead) == ["t1", "t2", "t3"])
        #expect(try bench.tasks(.awaiting) == ["t4", "t5", "t6"])
    }

    @Test func `where the answer is the proof a 2xx delivers at once`() async throws {
        let bench = try await Workbench(
            rules: RetryRules(
                policies: PolicyBook(entries: [.init(events: ["*"], policy: .quick)]), confirmation: .answer))
        try await bench.ingest([LogLine("t1")])
        let transport = ScriptedTransport { _ async throws(TransportError) in .accepted }

        _ = try await bench.dispatcher(transport).runOnce(at: .noon)

        let row = try #require(try bench.rows("SELECT * FROM delivery").first)
        #expect(row["state"] == "delivered")
        #expect(row["delivered_evidence"] == "answer")
        #expect(row["delivered_by"] == "worker")
    }
}
