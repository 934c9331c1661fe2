import Testing

@testable import DeliveryQueue
@testable import QueueFixtures

/// Two configured endpoints whose logs show the same rows, `ep-1` and `ep-2`.
@Suite struct SharedRowsTests {
    private let queue: QueueFixture
    private static let (first, second) = (QueueFixture.endpoint, QueueFixture.other)

    init() async throws {
        queue = try await QueueFixture()
    }

    private func naming(_ webhook: String, _ entry: LogObservation) -> LogObservation {
        var entry = entry
        (entry.webhookID, entry.webhookIDJSON) = (webhook, "\"\(webhook)\"")
        return entry
    }

    private func count(_ sql: String = "SELECT COUNT(*) FROM delivery") async throws -> Int64 {
        try await queue.number(sql)
    }

    // MARK: - Names

    @Test func `an entry that names another configured endpoint is stored for that one, whoever reads it`() async throws
    {
        let failure = naming(Self.second, .failure("a", at: start))
        try await queue.ingest(failure, at: start)
        try await queue.ingest(failure, endpoint: Self.second, at: start + .seconds(5))

        #expect(try await count() == 1)
        #expect(try await queue.isKnown("a", endpoint: Self.second))
    }

    @Test func `a configured webhook id names its endpoint`() async throws {
        try await queue.store.registerEndpoints(
            [(id: Self.first, name: "first"), (id: Self.second, name: "second")], webhookIDs: [Self.second: "77"],
            historyFrom: start - .hours(72), at: start)
        try await queue.ingest(naming("77", .failure("a", at: start)), at: start)

        #expect(try await queue.isKnown("a", endpoint: Self.second))
    }

    @Test func `a name of an endpoint that is not configured any more leaves the entry where it was read`() async throws
    {
        try await queue.store.registerEndpoints([(id: Self.first, name: "first")], historyFrom: start, at: start)
        try await queue.ingest(naming(Self.second, .failure("a", at: start)), at: start)

        #expect(try await queue.isKnown("a"))
    }

    @Test func `what another endpoint's log shows of an arrival settles the delivery`() async throws {
        try await queue.ingest(naming(Self.second, .failure("a", at: start)), endpoint: Self.second, at: start)
        let claimed = try await queue.claimOne(at: start + .minutes(2))
        try await queue.record(claimed, .accepted, at: start + .minutes(2))
        try await queue.ingest(naming(Self.second, .success("a", at: start + .minutes(3))), at: start + .minutes(4))

        #expect(try await queue.delivery("a", endpoint: Self.second).state == .delivered)
    }

    @Test func `a row that another log has shown does not tell how far its own log was read`() async throws {
        let (row, later) = (naming(Self.second, .failure("a", at: start)), start + .minutes(1))
        try await queue.ingest(row, at: start)
        let unread = ScanRange(from: start - .hours(1), to: start)
        func scan(of endpoint: String, at now: Timestamp) async throws -> Int64? {
            let progress = ScanProgress(
                started: now, newest: start, unread: unread, resumeURL: "/2", newestFirst: true, stopsAtKnown: true)
            return try await queue.ingest(row, endpoint: endpoint, progress: progress, at: now).gapID
        }

        #expect(try await scan(of: Self.second, at: later) != nil)
        #expect(try await scan(of: Self.first, at: later) == nil)
        try await queue.run("DELETE FROM scan_gap")
        #expect(try await scan(of: Self.second, at: later + .minutes(1)) == nil)
    }

    @Test func `silence counts only when the log was read that alone shows the delivery`() async throws {
        try await queue.ingest(naming(Self.second, .failure("a", at: start)), at: start)
        let claimed = try await queue.claimOne(at: start + .minutes(2))
        try await queue.record(claimed, .accepted, at: start + .minutes(2))
        let late = start + .minutes(20)
        try await queue.ingest(endpoint: Self.second, at: late)
        #expect(try await queue.settle(at: late).unconfirmed == 0)

        try await queue.ingest(at: late)
        #expect(try await queue.settle(at: late).unconfirmed == 1)
    }

    // MARK: - Without names

    /// A failure that both logs show, kept by the first, whose retry the first log shows to have arrived.
    private func keep(_ task: String = "a", arrivedAs retry: String? = "a") async throws -> Timestamp {
        try await queue.ingest(.failure(task, at: start), at: start)
        try await queue.ingest(.failure(task, at: start), endpoint: Self.second, at: start)
        let called = start + .minutes(2)
        let claimed = try await queue.claimOne(at: called)
        try await queue.record(claimed, .accepted, at: called)
        if let retry {
            try await queue.ingest(.success(retry, of: task, at: called + .seconds(2)), at: called + .seconds(5))
        }
        return called
    }

    @Test func `where no name tells, the first reader keeps a failure and it is sent once`() async throws {
        let called = try await keep()
        let late = called + .minutes(15)
        try await queue.ingest(
            .success("a", at: called + .seconds(2)), .failure("a", at: start), endpoint: Self.second, at: late)
        try await queue.settle(at: late)

        #expect(try await count() == 1)
        #expect(try await queue.claim(at: late + .hours(5)).isEmpty)
    }

    @Test(arguments: ["body", "time", "customer", "event type", "webhook", "no time"])
    func `a failure that differs in anything is a delivery of its own`(difference: String) async throws {
        var other = LogObservation.failure("a", at: start)
        switch difference {
        case "body": other.body = Array("{}".utf8)
        case "time": (other.logged, other.changed) = (start + .seconds(1), start + .seconds(1))
        case "customer": other.customerID = "c-2"
        case "event type": other.eventType = "other"
        case "webhook": other.webhookID = "w-2"
        default: (other.logged, other.changed) = (nil, nil)
        }
        try await queue.ingest(.failure("a", at: start), at: start)
        try await queue.ingest(other, endpoint: Self.second, at: start)

        #expect(try await count() == 2)
    }

    @Test func `a failed retry in the other log is no new failure, under its own or a new task id`() async throws {
        let called = try await keep(arrivedAs: nil)
        let failed = called + .seconds(2)
        try await queue.ingest(
            .failure("a", at: failed), .failure("fresh", of: "a", at: failed), endpoint: Self.second, at: failed)

        #expect(try await count() == 1)
    }

    @Test func `a failed retry that ended its delivery is no new failure in the other log`() async throws {
        let called = try await keep(arrivedAs: nil)
        let failed = called + .seconds(2)
        try await queue.ingest(.failure("fresh", of: "a", at: failed), at: failed)
        try await queue.store.change("end", rules: queue.rules, at: failed) {
            try $0.move(
                try #require(try $0.delivery(endpointID: Self.first, taskID: "a")), .die(.attempts, usesAttempt: true))
        }
        try await queue.ingest(.failure("fresh", of: "a", at: failed), endpoint: Self.second, at: failed + .seconds(5))
        #expect(try await count() == 1)

        // A later one is an event of its own.
        let later = failed + .minutes(30)
        try await queue.ingest(.failure("new", of: "a", at: later), endpoint: Self.second, at: later)
        #expect(try await count() == 2)
    }

    @Test func `a success of an earlier event shows nothing of a failure that both logs show`() async throws {
        for endpoint in [Self.first, Self.second] {
            try await queue.ingest(.success("a", of: "old", at: start - .minutes(30)), endpoint: endpoint, at: start)
        }
        let now = start + .minutes(20)
        try await queue.ingest(.failure("a", at: now), at: now)
        try await queue.ingest(.failure("a", at: now), endpoint: Self.second, at: now)
        try await queue.ingest(at: now + .seconds(1))
        try await queue.settle(at: now + .seconds(1))

        #expect(try await count() == 1)
        #expect(try await count("SELECT COUNT(*) FROM shared_failure WHERE is_open = 1") == 1)
        #expect(try await count("SELECT COUNT(*) FROM shared_log WHERE are_same = 0") == 0)
    }

    @Test func `what a delivery keeps becomes one of its own when its task fails anew`() async throws {
        let called = try await keep()
        let now = called + .minutes(5)
        try await queue.ingest(.failure("a", of: "new", at: now), at: now)

        #expect(try await count() == 2)
        let bodies = try await queue.claim(at: now + .minutes(5)).map { String(decoding: $0.body, as: UTF8.self) }
        #expect(bodies.sorted() == [#"{"event":"a"}"#, #"{"event":"new"}"#])
    }

    @Test func `a log that does not show the arrival is another log, and its failure is sent`() async throws {
        let called = try await keep()
        try await queue.ingest(endpoint: Self.second, at: called + .minutes(5))
        try await queue.settle(at: called + .minutes(5))
        #expect(try await count() == 1)

        let late = called + .minutes(15)
        try await queue.ingest(endpoint: Self.second, at: late)
        #expect(try await queue.settle(at: late).taken == 1)
        #expect(try await queue.claimOne(at: late).endpointID == Self.second)

        // From then on nothing is taken for the same.
        try await queue.ingest(.failure("b", at: late), at: late)
        try await queue.ingest(.failure("b", at: late), endpoint: Self.second, at: late)
        #expect(try await count() == 4)
    }

    @Test func `what a dead delivery kept is sent, unless the logs are known to be the same`() async throws {
        try await queue.ingest(.failure("b", at: start), at: start)
        try await queue.ingest(.failure("b", at: start), endpoint: Self.second, at: start)
        _ = try await queue.store.act(
            .discard, on: try await queue.delivery("b").id, by: "ann", reason: "x", at: start)
        try await queue.settle(at: start)
        #expect(try await queue.isKnown("b", endpoint: Self.second))
    }

    @Test func `logs that show the same arrival of a retry are the same`() async throws {
        let called = try await keep()
        try await queue.ingest(.success("a", at: called + .seconds(2)), endpoint: Self.second, at: called + .minutes(1))
        try await queue.settle(at: called + .minutes(1))
        #expect(try await count("SELECT are_same FROM shared_log") == 1)

        let later = called + .minutes(2)
        try await queue.ingest(.failure("b", at: later), at: later)
        try await queue.ingest(.failure("b", at: later), endpoint: Self.second, at: later)
        _ = try await queue.store.act(
            .discard, on: try await queue.delivery("b").id, by: "ann", reason: "x", at: later)
        try await queue.settle(at: later)
        #expect(try await queue.isKnown("b", endpoint: Self.second) == false)
    }

    @Test func `what was kept is sent when its keeper's endpoint is no longer configured`() async throws {
        try await queue.ingest(.failure("a", at: start), at: start)
        try await queue.ingest(.failure("a", at: start), endpoint: Self.second, at: start)
        try await queue.store.registerEndpoints([(id: Self.second, name: "second")], historyFrom: start, at: start)
        try await queue.settle(at: start)

        #expect(try await queue.isKnown("a", endpoint: Self.second))
    }

    @Test func `what was kept and called is sent only when the log had its time to show the call`() async throws {
        let called = try await keep(arrivedAs: nil)
        try await queue.store.registerEndpoints([(id: Self.second, name: "second")], historyFrom: start, at: start)
        try await queue.ingest(endpoint: Self.second, at: called + .minutes(5))
        #expect(try await queue.settle(at: called + .minutes(5)).taken == 0)

        try await queue.ingest(endpoint: Self.second, at: called + .minutes(11))
        #expect(try await queue.settle(at: called + .minutes(11)).taken == 1)
    }

    @Test func `a delivery stays where it is when the endpoint that its row names is configured later`() async throws {
        try await queue.store.registerEndpoints(
            [(id: Self.first, name: "first")], historyFrom: start - .hours(72), at: start)
        let row = naming(Self.second, .failure("a", at: start))
        try await queue.ingest(row, at: start)
        let claimed = try await queue.claimOne(at: start + .minutes(2))
        try await queue.record(claimed, .accepted, at: start + .minutes(2))
        try await queue.store.registerEndpoints(
            [(id: Self.first, name: "first"), (id: Self.second, name: "second")], historyFrom: start - .hours(72),
            at: start)

        try await queue.ingest(row, endpoint: Self.second, at: start + .minutes(3))
        let success = naming(Self.second, .success("fresh", of: "a", at: start + .minutes(2)))
        try await queue.ingest(success, at: start + .minutes(3))
        #expect(try await count() == 1)
        #expect(try await queue.delivery("a").state == .delivered)
    }

    @Test func `an arrival that the keeper's log does not show tells that the logs are two`() async throws {
        _ = try await keep(arrivedAs: nil)
        try await queue.ingest(.success("a", at: start + .minutes(3)), endpoint: Self.second, at: start + .minutes(3))
        try await queue.ingest(at: start + .minutes(14))
        try await queue.settle(at: start + .minutes(14))

        #expect(try await count("SELECT are_same = 0 FROM shared_log") == 1)
        #expect(try await queue.delivery("a").state != .delivered)
    }

    @Test func `the health view says which endpoints show the same rows`() async throws {
        _ = try await keep(arrivedAs: nil)
        try await queue.run("UPDATE shared_log SET seen_ms = 9e12")

        let row = "SELECT ok || ' ' || detail FROM v_health WHERE check_name = 'logs_alike'"
        #expect(try await queue.text(row) == "0 first and second show the same rows: 1")
    }
}
