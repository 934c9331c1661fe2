import Foundation
import GRDB
import TestSupport
import Testing

@testable import DeliveryQueue
@testable import QueueFixtures

/// Pruning by hand, the batches of kept entries, and whether a daemon runs.
@Suite struct MaintenanceTests {
    private let queue: QueueFixture

    init() async throws {
        queue = try await QueueFixture()
    }

    /// Two deliveries of each kind and age that pruning tells apart, and entries of no delivery.
    private func fill() async throws {
        for (name, age) in [("young", 1), ("week", 8), ("months", 91), ("year", 181)] {
            let then = start - .days(age)
            for index in 0..<2 {
                try await queue.run("UPDATE endpoint SET history_from_ms = 0")
                try await queue.ingest(.failure("dead-\(name)-\(index)", at: then), at: then)
                let claimed = try await queue.claimOne(at: then + .minutes(1))
                try await queue.record(claimed, .rejected, at: then + .minutes(1))
                try await queue.run(
                    "UPDATE endpoint SET hold_reason = NULL, hold_since_ms = NULL, hold_until_ms = NULL")
                try await queue.ingest(
                    .failure("ok-\(name)-\(index)", at: then), .success("ok-\(name)-\(index)", at: then),
                    .success("never-\(name)-\(index)", at: then, customer: "c-\(name)-\(index)"),
                    unreadable: [
                        UnreadableObservation(reason: "x", detail: "y", raw: Array("\(name)\(index)".utf8), logged: nil)
                    ], at: then)
            }
        }
    }

    private func prune(limit: Int) async throws -> PruneSummary {
        var sum = PruneSummary()
        while true {
            let batch = try await queue.store.prune(limit: limit, at: start)
            guard batch.total > 0 else { return sum }
            sum += batch
        }
    }

    @Test(arguments: [1, 3, 500]) func `what a rehearsal of pruning counts is what pruning then removes`(limit: Int)
        async throws
    {
        try await fill()

        let promised = try QueueReader(path: queue.path).prunable(at: start)
        let removed = try await prune(limit: limit)

        #expect(promised == removed)
        #expect(promised.bodies == 2 && promised.delivered == 4 && promised.dead == 2)
        #expect(promised.logEntries == 8 && promised.unreadable == 4 && promised.arrivals == 4)
        #expect(try QueueReader(path: queue.path).prunable(at: start) == PruneSummary())
        #expect(try await queue.number("SELECT COUNT(*) FROM delivery") == 10)
    }

    @Test func `a rehearsal changes nothing`() async throws {
        try await fill()
        let before = try await queue.dump()
        _ = try QueueReader(path: queue.path).prunable(at: start)
        #expect(try await queue.dump() == before)
    }

    @Test func `a dead delivery that is requeued between the search and the removal stays`() async throws {
        try await queue.ingest(.failure("a", at: start), at: start)
        try await queue.record(try await queue.claimOne(at: start + .minutes(1)), .rejected, at: start + .minutes(1))
        let later = start + .days(200)
        let id = try await queue.delivery("a").id
        _ = try await queue.store.act(.requeue, on: id, by: "ann", reason: "x", at: later)

        #expect(try await queue.store.prune(at: later).total == 0)
        #expect(try await queue.isKnown("a"))
    }

    // MARK: - Beside the daemon, and in its place

    @Test func `long work takes the daemon's place when none runs, and works beside one`() async throws {
        let beside = try QueueStore.forMaintenance(path: queue.path, now: start)
        #expect(try await beside.pool.write { try Int.fetchOne($0, sql: "PRAGMA wal_autocheckpoint") } == 0)
        try beside.close()

        try queue.store.close()
        let alone = try QueueStore.forMaintenance(path: queue.path, now: start)
        #expect(try await alone.pool.write { try Int.fetchOne($0, sql: "PRAGMA wal_autocheckpoint") } == 4_000)
        #expect(#expect(throws: StoreError.self) { try QueueStore(path: queue.path, now: start) }?.kind == .locked)
        try alone.close()
    }

    @Test func `closing a store again changes nothing`() throws {
        try queue.store.close()
        #expect(throws: Never.self) { try queue.store.close() }
    }

    @Test func `a daemon is seen by its lock, with its process, and not when it is gone`() throws {
        let process = Int(ProcessInfo.processInfo.processIdentifier)
        #expect(DaemonPresence.look(atDatabase: queue.path) == .running(process: process))
        try queue.store.close()
        #expect(DaemonPresence.look(atDatabase: queue.path) == .absent)
        #expect(DaemonPresence.look(atDatabase: queue.folder.file("none.db")) == .absent)
        #expect(FileManager.default.fileExists(atPath: queue.folder.file("none.db.lock")) == false)
    }

    // MARK: - Kept entries

    @Test func `kept entries are read in batches of bounded size, each of one entry at least`() async throws {
        let entries = (0..<5).map { index in
            UnreadableObservation(
                reason: "x", detail: "y", raw: [UInt8](repeating: UInt8(index), count: 1_000), logged: nil)
        }
        try await queue.ingest(unreadable: entries, at: start)

        let pair = try await queue.store.unreadableEntries(after: 0, limit: 200, bytes: 1_500)
        #expect(pair.map(\.raw) == entries.prefix(2).map(\.raw))
        let next = try await queue.store.unreadableEntries(after: pair[1].id, limit: 200, bytes: 1)
        #expect(next.map(\.raw) == [entries[2].raw])
        let rest = try await queue.store.unreadableEntries(after: next[0].id, limit: 200)
        #expect(rest.count == 2)
        #expect(try await queue.store.unreadableEntries(after: rest[1].id, limit: 200).isEmpty)
    }
}
