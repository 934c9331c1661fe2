import GRDB
import Testing

@testable import DeliveryQueue
@testable import QueueFixtures

/// The time for which its endpoint was held does not count towards a delivery's age.
@Suite struct AgeClockTests {
    private let queue: QueueFixture

    init() async throws {
        queue = try await QueueFixture(rules: .exact(maxAge: .hours(10)))
    }

    private func pause(at now: Timestamp) async throws {
        _ = try await queue.store.pause(
            endpoint: QueueFixture.endpoint, by: "ann", reason: "x", at: now)
    }

    private func resume(at now: Timestamp) async throws {
        _ = try await queue.store.resume(
            endpoint: QueueFixture.endpoint, by: "ann", reason: "x", rules: queue.rules, at: now)
    }

    private func held(_ task: String, at now: Timestamp) async throws -> Duration {
        try await queue.delivery(task).held.total(at: now)
    }

    @Test func `the clock stands from the hold to the resume, in each hold`() async throws {
        try await queue.ingest(.failure("a", at: start), at: start)
        try await pause(at: start + .hours(1))
        #expect(try await held("a", at: start + .hours(5)) == .hours(4))
        try await resume(at: start + .hours(6))
        #expect(try await held("a", at: start + .hours(9)) == .hours(5))
        try await pause(at: start + .hours(20))
        try await resume(at: start + .hours(21))

        #expect(try await held("a", at: start + .days(9)) == .hours(6))
    }

    @Test func `what was held before a delivery failed is not its own`() async throws {
        try await pause(at: start)
        try await resume(at: start + .hours(2))
        try await queue.ingest(.failure("late", at: start + .hours(3)), at: start + .hours(3))
        try await pause(at: start + .hours(4))
        try await queue.ingest(.failure("meanwhile", at: start + .hours(5)), at: start + .hours(5))
        try await resume(at: start + .hours(7))

        #expect(try await held("late", at: start + .hours(8)) == .hours(3))
        #expect(try await held("meanwhile", at: start + .hours(8)) == .hours(2))
    }

    @Test func `a requeue begins with a clock of its own`() async throws {
        try await queue.ingest(.failure("a", at: start), at: start)
        let id = try await queue.delivery("a").id
        _ = try await queue.store.act(.discard, on: id, by: "ann", reason: "x", at: start)
        try await pause(at: start + .hours(1))
        _ = try await queue.store.act(
            .requeue, on: id, by: "ann", reason: "x", at: start + .hours(3))
        try await resume(at: start + .hours(4))

        #expect(try await held("a", at: start + .hours(9)) == .hours(1))
    }

    @Test func `pausing a held endpoint or resuming one that is not held moves no clock`() async throws {
        try await queue.ingest(.failure("a", at: start), at: start)
        try await resume(at: start + .hours(1))
        try await queue.change(at: start + .hours(2)) {
            try $0.hold(QueueFixture.endpoint, .logSilent, until: nil, since: start + .hours(2))
        }
        try await pause(at: start + .hours(3))
        try await pause(at: start + .hours(4))
        try await resume(at: start + .hours(5))
        try await resume(at: start + .hours(6))

        #expect(try await held("a", at: start + .days(1)) == .hours(3))
    }

    @Test func `a success in the log that ends a hold lets the clock run again`() async throws {
        try await queue.accepted("a", failed: start, called: start + .minutes(1))
        try await queue.change(at: start + .hours(1)) {
            try $0.hold(QueueFixture.endpoint, .logSilent, until: nil, since: start + .hours(1))
        }
        try await queue.ingest(.failure("b", at: start), at: start + .hours(1))
        try await queue.ingest(.success("a", at: start + .minutes(2)), at: start + .hours(3))

        #expect(try await queue.holdReason() == nil)
        #expect(try await held("b", at: start + .days(1)) == .hours(2))
    }

    @Test(arguments: [(9, DeliveryState.scheduled), (20, .dead)])
    func `the age limit counts what was not held`(running: Int, state: DeliveryState) async throws {
        try await queue.ingest(.failure("a", at: start), at: start)
        try await pause(at: start + .minutes(1))
        let resumed = start + .days(30)
        try await resume(at: resumed)
        let called = resumed + .hours(running)
        try await queue.record(queue.claimOne(at: called), .accepted, at: called)
        try await queue.ingest(.failure("a", at: called + .seconds(1)), at: called + .seconds(2))

        #expect(try await queue.delivery("a").state == state)
    }

    @Test func `a clock that was set back takes nothing away`() {
        let held = HeldTime(ended: .seconds(-5), since: start)
        #expect(held.total(at: start - .hours(1)) == .zero)
        #expect(held.total(at: start + .seconds(8)) == .seconds(3))
    }

    /// The waiting deliveries may be most of the table: no row of them is written.
    @Test func `resuming changes no delivery`() async throws {
        for index in 0..<5 { try await queue.ingest(.failure("t\(index)", at: start), at: start) }
        try await pause(at: start)
        let before = try await queue.dump().filter { $0.hasPrefix("delivery: ") }
        try await resume(at: start + .days(1))

        #expect(try await queue.dump().filter { $0.hasPrefix("delivery: ") } == before)
    }
}
