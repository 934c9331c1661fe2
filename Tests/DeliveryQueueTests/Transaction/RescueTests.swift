import TestSupport
import Testing

@testable import DeliveryQueue
@testable import QueueFixtures

/// Calls whose process died or whose lease ran out, and deliveries that an operator revives.
@Suite struct RescueTests {
    private let called = start + .minutes(1)
    private let queue: QueueFixture

    init() async throws {
        queue = try await QueueFixture()
    }

    @Test func `at start every open intent awaits the log, whatever its lease`() async throws {
        try await queue.ingest(.failure("a", at: start), .failure("b", at: start), at: start)
        _ = try await queue.claim(limit: 1, lease: .seconds(1), at: called)
        _ = try await queue.claim(limit: 1, lease: .days(9), at: called)
        let restarted = called + .seconds(5)

        #expect(try await queue.store.reclaimOpenIntents(rules: queue.rules, at: restarted) == 2)

        for task in ["a", "b"] {
            let delivery = try await queue.delivery(task)
            #expect(delivery.state == .awaiting)
            #expect(delivery.confirmBy == restarted + .minutes(10))
            #expect(delivery.called == called)
            #expect(delivery.attemptsUsed == 0)
        }
        #expect(try await queue.texts("SELECT DISTINCT answer FROM attempt") == ["interrupted"])
        #expect(try await queue.claim(at: restarted + .days(2)).isEmpty)
        #expect(try await queue.store.reclaimOpenIntents(rules: queue.rules, at: restarted) == 0)
    }

    @Test func `at start a clock that was put back does not shorten the wait for the log`() async throws {
        try await queue.ingest(.failure("a", at: start), at: start)
        _ = try await queue.claim(at: called)

        #expect(try await queue.store.reclaimOpenIntents(rules: queue.rules, at: called - .days(365)) == 1)

        #expect(try await queue.delivery("a").confirmBy == called + .minutes(10))
    }

    @Test func `a wait that a clock far ahead made long becomes as long as any other, and no wait shorter`()
        async throws
    {
        try await queue.ingest(.failure("a", at: start), .failure("b", at: start), at: start)
        _ = try await queue.claim(limit: 1, at: called)
        _ = try await queue.store.reclaimOpenIntents(rules: queue.rules, at: called + .minutes(1))
        _ = try await queue.claim(limit: 1, at: called)
        _ = try await queue.store.reclaimOpenIntents(rules: queue.rules, at: called + .days(365))

        try await queue.store.shortenWaits(rules: queue.rules, at: called + .minutes(2))

        #expect(try await queue.delivery("a").confirmBy == called + .minutes(11))
        #expect(try await queue.delivery("b").confirmBy == called + .minutes(12))
    }

    @Test func `an intent survives the process: it is there when the file is opened again`() async throws {
        let folder = try TemporaryFolder()
        let path = folder.file("queue.db")
        let rules = RetryRules.exact()
        let first = try QueueStore(path: path, now: start)
        try await first.registerEndpoints([(id: "e", name: "e")], historyFrom: start, at: start)
        let page = ObservedPage(
            endpointID: "e", observations: [.failure("a", at: start)], unreadable: [],
            progress: ScanProgress(started: start))
        _ = try await first.ingest(page, rules: .exact(), at: start)
        _ = try await first.claimDue(limit: 1, lease: .seconds(60), rules: rules, at: called)
        try first.close()

        let second = try QueueStore(path: path, now: called)
        #expect(try await second.reclaimOpenIntents(rules: rules, at: called) == 1)
        try second.close()
    }

    @Test func `a claim whose lease has run out awaits the log, others keep going`() async throws {
        try await queue.ingest(.failure("a", at: start), .failure("b", at: start), at: start)
        _ = try await queue.claim(limit: 1, lease: .seconds(30), at: called)
        _ = try await queue.claim(limit: 1, lease: .seconds(90), at: called)

        #expect(try await queue.settle(at: called + .seconds(30) - .milliseconds(1)).interrupted == 0)
        #expect(try await queue.settle(at: called + .seconds(30)).interrupted == 1)
        #expect(try await queue.delivery("a").state == .awaiting)
        #expect(try await queue.delivery("b").state == .attempting)
    }

    @Test func `an interrupted call is proven by the log like any other`() async throws {
        try await queue.ingest(.failure("a", at: start), at: start)
        _ = try await queue.claim(at: called)
        try await queue.settle(at: called + .minutes(1))

        try await queue.ingest(.success("a", at: called + .seconds(2)), at: called + .minutes(2))

        #expect(try await queue.text("SELECT delivered_by FROM delivery") == "worker")
        #expect(try await queue.texts("SELECT answer || outcome FROM attempt") == ["interrupteddelivered"])
    }

    @Test func `a failure that the log showed during an interrupted call is settled with the rescue`() async throws {
        try await queue.ingest(.failure("a", at: start), at: start)
        _ = try await queue.claim(at: called)
        try await queue.ingest(.failure("a", at: called + .seconds(2)), at: called + .seconds(3))
        try await queue.settle(at: called + .minutes(1))

        #expect(try await queue.delivery("a").state == .scheduled)
        #expect(try await queue.delivery("a").attemptsUsed == 1)
        #expect(try await queue.delivery("a").nextAttempt == called + .seconds(2) + .minutes(2))
    }

    @Test func `an interrupted call about which the log stays silent is called again once`() async throws {
        try await queue.ingest(.failure("a", at: start), at: start)
        _ = try await queue.claim(at: called)
        let rescued = called + .minutes(1)
        try await queue.settle(at: rescued)
        try await queue.ingest(at: rescued + .minutes(10))
        #expect(try await queue.settle(at: rescued + .minutes(10)).unconfirmed == 1)

        let next = try #require(try await queue.delivery("a").nextAttempt)
        #expect(try await queue.claim(at: next).count == 1)
        #expect(try await queue.claim(at: next + .days(1)).isEmpty)
        // We died, and nothing shows that the provider executed anything: the attempt is still the first.
        #expect(try await queue.texts("SELECT number FROM attempt ORDER BY id") == ["1", "1"])
    }

    @Test func `an own success of the provider closes a call that began after it`() async throws {
        try await queue.accepted("a", failed: start, called: called)
        try await queue.ingest(.success("a", at: called - .seconds(30)), at: called + .seconds(15))
        #expect(try await queue.number("SELECT COUNT(*) FROM attempt WHERE outcome IS NULL") == 0)

        // The outcome of the needless call is neither a new failure nor a change.
        try await queue.ingest(.failure("n", of: "a", at: called + .seconds(3)), at: called + .seconds(30))
        #expect(try await queue.number("SELECT COUNT(*) FROM delivery") == 1)
        #expect(try await queue.delivery("a").state == .delivered)
    }

    // MARK: - Requeue

    private func dead() async throws -> Int64 {
        try await queue.ingest(.failure("a", at: start), at: start)
        let claimed = try await queue.claimOne(at: called)
        try await queue.record(claimed, .rejected, at: called)
        return claimed.id
    }

    @Test func `a requeue begins a new cycle, due at once, and keeps history`() async throws {
        let id = try await dead()
        let now = start + .days(20)

        #expect(try await queue.store.act(.requeue, on: id, by: "ann", reason: "fixed", at: now))

        let delivery = try await queue.delivery("a")
        #expect(delivery.state == .scheduled && delivery.nextAttempt == now)
        #expect(delivery.cycle == 2 && delivery.cycleStarted == now && delivery.attemptsUsed == 0)
        #expect(delivery.firstFailed == start)
        #expect(try await queue.number("SELECT COUNT(*) FROM attempt") == 1)
        #expect(
            try await queue.texts("SELECT who || ' ' || action || ' ' || reason || ' ' || at_ms FROM operator_action")
                == ["ann requeue fixed \(now.milliseconds)"])
        let claimed = try await queue.claimOne(at: now)
        #expect(claimed.body == Array(#"{"event":"a"}"#.utf8))
        #expect(try await queue.texts("SELECT cycle || '.' || number FROM attempt ORDER BY id") == ["1.1", "2.1"])
    }

    @Test func `the new cycle has all its attempts and its own age`() async throws {
        let id = try await dead()
        let now = start + .days(20)
        _ = try await queue.store.act(.requeue, on: id, by: "ann", reason: "fixed", at: now)
        try await queue.record(queue.claimOne(at: now), .accepted, at: now)
        try await queue.ingest(.failure("a", at: now + .seconds(2)), at: now + .seconds(5))

        let delivery = try await queue.delivery("a")
        #expect(delivery.state == .scheduled && delivery.attemptsUsed == 1)
        #expect(delivery.nextAttempt == now + .seconds(2) + .minutes(2))
        #expect(delivery.cycleStarted == now)
    }

    @Test func `a requeue of an unknown delivery says so`() async throws {
        #expect(
            try await queue.store.act(.requeue, on: 77, by: "ann", reason: "x", at: start) == false)
    }

    @Test func `only a dead delivery is requeued`() async throws {
        try await queue.ingest(.failure("a", at: start), at: start)
        let id = try await queue.delivery("a").id
        let store = queue.store

        let refuse: @Sendable () async throws -> Void = {
            let error = try await #require(throws: StoreError.self) {
                try await store.act(.requeue, on: id, by: "ann", reason: "x", at: start)
            }
            #expect(error.kind == .refusedMove)
        }
        try await refuse()
        let claimed = try await queue.claimOne(at: called)
        try await refuse()
        try await queue.record(claimed, .accepted, at: called)
        try await refuse()
        try await queue.ingest(.success("a", at: called), at: called)
        try await refuse()
        #expect(try await queue.number("SELECT COUNT(*) FROM operator_action") == 0)
    }

    @Test func `a delivery whose body is gone is not requeued`() async throws {
        try await queue.ingest(.failure("a", at: start), at: start)
        let claimed = try await queue.claimOne(at: start + .minutes(1))
        try await queue.record(claimed, .rejected, at: start + .minutes(1))
        try await queue.run("UPDATE delivery_body SET body = NULL")

        await #expect(throws: StoreError.self) {
            _ = try await queue.store.act(
                .requeue, on: claimed.id, by: "ann", reason: "again", at: start + .hours(1))
        }
        #expect(try await queue.delivery("a").state == .dead)
    }

    @Test func `a late success in the log settles a dead delivery`() async throws {
        _ = try await dead()
        try await queue.ingest(.success("a", at: start + .hours(1)), at: start + .hours(2))

        #expect(try await queue.delivery("a").state == .delivered)
        #expect(try await queue.number("SELECT dead_reason IS NULL FROM delivery") == 1)
    }
}
