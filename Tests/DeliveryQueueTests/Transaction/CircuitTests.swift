import GRDB
import Testing

@testable import DeliveryQueue
@testable import QueueFixtures

/// Which deliveries an endpoint's circuit holds, which it tries, and what that costs them.
@Suite struct CircuitTests {
    private let queue: QueueFixture

    init() async throws {
        queue = try await QueueFixture(rules: QueueFixture.circuitRules())
    }

    // MARK: - Holding

    @Test func `a receiver that fails for all holds its endpoint and no other`() async throws {
        try await queue.fail(5, at: start)
        try await queue.ingest(.failure("b", at: start), endpoint: QueueFixture.other, at: start)

        #expect(try await queue.phase() == .open(since: start + .seconds(2), nextTrial: start + .seconds(32)))
        #expect(try await queue.claim(at: start + .seconds(31)).isEmpty)
        #expect(try await queue.store.nextDue(at: start + .seconds(31)) == start + .seconds(32))
        let other = try await queue.delivery("b", endpoint: QueueFixture.other)
        #expect(try await queue.store.nextDue(countsTrials: false, at: start) == other.nextAttempt)
        let claimed = try await queue.claim(at: start + .minutes(9))
        #expect(Set(claimed.map(\.endpointID)) == [QueueFixture.endpoint, QueueFixture.other])
        #expect(claimed.count == 2)
    }

    @Test func `while a trial is under way nothing else is called`() async throws {
        try await queue.fail(5, at: start)
        let claimed = try await queue.trial(at: start + .minutes(1))
        #expect(try await queue.claim(at: start + .hours(9)).isEmpty)
        #expect(try await queue.store.nextDue(at: start + .hours(9)) == nil)

        try await queue.record(claimed, .accepted, at: start + .minutes(1))
        #expect(try await queue.claim(at: start + .hours(9)).isEmpty)
    }

    @Test func `trials climb the ladder, go round and use no attempt`() async throws {
        try await queue.fail(3, at: start)
        var (tried, next): ([String], Timestamp) = ([], start + .seconds(32))
        for wait in [60, 300, 300, 300] {
            tried.append(try await queue.failTrial(at: next))
            #expect(try await queue.claim(at: next + .seconds(wait + 1)).isEmpty)
            next = next + .seconds(wait + 2)
        }

        #expect(tried == ["t0", "t1", "t2", "t0"])
        for task in ["t0", "t1", "t2"] {
            let delivery = try await queue.delivery(task)
            #expect(delivery.state == .scheduled && delivery.attemptsUsed == 0 && !delivery.isTrial)
        }
        #expect(try await queue.counter(Counter.trials, QueueFixture.endpoint, "failed") == 4)
        #expect(try await queue.number("SELECT COUNT(*) FROM attempt WHERE is_trial = 1") == 4)
    }

    @Test func `nothing dies of age or attempts in a long outage`() async throws {
        try await queue.fail(4, at: start)
        var now = start + .minutes(1)
        for _ in 0..<200 {
            _ = try await queue.failTrial(at: now)
            now = now + .hours(1)
        }
        #expect(now - start > .days(8))
        try await queue.ingest(.success("fresh", at: now), at: now)
        let call = try await queue.claimOne(at: now)
        try await queue.record(call, .accepted, at: now)
        try await queue.ingest(.failure(call.taskID, at: now + .seconds(1)), at: now + .seconds(1))

        #expect(
            try await queue.texts("SELECT state || attempts_used FROM delivery WHERE id = \(call.id)") == ["scheduled1"]
        )
        #expect(try await queue.number("SELECT COUNT(*) FROM delivery WHERE state = 'dead'") == 0)
    }

    @Test func `held for longer than max_hold, deliveries age and trials use attempts again`() async throws {
        let queue = try await QueueFixture(rules: QueueFixture.circuitRules(maxHold: .days(2)))
        for task in ["a", "b", "c"] { try await queue.ingest(.failure(task, at: start), at: start) }
        var now = start + .minutes(1)
        while now - start < .days(9) {
            for claimed in try await queue.claim(at: now) {
                try await queue.record(claimed, .accepted, at: now)
                try await queue.ingest(.failure(claimed.taskID, at: now + .seconds(1)), at: now + .seconds(2))
            }
            if now - start < .days(2) {
                #expect(try await queue.number("SELECT SUM(attempts_used) FROM delivery") == 0)
            }
            now = now + .hours(1)
        }

        #expect(try await queue.texts("SELECT DISTINCT state || ' ' || dead_reason FROM delivery") == ["dead attempts"])
    }

    // MARK: - What must not open or hold it

    @Test func `one delivery that its receiver never takes opens nothing and dies by its own policy`() async throws {
        var now = start
        try await queue.ingest(.failure("poison", at: now), at: now)
        for round in 0..<60 {
            now = now + .hours(2)
            try await queue.ingest(.success("fresh\(round)", at: now), at: now)
            for call in try await queue.claim(at: now) {
                try await queue.record(call, .accepted, at: now)
                try await queue.ingest(.failure("poison", at: now + .seconds(1)), at: now + .seconds(2))
            }
            #expect(try await queue.phase() == .closed)
        }
        #expect(try await queue.texts("SELECT state || ' ' || dead_reason FROM delivery") == ["dead age"])
    }

    @Test func `it does not keep an open circuit open either`() async throws {
        try await queue.fail(4, at: start)
        var now = start + .minutes(1)
        var calls = 0
        // The receiver is back, for all but t0.
        while try await queue.phase() != .closed, calls < 50 {
            for call in try await queue.claim(at: now) {
                calls += 1
                try await queue.record(call, .accepted, at: now)
                let seen: LogObservation =
                    call.taskID == "t0"
                    ? .failure(call.taskID, at: now + .seconds(1)) : .success(call.taskID, at: now + .seconds(1))
                try await queue.ingest(seen, at: now + .seconds(2))
            }
            now = now + .minutes(6)
        }
        #expect(calls < 12)
        #expect(try await queue.number("SELECT COUNT(*) FROM delivery WHERE state = 'delivered'") == 3)
        #expect(try await queue.delivery("t0").state == .scheduled)
    }

    @Test func `answers of the 400 class to single deliveries open nothing`() async throws {
        for index in 0..<9 {
            var seen = LogObservation.failure("t\(index)", at: start + .seconds(index))
            seen.httpStatus = index.isMultiple(of: 2) ? 400 : 422
            try await queue.ingest(seen, at: start + .minutes(1))
        }
        #expect(try await queue.phase() == .closed)
    }

    // MARK: - Trials that say nothing

    @Test(arguments: [Reply.notExecuted(pause: .seconds(30)), .redirected, .rejected])
    func `a trial that the provider does not take on is followed by the next one`(
        meaning: Reply
    ) async throws {
        try await queue.fail(3, at: start)
        let now = start + .minutes(1)
        try await queue.record(queue.trial(at: now), meaning, at: now + .seconds(1))

        #expect(try await queue.phase() == .open(since: start + .seconds(2), nextTrial: now + .seconds(31)))
        #expect(try await queue.delivery("t0").attemptsUsed == (meaning == .rejected ? 1 : 0))
    }

    @Test func `a trial about which the log stays silent is no attempt and is followed by the next one`() async throws {
        try await queue.fail(3, at: start)
        let now = start + .minutes(1)
        try await queue.record(queue.trial(at: now), .accepted, at: now)
        let later = now + .minutes(11)
        try await queue.ingest(at: later)
        try await queue.settle(at: later)

        #expect(try await queue.delivery("t0").attemptsUsed == 0)
        #expect(try await queue.phase() == .open(since: start + .seconds(2), nextTrial: later + .seconds(30)))
        #expect(try await queue.counter(Counter.trials, QueueFixture.endpoint, "unconfirmed") == 1)
    }

    @Test func `a trial whose process died is still the trial`() async throws {
        try await queue.fail(3, at: start)
        _ = try await queue.trial(at: start + .minutes(1))
        _ = try await queue.store.reclaimOpenIntents(rules: queue.rules, at: start + .minutes(2))
        #expect(try await queue.claim(at: start + .hours(1)).isEmpty)

        try await queue.ingest(.success("t0", at: start + .minutes(1)), at: start + .minutes(3))
        #expect(try await queue.phase() == .draining(limit: 1))
    }
}
