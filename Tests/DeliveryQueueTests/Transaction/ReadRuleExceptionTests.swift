import GRDB
import Testing

@testable import DeliveryQueue
@testable import QueueFixtures

/// Which deliveries may be called first, or in spite of a log that is not read.
@Suite struct ReadRuleExceptionTests {
    private let queue: QueueFixture
    private let due = QueueFixture.due

    init() async throws {
        queue = try await QueueFixture()
    }

    // MARK: - What is not known yet

    @Test func `while nobody knows how the log shows a retry, the delivery nearest to its beginning is called first`()
        async throws
    {
        for minute in 0..<5 {
            try await queue.ingest(.failure("t\(minute)", at: start + .minutes(minute)), at: start + .minutes(5))
        }

        #expect(try await queue.claim(of: [QueueFixture.endpoint: .whole], limit: 1).deliveries.map(\.taskID) == ["t4"])
        try await queue.run("UPDATE endpoint SET last_accepted_ms = 1")
        #expect(try await queue.claim(of: [QueueFixture.endpoint: .whole], limit: 1).deliveries.map(\.taskID) == ["t0"])
    }

    @Test func `a row that cannot be read keeps nothing back that an operator has freed`() async throws {
        try await queue.ingest(.failure("a", at: start), at: start)
        try await queue.run("UPDATE endpoint SET retry_shows = 'in_place'")
        let late = LogReading(rowsSince: start + .minutes(1), rowsSinceOpening: start + .minutes(1))
        #expect(try await queue.tasks(of: [QueueFixture.endpoint: late]).isEmpty)

        try await queue.gap(from: start - .minutes(1), to: start + .minutes(1), freed: due)

        #expect(try await queue.tasks(of: [QueueFixture.endpoint: late]) == ["a"])
    }

    @Test func `the views count with the same difference of clocks as the program`() async throws {
        #expect(
            try await queue.number("SELECT clock_tolerance_ms FROM rule")
                == RetryRules.clockTolerance.wholeMilliseconds)
    }

    @Test func `a provider's own failure does not end a delivery by an age that a gap has caused`() async throws {
        let policy = RetryPolicy(
            spacing: .listed([.seconds(60), .seconds(60), .seconds(60)]), jitter: 0, maxAge: .seconds(2 * 86_400))
        let rules = RetryRules(policies: PolicyBook(entries: [.init(events: ["*"], policy: policy)]))
        try await queue.ingest(.failure("a", at: start), at: start)
        try await queue.gap(from: start - .minutes(1), to: start + .minutes(1))
        try await queue.run("UPDATE scan_gap SET since_ms = ?", [start.milliseconds])
        let later = start + .days(3)

        _ = try await queue.store.ingest(
            ObservedPage(
                endpointID: QueueFixture.endpoint, observations: [.failure("a", at: later)], unreadable: [],
                progress: ScanProgress(started: later)), rules: rules, at: later)

        #expect(try await queue.delivery("a").state == .scheduled)
    }

    // MARK: - An operator's retry of an unread log

    @Test func `an operator's retry is sent without a reading only when that was said`() async throws {
        try await queue.ingest(.failure("a", at: due), at: due)
        let id = try await queue.delivery("a").id
        try await queue.gap(from: start, to: due)
        func ask(_ ignoresLog: Bool) async throws {
            _ = try await queue.store.act(
                .retry, on: id, ignoresLog: ignoresLog, by: "ann", reason: "x", at: due)
        }

        try await ask(false)
        #expect(try await queue.claim(of: [:]).deliveries.isEmpty)
        #expect(try await queue.claim(of: [QueueFixture.endpoint: .whole]).deliveries.isEmpty)

        try await ask(true)
        let batch = try await queue.claim(of: [:])
        #expect(batch.deliveries.map(\.ignoresLog) == [true])
        await #expect(throws: StoreError.self) { try await ask(true) }
    }

    @Test func `an operator's retry that waits for a log is found, with the cause`() async throws {
        try await queue.ingest(.failure("a", at: due), at: due)
        let id = try await queue.delivery("a").id
        _ = try await queue.store.act(.retry, on: id, by: "ann", reason: "x", at: due)
        let reader = try QueueReader(path: queue.path)
        #expect(try reader.retriesWaitingForLogs().isEmpty)

        try await queue.store.recordPoll(of: QueueFixture.endpoint, error: "HTTP 500", at: due)

        #expect(try reader.retriesWaitingForLogs().map(\.count) == [1])
        #expect(try reader.retriesWaitingForLogs().first?.pollError == "HTTP 500")
    }
}
