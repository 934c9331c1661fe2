import Foundation
import Testing

@testable import DeliveryQueue
@testable import RedeliverCLI

/// What `redeliver status` says, word for word.
@Suite struct StatusTextTests {
    private let now = DeliverySample.now
    /// Not there, so its size is 0.
    private let database = "/no/such/redeliver.db"

    private func text(
        _ snapshot: QueueSnapshot, on terminal: Terminal = .plain, database path: String? = nil
    ) -> String {
        StatusReport(snapshot, database: path ?? database, at: now).text(on: terminal)
    }

    private var busy: QueueSnapshot {
        QueueSnapshot(
            eventTypes: ["profile_update", "document_upload"],
            counts: [
                .init(name: Counter.retryRequests, label1: "accepted", label2: "", value: 50),
                .init(name: Counter.retryRequests, label1: "throttled", label2: "", value: 5),
                .init(name: Counter.unconfirmed, label1: "", label2: "", value: 1),
                .init(name: Counter.finalized, label1: "profile_update", label2: "delivered", value: 40),
            ],
            open: [
                .init(
                    eventType: "document_upload", scheduled: 8, attempting: 2, awaiting: 0,
                    oldestFailure: now - .seconds(10_800)),
                .init(
                    eventType: "other", scheduled: 0, attempting: 0, awaiting: 1, oldestFailure: now - .seconds(30)),
            ],
            dead: [
                .init(eventType: "profile_update", reason: .poison, count: 1),
                .init(eventType: "profile_update", reason: .age, count: 2),
            ],
            endpoints: [
                .init(
                    id: "e-1", name: "core", isActive: true, watermark: now - .seconds(3), lastPoll: now - .seconds(2),
                    lastPollError: nil, gap: .zero, holdReason: nil, heldBecause: nil, heldSince: nil, circuit: .closed,
                    open: 7, scheduled: 7),
                .init(
                    id: "e-2", name: "mobile", isActive: true, watermark: now - .seconds(900),
                    lastPoll: now - .seconds(20), lastPollError: "HTTP 502\u{07}", gap: .seconds(5),
                    holdReason: .logSilent, heldBecause: .logSilent, heldSince: now - .seconds(120), circuit: .closed,
                    open: 3, scheduled: 3),
                .init(
                    id: "e-3", name: "retired", isActive: false, watermark: nil, lastPoll: nil, lastPollError: nil,
                    gap: .zero, holdReason: nil, heldBecause: .notConfigured, heldSince: nil, circuit: .closed,
                    open: 1, scheduled: 1),
            ],
            lastBackup: nil, oldestDue: now - .seconds(10), nextAttempt: now - .seconds(10), unreadable: 6)
    }

    private var empty: QueueSnapshot {
        QueueSnapshot(
            eventTypes: [], counts: [], open: [], dead: [], endpoints: [], lastBackup: nil, oldestDue: nil,
            nextAttempt: nil,
            unreadable: 0)
    }

    @Test func `the database's path cannot steer the terminal`() {
        #expect(text(empty, database: "/no\u{1B}[2J/x.db").contains("database 0 bytes at /no\u{FFFD}[2J/x.db\n"))
    }

    @Test func `it tells totals, then event types, then endpoints`() {
        #expect(
            text(busy) == """
                40 delivered, 8 scheduled, 2 attempting, 1 awaiting, 4 held, 3 dead
                55 retry calls, 1 of them unconfirmed; 6 unreadable log entries
                next attempt 10 s ago; database 0 bytes at /no/such/redeliver.db

                EVENT TYPE       SCHEDULED  ATTEMPTING  AWAITING  DELIVERED  DEAD                 OLDEST OPEN
                profile_update   0          0           0         40         3 (age 2, poison 1)  -
                document_upload  8          2           0         0          0                    3 h ago
                other            0          0           1         0          0                    30 s ago

                ENDPOINT  OPEN  LAST POLL  READ UP TO  HELD            LAST POLL ERROR
                core      7     2 s ago    3 s ago     -               -
                mobile    3     20 s ago   15 min ago  log_silent      HTTP 502\u{FFFD}
                retired   1     never      -           not configured  -
                """)
    }

    @Test func `an empty database has nothing to show`() {
        #expect(
            text(empty) == """
                0 delivered, 0 scheduled, 0 attempting, 0 awaiting, 0 held, 0 dead
                0 retry calls, 0 of them unconfirmed; 0 unreadable log entries
                next attempt none; database 0 bytes at /no/such/redeliver.db

                no deliveries yet

                ENDPOINT  OPEN  LAST POLL  READ UP TO  HELD  LAST POLL ERROR
                """)
    }

    @Test func `an open circuit says when it tries next, in text and JSON`() throws {
        func report(nextTrial: Duration) -> StatusReport {
            StatusReport(
                QueueSnapshot(
                    eventTypes: [], counts: [], open: [], dead: [],
                    endpoints: [
                        .init(
                            id: "e-1", name: "core", isActive: true, watermark: nil, lastPoll: now, lastPollError: nil,
                            gap: .zero, holdReason: nil, heldBecause: .circuit, heldSince: now - .seconds(60),
                            circuit: .open(since: now - .seconds(60), nextTrial: now + nextTrial), open: 4, scheduled: 4
                        )
                    ], lastBackup: nil, oldestDue: nil, nextAttempt: nil, unreadable: 0),
                database: database, at: now)
        }
        #expect(report(nextTrial: .seconds(12)).text(on: .plain).contains("circuit, next trial in 12 s"))
        #expect(report(nextTrial: .zero).text(on: .plain).contains("circuit, trial due"))
        let json = try JSONOutput.text(report(nextTrial: .seconds(12)))
        #expect(json.contains("\"circuit\" : \"open\"") && json.contains("\"next_trial\" : 1767225612"))
        #expect(json.contains("\"held_because\" : \"circuit\"") && json.contains("\"held\" : 4"))
        let closed = try JSONOutput.text(StatusReport(busy, database: database, at: now))
        #expect(closed.contains("\"circuit\" : \"closed\"") && !closed.contains("next_trial"))
    }

    @Test(arguments: [100, 72]) func `tables fit a narrow terminal`(width: Int) {
        let lines = text(busy, on: Terminal(width: width, hasColours: false)).split(separator: "\n")
        #expect(lines.dropFirst(3).allSatisfy { $0.count <= width })
        #expect(lines.contains { $0.hasPrefix("mobile") } && lines.contains { $0.hasPrefix("other") })
    }

    @Test func `what is wrong is coloured`() {
        let text = text(busy, on: Terminal(width: nil, hasColours: true))
        #expect(
            text.contains("\u{1B}[31m3 (age 2, poison 1)\u{1B}[0m") && text.contains("\u{1B}[33mlog_silent\u{1B}[0m"))
    }

    @Test func `JSON has Unix seconds, and counts dead ones by reason`() throws {
        struct Status: Decodable { let eventTypes: [EventType] }
        struct EventType: Decodable { let deadByReason: [String: Int] }
        let json = try JSONOutput.text(StatusReport(busy, database: database, at: now))
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        let status = try decoder.decode(Status.self, from: Data(json.utf8))
        #expect(status.eventTypes.map(\.deadByReason) == [["age": 2, "poison": 1], [:], [:]])
        #expect(json.contains("\"oldest_failure\" : 1767214800") && json.contains("\"next_attempt\" : 1767225590"))
        #expect(json.contains("\"held_because\" : \"log_silent\"") && json.contains("\"held_since\" : 1767225480"))
        #expect(json.contains("\"unread_seconds\" : 5\n"))
    }
}
