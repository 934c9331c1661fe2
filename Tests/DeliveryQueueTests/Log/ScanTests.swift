import Testing

@testable import DeliveryQueue
@testable import QueueFixtures

/// How far a log was read, and which range is read next.
@Suite struct ScanTests {
    private let overlap = Duration.minutes(15)
    private let history = start - .hours(72)
    private let queue: QueueFixture

    init() async throws {
        queue = try await QueueFixture()
    }

    private func plan(at now: Timestamp) async throws -> ScanPlan {
        try await queue.store.scanPlan(
            of: QueueFixture.endpoint, overlap: overlap, rereading: .none, rules: queue.rules, at: now)
    }

    @Test func `the first scan reads from the beginning of history`() async throws {
        let plan = try await plan(at: start)

        #expect(plan.range == ScanRange(from: history, to: start))
        #expect(plan.gaps == [])
    }

    @Test func `the next scan begins the overlap before the newest time read`() async throws {
        try await queue.ingest(progress: ScanProgress(started: start, newest: start - .minutes(3)), at: start)

        #expect(try await plan(at: start + .minutes(1)).range.from == start - .minutes(18))
    }

    @Test func `the head never moves back, nor over a time in our future`() async throws {
        try await queue.ingest(progress: ScanProgress(started: start, newest: start + .days(9)), at: start)
        #expect(try await plan(at: start).range.from == start - overlap)

        try await queue.ingest(progress: ScanProgress(started: start, newest: start - .hours(9)), at: start)
        #expect(try await plan(at: start).range.from == start - overlap)
    }

    @Test func `a scan without entries moves nothing`() async throws {
        try await queue.ingest(at: start)

        #expect(try await plan(at: start).range.from == history)
    }

    @Test func `what a scan has not read stays as a gap until it is read`() async throws {
        let unread = ScanRange(from: history, to: start - .hours(1))
        let first = ScanProgress(
            started: start, newest: start, unread: unread, resumeURL: "/2", newestFirst: true)
        let id = try #require(try await queue.ingest(progress: first, at: start).gapID)

        var gap = try #require(try await plan(at: start).gaps.first)
        let unknown = Timestamp(milliseconds: 0)
        #expect(
            gap
                == ScanGap(
                    id: id, range: unread, resumeURL: "/2", newestFirst: true, started: start, retry: unknown))
        #expect(try await queue.store.snapshot(at: start).endpoints[0].watermark == history)
        #expect(try await queue.store.snapshot(at: start).endpoints[0].gap == .hours(71))

        let less = ScanRange(from: history, to: start - .hours(50))
        let second = ScanProgress(gapID: id, started: start, unread: less, resumeURL: "/3", newestFirst: true)
        #expect(try await queue.ingest(progress: second, at: start + .minutes(1)).gapID == id)
        gap = try #require(try await plan(at: start).gaps.first)
        #expect(gap.range == less && gap.resumeURL == "/3")

        let last = ScanProgress(gapID: id, started: start)
        #expect(try await queue.ingest(progress: last, at: start + .minutes(2)).gapID == nil)
        #expect(try await plan(at: start).gaps == [])
        #expect(try await queue.store.snapshot(at: start).endpoints[0].watermark == start)
        #expect(try await queue.store.snapshot(at: start).endpoints[0].gap == .zero)
    }

    @Test func `a gap whose next page is gone begins at the first page again`() async throws {
        let progress = ScanProgress(
            started: start, unread: ScanRange(from: history, to: start), resumeURL: "/2", newestFirst: true)
        let id = try #require(try await queue.ingest(progress: progress, at: start).gapID)

        try await queue.store.restartGap(id: id, at: start)

        let gap = try #require(try await plan(at: start).gaps.first)
        #expect(gap.resumeURL == nil && gap.range == ScanRange(from: history, to: start))
    }

    @Test func `a page and its progress are stored together or not at all`() async throws {
        try await queue.run("CREATE TRIGGER fail BEFORE INSERT ON scan_gap BEGIN SELECT RAISE(ABORT, 'full'); END")
        let before = try await queue.dump()

        await #expect(throws: StoreError.self) {
            try await queue.ingest(
                .failure("a", at: start),
                progress: ScanProgress(started: start, newest: start, unread: ScanRange(from: history, to: start)),
                at: start)
        }
        #expect(try await queue.dump() == before)
    }

    // MARK: - Rows that change in place

    @Test func `while an outcome is open the row that may show it is read again`() async throws {
        try await queue.ingest(
            .failure("a", at: start - .hours(20)), progress: ScanProgress(started: start, newest: start), at: start)
        #expect(try await plan(at: start).range.from == start - overlap)
        let row = start - .hours(20) - RetryRules.clockTolerance

        let claimed = try await queue.claimOne(at: start)
        #expect(try await plan(at: start).rereadFrom == row)
        try await queue.record(claimed, .accepted, at: start)
        #expect(try await plan(at: start).rereadFrom == row)
        #expect(try await plan(at: start).range.from == start - overlap)

        try await queue.ingest(.success("a", at: start - .hours(20)), at: start + .seconds(30))
        #expect(try await plan(at: start + .minutes(1)).rereadFrom == nil)
    }

    @Test func `the row is found by the time of its creation, not of the change that failed`() async throws {
        let created = start - .hours(20)
        try await queue.ingest(
            .failure("a", at: created, changed: start - .minutes(5)),
            progress: ScanProgress(started: start, newest: start), at: start)
        _ = try await queue.claimOne(at: start)

        #expect(try await plan(at: start).rereadFrom == created - RetryRules.clockTolerance)
    }

    @Test func `a log that shows retries as new entries is not read again`() async throws {
        try await queue.accepted("a", failed: start - .hours(20), called: start - .hours(19))
        try await queue.ingest(
            .failure("a", at: start - .hours(19) + .seconds(5)), progress: ScanProgress(started: start, newest: start),
            at: start)
        _ = try await queue.claimOne(at: start)

        #expect(try await plan(at: start).rereadFrom == nil)
    }

    @Test func `what the scan must read again to judge a call's silence reaches back to the call`() async throws {
        try await queue.accepted("a", failed: start - .hours(20), called: start)
        try await queue.run("UPDATE endpoint SET retry_shows = 'new_entry'")

        #expect(try await plan(at: start + .minutes(9)).rereadFrom == nil)
        #expect(try await plan(at: start + .minutes(11)).rereadFrom == start - RetryRules.clockTolerance)
    }

    @Test func `an in-place failure that is read before the answer does not teach that retries are new entries`()
        async throws
    {
        try await queue.ingest(.failure("a", at: start), at: start)
        let claimed = try await queue.claimOne(at: start + .minutes(1))
        try await queue.ingest(.failure("a", at: start, changed: start + .seconds(62)), at: start + .seconds(63))
        try await queue.record(claimed, .accepted, at: start + .seconds(64))

        #expect(try await queue.delivery("a").attemptsUsed == 1)
        #expect(try await queue.text("SELECT retry_shows FROM endpoint WHERE id = 'ep-1'") != "new_entry")
    }

    /// A retry within the tolerance of the clocks: the row's time alone does not tell the two ways apart.
    @Test func `an in-place success of a quick retry does not teach that retries are new entries`() async throws {
        try await retrySoon("a")
        try await queue.ingest(.success("a", at: start, changed: start + .seconds(3)), at: start + .seconds(4))
        #expect(try await queue.text("SELECT retry_shows FROM endpoint WHERE id = 'ep-1'") == "unknown")

        try await retrySoon("b")
        try await queue.ingest(.success("b", at: start + .seconds(3)), at: start + .seconds(4))
        #expect(try await queue.text("SELECT retry_shows FROM endpoint WHERE id = 'ep-1'") == "new_entry")
    }

    /// Two seconds after its failure.
    private func retrySoon(_ taskID: String) async throws {
        try await queue.ingest(.failure(taskID, at: start), at: start)
        try await queue.run("UPDATE delivery SET next_attempt_ms = 0 WHERE task_id = '\(taskID)'")
        let claimed = try await queue.claimOne(at: start + .seconds(2))
        try await queue.record(claimed, .accepted, at: start + .seconds(2))
    }

    // MARK: - Polls

    @Test func `how a poll ended is kept until the next one`() async throws {
        try await queue.store.recordPoll(of: QueueFixture.endpoint, error: nil, at: start)
        try await queue.store.recordPoll(of: QueueFixture.endpoint, error: "404", at: start + .minutes(1))
        var endpoint = try await queue.store.snapshot(at: start).endpoints[0]
        #expect(endpoint.lastPoll == start && endpoint.lastPollError == "404")

        try await queue.store.recordPoll(of: QueueFixture.endpoint, error: nil, at: start + .minutes(2))
        endpoint = try await queue.store.snapshot(at: start).endpoints[0]
        #expect(endpoint.lastPoll == start + .minutes(2) && endpoint.lastPollError == nil)
    }

    @Test func `the scan of an unknown endpoint is refused`() async throws {
        await #expect(throws: StoreError.self) {
            try await queue.store.scanPlan(
                of: "unknown", overlap: overlap, rereading: .none, rules: queue.rules, at: start)
        }
    }
}
