import Foundation
import GRDB
import TestSupport
import Testing

@testable import DeliveryQueue
@testable import QueueFixtures

@Suite struct SnapshotTests {
    private let queue: QueueFixture

    init() async throws {
        queue = try await QueueFixture()
    }

    /// One delivery in each state and one held endpoint.
    private func fill() async throws {
        for (task, meaning) in [("dead", Reply.rejected), ("awaiting", .accepted)] {
            try await queue.ingest(.failure(task, at: start - .hours(2), type: "document_upload"), at: start)
            try await queue.record(queue.claimOne(at: start), meaning, at: start)
        }
        try await queue.ingest(.failure("attempting", at: start - .hours(1)), at: start)
        _ = try await queue.claimOne(at: start)
        try await queue.ingest(
            .failure("arrived", at: start), .success("arrived", at: start + .seconds(20)),
            .failure("due", at: start - .minutes(3)), .failure("later", at: start + .seconds(30)),
            progress: ScanProgress(started: start + .minutes(1), newest: start + .seconds(30)), at: start + .minutes(1))
        try await queue.change(at: start) { try $0.hold(QueueFixture.other, .rejected, until: nil, since: start) }
    }

    private func check(_ snapshot: QueueSnapshot) {
        #expect(snapshot.eventTypes == ["document_upload", "profile_update"])
        #expect(
            snapshot.open.map { "\($0.eventType) \($0.scheduled) \($0.attempting) \($0.awaiting)" } == [
                "document_upload 0 0 1", "profile_update 2 1 0",
            ])
        #expect(snapshot.open.map(\.oldestFailure) == [start - .hours(2), start - .hours(1)])
        #expect(
            snapshot.dead.map { "\($0.eventType) \($0.reason.rawValue) \($0.count)" } == ["document_upload rejected 1"])
        #expect(snapshot.oldestDue == start - .minutes(2))
        #expect(snapshot.nextAttempt == start - .minutes(2))
        #expect(snapshot.unreadable == 0)
        #expect(snapshot.count(Counter.finalized, "profile_update", "delivered") == 1)
        #expect(snapshot.count(Counter.finalized, "document_upload", "dead") == 1)
        #expect(snapshot.count(Counter.recoveryDuration, "60") == 1)
        #expect(snapshot.count("no_such_counter") == 0)
        #expect(snapshot.endpoints.map(\.name) == ["first", "second"])
        #expect(snapshot.endpoints.map(\.open) == [4, 0])
        #expect(snapshot.endpoints.map(\.holdReason) == [nil, .rejected])
        #expect(snapshot.endpoints.map(\.heldSince) == [nil, start])
        #expect(snapshot.endpoints[0].watermark == start + .seconds(30))
    }

    @Test func `a snapshot tells all numbers`() async throws {
        try await fill()

        check(try await queue.store.snapshot(at: start + .minutes(1)))
    }

    @Test func `a delivery counts as dead from its death until it is requeued or pruned`() async throws {
        for task in ["a", "b", "c"] {
            try await queue.ingest(.failure(task, at: start - .hours(1)), at: start)
            try await queue.record(queue.claimOne(at: start), .rejected, at: start)
        }
        #expect(try await queue.store.snapshot(at: start).dead.map(\.count) == [3])

        let one = try await queue.delivery("a")
        #expect(
            try await queue.store.act(
                .requeue, on: one.id, by: "ann", reason: "its receiver is back", at: start))
        #expect(try await queue.store.snapshot(at: start).dead.map(\.count) == [2])

        _ = try await queue.store.prune(at: start + .hours(24 * 400))
        #expect(try await queue.store.snapshot(at: start).dead.isEmpty)
        #expect(try DatabaseContent.faults(of: queue.path) == [])
    }

    /// SQLite takes them for two texts, Swift for one.
    @Test func `event types in two spellings of an accent are counted and end nothing`() async throws {
        for (task, type) in [("a", "caf\u{e9}"), ("b", "cafe\u{301}")] {
            try await queue.ingest(.failure(task, at: start, type: type), at: start)
            try await queue.record(queue.claimOne(at: start + .minutes(2)), .accepted, at: start + .minutes(2))
        }
        let snapshot = try await queue.store.snapshot(at: start + .minutes(3))
        #expect(snapshot.endpoints[0].open == 2 && snapshot.endpoints[0].scheduled == 0)
        #expect(snapshot.open.map(\.awaiting).reduce(0, +) == 2)
    }

    @Test func `an empty queue has an empty snapshot`() async throws {
        let snapshot = try await queue.store.snapshot(at: start)

        #expect(snapshot.eventTypes == [] && snapshot.counts == [] && snapshot.open.isEmpty && snapshot.dead.isEmpty)
        #expect(snapshot.oldestDue == nil && snapshot.nextAttempt == nil)
        #expect(snapshot.endpoints.allSatisfy { $0.watermark == nil && $0.lastPoll == nil && $0.isActive })
    }

    @Test func `what waits is due only when its time has come`() async throws {
        try await queue.ingest(.failure("a", at: start), at: start)

        let early = try await queue.store.snapshot(at: start)
        #expect(early.oldestDue == nil && early.nextAttempt == start + .minutes(1))
        #expect(try await queue.store.snapshot(at: start + .minutes(1)).oldestDue == start + .minutes(1))
    }

    @Test func `a snapshot is read from outside while the store is open, and after it is closed`() async throws {
        try await fill()

        check(try QueueReader(path: queue.path).snapshot(at: start + .minutes(1)))
        try queue.store.close()
        let before = try Data(contentsOf: URL(filePath: queue.path))
        check(try QueueReader(path: queue.path).snapshot(at: start + .minutes(1)))
        #expect(try Data(contentsOf: URL(filePath: queue.path)) == before)
    }

    @Test func `a snapshot of no database is inaccessible and creates none`() throws {
        let path = queue.folder.file("missing.db")

        let error = #expect(throws: StoreError.self) { try QueueReader(path: path).snapshot(at: start) }
        #expect(error?.kind == .inaccessible)
        #expect(error?.description.contains(path) == true)
        #expect(FileManager.default.fileExists(atPath: path) == false)
    }

    @Test func `a snapshot of a file that is not ours is refused`() throws {
        let text = queue.folder.file("text.db")
        #expect(FileManager.default.createFile(atPath: text, contents: Data("hello, world".utf8)))
        let theirs = queue.folder.file("theirs.db")
        try DatabaseQueue(path: theirs).write { try $0.execute(sql: "CREATE TABLE notes (x)") }

        for path in [text, theirs] {
            let error = #expect(throws: StoreError.self) { try QueueReader(path: path).snapshot(at: start) }
            #expect(error?.kind == .foreign)
        }
    }

    @Test func `a snapshot of a newer or older schema is refused`() async throws {
        for version in [0, 99] {
            try await queue.store.pool.writeWithoutTransaction {
                try $0.execute(sql: "PRAGMA user_version = \(version)")
            }
            let error = #expect(throws: StoreError.self) {
                try QueueReader(path: queue.path).snapshot(at: start)
            }
            #expect(error?.kind == .incompatible)
        }
    }

    @Test func `file sizes are those of the files, and 0 where there are none`() async throws {
        let sizes = QueueStore.fileSizes(ofDatabase: queue.path)

        #expect(sizes.main > 0 && sizes.wal > 0)
        #expect(QueueStore.fileSizes(ofDatabase: queue.folder.file("missing")) == (0, 0))
    }

    // MARK: - Histograms

    @Test(arguments: [
        (0, "0.025"), (25, "0.025"), (26, "0.05"), (1_000, "1"), (1_001, "2.5"), (30_000, "30"), (30_001, "+Inf"),
    ])
    func `a duration falls into the first bucket that holds it`(milliseconds: Int, label: String) {
        #expect(Histogram.bucket(of: .milliseconds(milliseconds), bounds: Histogram.requestBounds) == label)
    }

    @Test func `a recovery that ends before it began counts as none`() async throws {
        try await queue.ingest(.failure("a", at: start), at: start)
        try await queue.ingest(.success("a", at: start), at: start - .hours(1))

        #expect(try await queue.counter(Counter.recoveryDuration, "15") == 1)
        #expect(try await queue.counter(Counter.recoveryDuration, "sum") == 0)
    }
}
