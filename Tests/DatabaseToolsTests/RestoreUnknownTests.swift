import Foundation
import GRDB
import Testing

@testable import DatabaseTools
@testable import DeliveryQueue
@testable import QueueFixtures

/// How a restore treats deliveries and calls that the backup does not know.
@Suite struct RestoreUnknownTests {
    private let queue: QueueFixture

    init() async throws {
        queue = try await .forRestore()
    }

    // MARK: - Unknown to the backup

    /// The entry has a new id that only the answer names. Without the replaced database nobody would know what it is
    /// about.
    @Test func `a delivery found and called since is taken over with its body and the ids of its retries`() async throws
    {
        try await queue.backUp()
        try await queue.accepted("a", failed: start, called: start + .minutes(1), naming: "n")
        let body = try await queue.text("SELECT hex(body) FROM delivery_body")

        let (summary, restored) = try await queue.restore()

        #expect(try await restored.delivery("a").state == .awaiting)
        #expect(try await restored.text("SELECT hex(body) FROM delivery_body") == body)
        #expect(summary.newDeliveries == 1 && summary.awaiting == 1)
        var success = LogObservation.success("n", at: start + .minutes(2))
        success.body = nil
        try await restored.ingest(success, .failure("a", at: start), at: now)
        #expect(try await restored.delivery("a").state == .delivered)
        #expect(try await restored.number("SELECT COUNT(*) FROM delivery") == 1)
    }

    @Test func `a delivery found since and never called is the log's to tell`() async throws {
        try await queue.backUp()
        try await queue.ingest(.failure("a", at: start), at: start)

        let (summary, restored) = try await queue.restore()

        #expect(try await restored.isKnown("a") == false)
        #expect(summary.newDeliveries == 0)
    }

    @Test func `an endpoint that was configured since comes with its deliveries`() async throws {
        try await queue.backUp()
        try await queue.store.registerEndpoints(
            [(id: "ep-3", name: "third")], historyFrom: start - .hours(72), at: start)
        try await queue.ingest(.failure("a", at: start), endpoint: "ep-3", at: start)
        _ = try await queue.claimOne(at: start + .minutes(1))

        let (_, restored) = try await queue.restore()

        #expect(try await restored.delivery("a", endpoint: "ep-3").state == .awaiting)
    }

    @Test func `a body that is damaged there is not taken over`() async throws {
        try await queue.backUp()
        try await queue.accepted("a", failed: start, called: start + .minutes(1))
        try await queue.run("UPDATE delivery_body SET body = CAST('other' AS BLOB)")

        let (summary, restored) = try await queue.restore()

        #expect(try await restored.isKnown("a") == false)
        #expect(summary.newDeliveries == 0)
    }

    // MARK: - Without the replaced database

    @Test(arguments: [true, false])
    func `when the replaced database tells nothing every scheduled delivery counts as called`(isMissing: Bool)
        async throws
    {
        try await queue.ingest(.failure("a", at: start), .failure("b", at: start), at: start)
        try await queue.ingest(.success("b", at: start + .minutes(1)), at: start + .minutes(1))
        try await queue.backUp()

        let (summary, restored) = try await queue.restore { path in
            for name in ["-wal", "-shm"] { try FileManager.default.removeItem(atPath: path + name) }
            if isMissing { return try FileManager.default.removeItem(atPath: path) }
            try Data("not a database, but once it was one".utf8).write(to: URL(filePath: path))
        }

        let delivery = try await restored.delivery("a")
        #expect(delivery.state == .awaiting && delivery.called == start + .minutes(1))
        #expect(try await restored.delivery("b").state == .delivered)
        #expect(try await restored.text("SELECT answer FROM attempt") == "interrupted")
        #expect(summary.awaiting == 1 && !summary.knowsCalls)
        // Every call since then belongs to it, under any id.
        try await restored.ingest(.success("z", of: "a", at: start + .minutes(30)), at: now)
        #expect(try await restored.delivery("a").state == .delivered)
    }

    @Test func `a replaced database that is damaged in the middle tells nothing either`() async throws {
        for index in 0..<30 {
            var observation = LogObservation.failure("t\(index)", at: start)
            observation.body = [UInt8](repeating: 0x61, count: 20_000)
            try await queue.ingest(observation, at: start)
        }
        try await queue.backUp()
        for claimed in try await queue.claim(at: start + .minutes(5)) {
            try await queue.record(claimed, .accepted, at: start + .minutes(5))
        }

        let (summary, restored) = try await queue.restore { path in
            try DatabaseQueue(path: path).close()
            try Damage.overwriteTable("attempt", of: path)
        }

        #expect(summary.awaiting == 30 && summary.calls == 0 && !summary.knowsCalls)
        #expect(
            try await restored.number("SELECT COUNT(*) FROM delivery WHERE called_ms = ?", [start.milliseconds]) == 30)
    }

    // MARK: - Failures from before the restore

    @Test func `a failure from before the restore gets no attempt until the log had its time`() async throws {
        try await queue.ingest(.failure("old", at: start), at: start)
        try await queue.backUp()
        let (_, restored) = try await queue.restore()
        let earliest = now + .minutes(10)

        try await restored.ingest(
            .failure("a", at: now - .minutes(30)), .failure("b", at: now + .seconds(1)), .failure("c", at: nil),
            .failure("old", at: now - .minutes(1)), at: now + .seconds(2))

        #expect(try await restored.delivery("a").nextAttempt == earliest)
        #expect(try await restored.delivery("b").nextAttempt == now + .seconds(61))
        #expect(try await restored.delivery("c").nextAttempt == earliest)
        #expect(try await restored.delivery("old").nextAttempt == earliest)
        // The wait lasts no longer than that.
        try await restored.ingest(.failure("d", at: now - .minutes(1)), at: now + .hours(1))
        #expect(try await restored.delivery("d").nextAttempt == earliest)
    }

    @Test func `a database that was never restored plans as its policies say`() async throws {
        try await queue.ingest(.failure("a", at: start), at: start)
        #expect(try await queue.delivery("a").nextAttempt == start + .minutes(1))
    }
}
