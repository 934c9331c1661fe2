import Foundation
import GRDB
import Testing

@testable import DeliveryQueue
@testable import QueueFixtures

/// Reading the same entries again, and what cannot be read at all.
@Suite struct IngestAgainTests {
    private let queue: QueueFixture

    init() async throws {
        queue = try await QueueFixture()
    }

    private static let page: [LogObservation] = [
        .failure("a", at: start, error: "boom"), .failure("b", at: nil), .success("c", at: start),
        .pending("d", at: start), .failure("e", at: start + .hours(9)), .success("a", at: start + .seconds(3)),
        .failure("old", at: start - .days(30)), .success("f", at: nil, customer: nil),
        .failure("g", at: start, changed: start + .seconds(5), customer: nil),
    ]
    private static let unreadable = [
        UnreadableObservation(reason: "no_outcome", detail: "x", raw: Array("{}".utf8), logged: nil),
        UnreadableObservation(reason: "no_task_id", detail: "y", raw: Array("[1]".utf8), logged: start),
    ]

    private func ingestPage(at now: Timestamp) async throws -> IngestSummary {
        let page = ObservedPage(
            endpointID: QueueFixture.endpoint, observations: Self.page, unreadable: Self.unreadable,
            progress: ScanProgress(started: start, newest: start))
        return try await queue.store.ingest(page, rules: queue.rules, at: now)
    }

    @Test(arguments: [Duration.zero, .seconds(15), .hours(5), .hours(7), .days(40)])
    func `the same page again changes nothing`(later: Duration) async throws {
        _ = try await ingestPage(at: start)
        let before = try await queue.dump()

        let again = try await ingestPage(at: start + later)

        #expect(again.changedSomething == false)
        #expect(again.duplicates == Self.page.count + Self.unreadable.count)
        #expect(try await queue.dump() == before)
    }

    @Test func `the same page again changes nothing while calls are open and after they are settled`() async throws {
        _ = try await ingestPage(at: start)
        let now = start + .minutes(2)
        for claimed in try await queue.claim(at: now) {
            var before = try await queue.dump()
            _ = try await ingestPage(at: now)
            #expect(try await queue.dump() == before)

            try await queue.record(claimed, .accepted, at: now + .seconds(1))
            before = try await queue.dump()
            _ = try await ingestPage(at: now + .seconds(2))
            #expect(try await queue.dump() == before)
        }
    }

    @Test func `an entry repeated on one page counts once`() async throws {
        let summary = try await queue.ingest(
            .failure("a", at: start), .failure("a", at: start), .success("b", at: start), .success("b", at: start),
            at: start)

        #expect(summary.new == 1)
        #expect(summary.duplicates == 2)
    }

    @Test func `an entry is refreshed when it is read again after six hours`() async throws {
        try await queue.ingest(.success("a", at: start), at: start)
        try await queue.ingest(.success("a", at: start), at: start + .hours(5))
        #expect(try await queue.number("SELECT seen_ms FROM log_entry") == start.milliseconds)

        try await queue.ingest(.success("a", at: start), at: start + .hours(7))
        #expect(try await queue.number("SELECT seen_ms FROM log_entry") == (start + .hours(7)).milliseconds)
        #expect(try await queue.number("SELECT found_ms FROM log_entry") == start.milliseconds)
    }

    @Test func `a failure read again after its delivered row was pruned does not come back`() async throws {
        try await queue.ingest(
            .failure("a", at: start), .success("a", at: start + .seconds(5)), at: start + .seconds(10))
        let later = start + .days(91)
        #expect(try await queue.store.prune(at: later).deliveries == 1)

        try await queue.ingest(.failure("a", at: start), at: later)
        #expect(try await queue.isKnown("a") == false)
    }

    // MARK: - Unreadable entries

    @Test func `an unreadable entry is kept once and whole`() async throws {
        let raw = Array(#"{"task_id": null, "odd": "\u0000"}"#.utf8) + [0xff, 0x00]
        let entry = UnreadableObservation(reason: "no_task_id", detail: "task_id is null", raw: raw, logged: start)

        let first = try await queue.ingest(unreadable: [entry, entry], at: start)
        let second = try await queue.ingest(unreadable: [entry], at: start + .hours(1))

        #expect(first.unreadable == 1 && first.duplicates == 1)
        #expect(second.unreadable == 0 && second.duplicates == 1)
        let hex = raw.map { ($0 < 16 ? "0" : "") + String($0, radix: 16, uppercase: true) }.joined()
        #expect(
            try await queue.texts(
                "SELECT hex(raw) || ' ' || raw_length || ' ' || reason || ' ' || detail || ' ' || logged_ms FROM unreadable_entry"
            ) == ["\(hex) \(raw.count) no_task_id task_id is null \(start.milliseconds)"])
    }

    @Test func `an entry that is understood later is taken up even when our clock is a year ahead by then`()
        async throws
    {
        let failed = LogObservation.failure("a", at: start)
        let entry = UnreadableObservation(reason: "x", detail: "y", raw: [1], logged: start)
        try await queue.ingest(unreadable: [entry], at: start)
        let kept = try #require(try await queue.store.unreadableEntries(after: 0, limit: 1).first)

        try await queue.store.ingest(failed, insteadOf: kept, rules: queue.rules, at: start + .days(365))

        #expect(try await queue.delivery("a").state == .scheduled)
        #expect(try await queue.number("SELECT COUNT(*) FROM unreadable_entry") == 0)
    }

    @Test func `an unreadable entry beside readable ones stops none of them`() async throws {
        let entry = UnreadableObservation(reason: "x", detail: "y", raw: [1], logged: nil)

        let summary = try await queue.ingest(.failure("a", at: start), unreadable: [entry], at: start)

        #expect(summary.new == 1 && summary.unreadable == 1)
    }

    // MARK: - Counters

    @Test func `the counters of log entries equal the tables`() async throws {
        _ = try await ingestPage(at: start)
        _ = try await ingestPage(at: start)

        let pairs = [("failure", "failed"), ("success", "succeeded"), ("in_progress", "in_progress")]
        for (label, outcome) in pairs {
            let rows = try await queue.number("SELECT COUNT(*) FROM log_entry WHERE outcome = ?", [outcome])
            #expect(try await queue.counter(Counter.logEntries, label) == rows)
        }
        #expect(try await queue.counter(Counter.logEntries, "unreadable") == 2)
        #expect(try await queue.counter(Counter.logEntries, "duplicate") == Int64(Self.page.count + 2))
    }

    @Test func `event types beyond the 32nd become other`() async throws {
        for index in 1...40 {
            try await queue.ingest(
                .failure("t\(index)", at: start, type: "type_\(index)"),
                .success("t\(index)", at: start + .seconds(1)), at: start + .seconds(2))
        }

        let snapshot = try await queue.store.snapshot(at: start)
        #expect(snapshot.eventTypes == (1...32).map { "type_\($0)" })
        #expect(snapshot.count(Counter.finalized, "type_32", "delivered") == 1)
        #expect(snapshot.count(Counter.finalized, "type_33", "delivered") == 0)
        #expect(snapshot.count(Counter.finalized, "other", "delivered") == 8)
    }

    @Test func `registered event types have their label before all others`() async throws {
        try await queue.store.registerEventTypes(["b", "a", "b"], at: start)
        try await queue.ingest(.failure("t", at: start, type: "c"), at: start)

        #expect(try await queue.store.snapshot(at: start).eventTypes == ["b", "a", "c"])
    }

    @Test func `an event type that is called other has no label of its own`() async throws {
        try await queue.store.registerEventTypes(["other"], at: start)
        try await queue.ingest(
            .failure("t", at: start, type: "other"), .success("t", at: start + .seconds(1)), at: start + .seconds(2))

        let snapshot = try await queue.store.snapshot(at: start)
        #expect(snapshot.eventTypes == [])
        #expect(snapshot.count(Counter.finalized, "other", "delivered") == 1)
    }
}
