import Foundation
import Testing

@testable import DeliveryQueue
@testable import RedeliverCLI

@Suite struct TopFrameTests {
    private let now = Timestamp(milliseconds: 1_767_225_600_000)
    private let database = "/no/such/redeliver.db"

    // MARK: - Golden

    @Test func `a frame shows endpoints, event types, what is due, calls and the last failures`() {
        #expect(
            lines(of: view(), columns: 120, rows: 40).joined(separator: "\n") == """
                redeliver top  2026-01-01T00:00:00Z  q quits  /no/such/redeliver.db
                9 scheduled, 2 in flight, 1 awaiting, 5 held, 40 delivered, 3 dead
                due: 2 now, 3 in 1 min, 4 in 5 min, 5 in 15 min, 6 in 60 min; next attempt 10 s ago
                calls: 55 in all, 1 unconfirmed

                ENDPOINT  STATE                         OPEN  DUE  LAST POLL  LAST POLL ERROR
                mobile    held: log_silent since 2 min  5     1    20 s ago   HTTP 502
                core      active                        7     2    3 s ago    -
                retired   not configured                0     0    never      -

                EVENT TYPE       SCHEDULED  IN FLIGHT  AWAITING  DELIVERED  DEAD  OLDEST OPEN
                document_upload  8          2          1         0          0     3 h ago
                profile_update   1          0          0         40         3     5 min ago

                LAST FAILURES  DELIVERY  ENDPOINT  EVENT TYPE      STATE      ERROR
                4 s ago        12        core      profile_update  scheduled  connection refused
                2 min ago      11        mobile    profile_update  dead       -
                """)
    }

    @Test func `calls per second come with the second reading`() {
        var view = view()
        view.show(report(calls: 58, at: now + .seconds(1)), activity, at: now + .seconds(1))
        view.show(report(calls: 60, at: now + .seconds(3)), activity, at: now + .seconds(3))

        #expect(
            lines(of: view)[3] == "calls: 1.0/s now, 1.7/s in the last 3 s (5 calls), 60 in all, 1 unconfirmed")
    }

    @Test func `an error stands above what was read last, with its age, and goes when it is over`() {
        var view = view()
        view.fail("read database /no: SQLite error 14\u{1B}[2J", at: now + .seconds(12))
        let broken = lines(of: view)

        #expect(broken[1] == "the figures below are 12 s old: read database /no: SQLite error 14\u{FFFD}[2J")
        #expect(broken[0].contains("00:00:12Z") && broken[2].hasPrefix("9 scheduled"))
        view.show(report(calls: 60, at: now + .seconds(13)), activity, at: now + .seconds(13))
        #expect(lines(of: view)[1].hasPrefix("9 scheduled"))
    }

    @Test func `an error that is longer than a line is wrapped, up to four lines`() {
        var view = view()
        view.fail(String(repeating: "cause ", count: 10), at: now)
        #expect(
            lines(of: view, columns: 50)[1...2] == [
                "the figures below are 0 s old: cause cause cause c", "ause cause cause cause cause cause cause ",
            ])
        view.fail(String(repeating: "cause ", count: 1_000), at: now)
        #expect(lines(of: view, columns: 50).firstIndex { $0.hasPrefix("9 scheduled") } == 5)
    }

    @Test func `a database without anything has its four lines only`() {
        let snapshot = QueueSnapshot(
            eventTypes: [], counts: [], open: [], dead: [], endpoints: [], lastBackup: nil, oldestDue: nil,
            nextAttempt: nil,
            unreadable: 0)
        let empty = TopView(
            database: database, report: StatusReport(snapshot, database: database, at: now),
            activity: QueueActivity(due: [:], failures: []), at: now)

        #expect(
            lines(of: empty).dropFirst() == [
                "0 scheduled, 0 in flight, 0 awaiting, 0 held, 0 delivered, 0 dead",
                "due: 0 now, 0 in 1 min, 0 in 5 min, 0 in 15 min, 0 in 60 min; next attempt none",
                "calls: 0 in all, 0 unconfirmed",
            ])
    }

    // MARK: - The window

    @Test(arguments: [0, 1, 2, 3, 5, 8, 9, 11, 14, 16, 24, 100], [1, 2, 10, 40, 79, 200])
    func `a frame fits every window`(rows: Int, columns: Int) {
        for hasColours in [true, false] {
            let lines = lines(of: view(), columns: columns, rows: rows, hasColours: hasColours)
            #expect(lines.count <= rows)
            #expect(lines.allSatisfy { $0.replacing(/\u{1B}\[[0-9]*m/, with: "").count <= columns })
        }
    }

    @Test func `a small window shows those in trouble, and how many more there are`() {
        let lines = lines(of: view(), rows: 8)

        #expect(lines.count == 8)
        #expect(lines[6].hasPrefix("mobile") && lines[7] == "… 2 more")
    }

    @Test(arguments: [
        (100, [5, 12, 3], [5, 12, 3]), (11, [5, 12, 3], [4, 4, 3]), (14, [5, 12, 3], [5, 6, 3]),
        (7, [5, 12, 3], [4, 0, 3]), (3, [5, 12, 3], [0, 0, 3]), (0, [5], [0]), (-3, [5], [0]), (9, [0, 9], [0, 9]),
    ]) func `lines are shared out, the least that makes sense first`(free: Int, needs: [Int], shares: [Int]) {
        let found = TopFrame.shares(of: free, needs: needs)

        #expect(found.reduce(0, +) <= max(free, 0))
        #expect(zip(found, needs).allSatisfy { $0 <= $1 })
        #expect(found == shares)
    }

    @Test func `colours do not count as width, and end where a line is cut`() {
        let red = "ab\u{1B}[31mcdef\u{1B}[0mgh"

        #expect(TopFrame.clipped(red, to: 8) == red)
        #expect(TopFrame.clipped(red, to: 4) == "ab\u{1B}[31mcd\u{1B}[0m")
        #expect(TopFrame.clipped("plain", to: 3) == "pla")
        #expect(TopFrame.clipped("", to: 3) == "" && TopFrame.clipped("x", to: 0) == "")
    }

    @Test func `there are no colours unless they are wanted`() {
        #expect(!lines(of: view(), hasColours: false).joined().contains("\u{1B}"))
        #expect(
            lines(of: view(), hasColours: true).joined().contains("\u{1B}[33mheld: log_silent since 2 min\u{1B}[0m"))
    }

    // MARK: - Values

    private func lines(
        of view: TopView, columns: Int = 120, rows: Int = 40, hasColours: Bool = false
    ) -> [String] {
        TopFrame(view: view, size: .init(columns: columns, rows: rows), hasColours: hasColours).lines
    }

    private func view() -> TopView {
        TopView(database: database, report: report(calls: 55, at: now), activity: activity, at: now)
    }

    private var activity: QueueActivity {
        QueueActivity(
            due: ["e-1": .init(counts: [2, 3, 4, 5, 6]), "e-2": .init(counts: [1, 1, 1, 1, 1])],
            failures: [
                .init(
                    deliveryID: 12, endpoint: "core", eventType: "profile_update", state: .scheduled,
                    failed: now - .seconds(4), error: "connection refused"),
                .init(
                    deliveryID: 11, endpoint: "mobile", eventType: "profile_update", state: .dead,
                    failed: now - .seconds(120), error: nil),
            ])
    }

    private func report(calls: Int64, at time: Timestamp) -> StatusReport {
        let snapshot = QueueSnapshot(
            eventTypes: ["profile_update", "document_upload"],
            counts: [
                .init(name: Counter.retryRequests, label1: "accepted", label2: "", value: calls - 5),
                .init(name: Counter.retryRequests, label1: "throttled", label2: "", value: 5),
                .init(name: Counter.unconfirmed, label1: "", label2: "", value: 1),
                .init(name: Counter.finalized, label1: "profile_update", label2: "delivered", value: 40),
            ],
            open: [
                .init(
                    eventType: "document_upload", scheduled: 8, attempting: 2, awaiting: 1,
                    oldestFailure: now - .seconds(10_800)),
                .init(
                    eventType: "profile_update", scheduled: 1, attempting: 0, awaiting: 0,
                    oldestFailure: now - .seconds(300)),
            ],
            dead: [.init(eventType: "profile_update", reason: .attempts, count: 3)],
            endpoints: [
                endpoint("e-1", "core", open: 7, poll: now - .seconds(3)),
                endpoint(
                    "e-2", "mobile", open: 5, poll: now - .seconds(20), error: "HTTP 502", held: .logSilent,
                    since: now - .seconds(120)),
                endpoint("e-3", "retired", isActive: false),
            ],
            lastBackup: nil, oldestDue: now - .seconds(10), nextAttempt: now - .seconds(10), unreadable: 0)
        return StatusReport(snapshot, database: database, at: time)
    }

    private func endpoint(
        _ id: String, _ name: String, isActive: Bool = true, open: Int = 0, poll: Timestamp? = nil,
        error: String? = nil, held: HoldReason? = nil, since: Timestamp? = nil
    ) -> QueueSnapshot.Endpoint {
        QueueSnapshot.Endpoint(
            id: id, name: name, isActive: isActive, watermark: nil, lastPoll: poll, lastPollError: error, gap: .zero,
            holdReason: held, heldBecause: held.flatMap { HeldBecause(rawValue: $0.rawValue) }, heldSince: since,
            circuit: .closed,
            open: open, scheduled: open)
    }
}
