import Foundation
import GRDB
import Testing

@testable import DatabaseTools
@testable import DeliveryQueue
@testable import QueueFixtures

/// What happens to deliveries when an older backup takes the database's place.
@Suite struct RestoreTests {
    private let queue: QueueFixture

    init() async throws {
        queue = try await .forRestore()
    }

    // MARK: - Scheduled in the backup

    @Test func `a delivery that was called since awaits the log, called as it was then`() async throws {
        try await queue.ingest(.failure("a", at: start), at: start)
        try await queue.backUp()
        let called = start + .minutes(5)
        try await queue.record(try await queue.claimOne(at: called), .accepted, at: called)

        let (summary, restored) = try await queue.restore()

        let delivery = try await restored.delivery("a")
        #expect(delivery.state == .awaiting && delivery.attemptsUsed == 0)
        #expect(delivery.called == called)
        #expect(delivery.confirmBy == now + .minutes(10))
        let attempt = try await restored.text(
            """
            SELECT kind || ' ' || number || ' ' || answer || ' ' || (intent_ms = ?) || ' ' || (outcome IS NULL) || ' ' || detail
            FROM attempt
            """,
            [called.milliseconds])
        #expect(
            attempt == "scheduled 1 interrupted 1 1 made after the backup was taken; the provider answered: accepted")
        #expect(summary.calls == 1 && summary.awaiting == 1 && summary.knowsCalls)
    }

    @Test func `its failure in the log plans the next attempt, its silence gives it back`() async throws {
        try await queue.ingest(.failure("a", at: start), .failure("b", at: start), at: start)
        try await queue.backUp()
        let called = start + .minutes(5)
        for claimed in try await queue.claim(at: called) { try await queue.record(claimed, .accepted, at: called) }
        let (_, restored) = try await queue.restore()

        try await restored.ingest(.failure("a", at: called + .seconds(3)), at: now)
        #expect(try await restored.delivery("a").state == .scheduled)
        #expect(try await restored.delivery("a").attemptsUsed == 1)

        let later = now + .minutes(11)
        try await restored.ingest(at: later)
        #expect(try await restored.settle(at: later).unconfirmed == 1)
        #expect(try await restored.delivery("b").state == .scheduled)
        #expect(try await restored.holdReason() == nil)
    }

    @Test func `a delivery that was not called keeps its place in the schedule`() async throws {
        try await queue.ingest(.failure("a", at: start), at: start)
        try await queue.backUp()

        let (summary, restored) = try await queue.restore()

        #expect(try await restored.delivery("a").nextAttempt == start + .minutes(1))
        #expect(summary.awaiting == 0 && summary.knowsCalls)
    }

    @Test func `a call that was surely not executed does not count`() async throws {
        try await queue.ingest(.failure("a", at: start), at: start)
        try await queue.backUp()
        let claimed = try await queue.claimOne(at: start + .minutes(5))
        try await queue.record(claimed, .notExecuted(pause: .seconds(30)), at: start + .minutes(5))

        let (summary, restored) = try await queue.restore()

        #expect(try await restored.delivery("a").state == .scheduled)
        #expect(summary.calls == 0)
    }

    @Test func `a call that the backup knows is not repeated in its history`() async throws {
        try await queue.accepted("a", failed: start, called: start + .minutes(1))
        try await queue.ingest(.failure("a", at: start + .minutes(2)), at: start + .minutes(2))
        try await queue.backUp()

        let (summary, restored) = try await queue.restore()

        #expect(summary.calls == 0)
        #expect(try await restored.number("SELECT COUNT(*) FROM attempt") == 1)
        #expect(try await restored.delivery("a").state == .scheduled)
    }

    @Test func `of several calls since the last one stays open, the others keep their outcomes and use attempts`()
        async throws
    {
        try await queue.ingest(.failure("a", at: start), at: start)
        try await queue.backUp()
        for minutes in [5, 10, 15] {
            let called = start + .minutes(minutes)
            try await queue.record(try await queue.claimOne(at: called), .accepted, at: called)
            guard minutes < 15 else { continue }
            try await queue.ingest(.failure("a", at: called + .seconds(20)), at: called + .minutes(1))
        }

        let (summary, restored) = try await queue.restore()

        let delivery = try await restored.delivery("a")
        #expect(delivery.state == .awaiting && delivery.attemptsUsed == 2 && delivery.called == start + .minutes(15))
        #expect(
            try await restored.texts("SELECT number || ' ' || coalesce(outcome, 'open') FROM attempt ORDER BY id")
                == ["1 failed", "2 failed", "3 open"])
        #expect(summary.calls == 3)
        // Entries of the earlier calls settle nothing; the entry of the last one does.
        try await restored.ingest(.failure("a", at: start + .minutes(10) + .seconds(20)), at: now)
        #expect(try await restored.delivery("a").state == .awaiting)
        try await restored.ingest(.success("a", at: start + .minutes(15) + .seconds(20)), at: now)
        #expect(try await restored.delivery("a").state == .delivered)
    }

    // MARK: - Proven since

    @Test func `a delivery that is proven delivered since stays delivered`() async throws {
        try await queue.ingest(.failure("a", at: start), at: start)
        try await queue.backUp()
        let called = start + .minutes(5)
        try await queue.record(try await queue.claimOne(at: called), .accepted, naming: "n", at: called)
        try await queue.ingest(.success("n", of: "a", at: called + .seconds(9)), at: called + .minutes(1))

        let (summary, restored) = try await queue.restore()

        #expect(try await restored.delivery("a").state == .delivered)
        let evidence = "SELECT delivered_by || ' ' || delivered_evidence || ' ' || delivered_task_id FROM delivery"
        #expect(try await restored.text(evidence) == "worker log n")
        #expect(try await restored.counter(Counter.finalized, "profile_update", "delivered") == 1)
        #expect(summary.delivered == 1 && summary.awaiting == 0)
    }

    @Test(arguments: [(RetryRules.Confirmation.answer, DeliveryState.delivered), (.log, .awaiting)])
    func `an answer is a proof only where answers confirm`(by: RetryRules.Confirmation, state: DeliveryState)
        async throws
    {
        try await queue.ingest(.failure("a", at: start), at: start)
        try await queue.backUp()
        let claimed = try await queue.claimOne(at: start + .minutes(5))
        _ = try await queue.store.record(
            [queue.outcome(of: claimed, .accepted, at: start + .minutes(5))], rules: .exact(confirm: .answer),
            at: start + .minutes(5))

        let (_, restored) = try await queue.restore(rules: .exact(confirm: by))

        #expect(try await restored.delivery("a").state == state)
    }

    // MARK: - Open or dead in the backup

    @Test func `a delivery that awaited the log then gets the whole time again`() async throws {
        try await queue.accepted("a", failed: start, called: start + .minutes(1))
        try await queue.backUp()

        let (summary, restored) = try await queue.restore()

        #expect(try await restored.delivery("a").confirmBy == now + .minutes(10))
        #expect(try await restored.delivery("a").called == start + .minutes(1))
        #expect(summary.calls == 0)
    }

    @Test func `a delivery that awaited the log then and was called again awaits the later call`() async throws {
        try await queue.accepted("a", failed: start, called: start + .minutes(1))
        try await queue.backUp()
        try await queue.ingest(.failure("a", at: start + .minutes(2)), at: start + .minutes(2))
        _ = try await queue.claimOne(at: start + .minutes(9))

        let (_, restored) = try await queue.restore()

        let delivery = try await restored.delivery("a")
        #expect(delivery.state == .awaiting && delivery.called == start + .minutes(9) && delivery.attemptsUsed == 1)
        #expect(
            try await restored.texts("SELECT coalesce(outcome, 'open') || ' ' || answer FROM attempt ORDER BY id")
                == ["failed accepted", "open interrupted"])
    }

    @Test func `a call in flight at the backup is the next start's to rescue`() async throws {
        try await queue.ingest(.failure("a", at: start), at: start)
        _ = try await queue.claimOne(at: start + .minutes(1))
        try await queue.backUp()

        let (_, restored) = try await queue.restore()

        #expect(try await restored.delivery("a").state == .attempting)
        #expect(try await restored.store.reclaimOpenIntents(rules: restored.rules, at: now) == 1)
        #expect(try await restored.delivery("a").confirmBy == now + .minutes(10))
    }

    @Test func `a dead delivery stays dead, unless it is proven delivered since`() async throws {
        for task in ["a", "b"] {
            try await queue.ingest(.failure(task, at: start), at: start)
            try await queue.record(
                try await queue.claimOne(at: start + .minutes(1)), .rejected, at: start + .minutes(1))
        }
        try await queue.backUp()
        for task in ["a", "b"] {
            let id = try await queue.delivery(task).id
            _ = try await queue.store.act(
                .requeue, on: id, by: "ann", reason: "x", at: start + .minutes(5))
        }
        for claimed in try await queue.claim(at: start + .minutes(5)) {
            try await queue.record(claimed, .accepted, at: start + .minutes(5))
        }
        try await queue.ingest(.success("b", at: start + .minutes(6)), at: start + .minutes(6))

        let (summary, restored) = try await queue.restore()

        #expect(try await restored.delivery("a").state == .dead)
        #expect(try await restored.delivery("b").state == .delivered)
        #expect(summary.delivered == 1 && summary.awaiting == 0)
    }
}
