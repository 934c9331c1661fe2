import Foundation
import GRDB
import TestSupport
import Testing

@testable import DatabaseTools
@testable import DeliveryQueue
@testable import QueueFixtures

/// Who has lost the database changes nothing any more.
@Suite struct TenureTests {
    private func expectLost(_ queue: QueueFixture, sourceLocation: SourceLocation = #_sourceLocation) async {
        let writing = await #expect(throws: StoreError.self, sourceLocation: sourceLocation) {
            _ = try await queue.claim(at: start)
        }
        let looking = await #expect(throws: StoreError.self, sourceLocation: sourceLocation) {
            try await queue.store.confirmTenure()
        }
        #expect(writing?.kind == .displaced && looking?.kind == .displaced, sourceLocation: sourceLocation)
    }

    @Test func `while nobody else has it, the database is ours`() async throws {
        let queue = try await QueueFixture()
        try await queue.store.confirmTenure()
        // An operator's command works beside it.
        try QueueStore.forOperator(path: queue.path, now: start).close()
        try await queue.ingest(.failure("a", at: start), at: start)
        #expect(try await queue.claim(at: start + .hours(1)).count == 1)
    }

    @Test func `a second store on the same file ends the first one's work`() async throws {
        let queue = try await QueueFixture()
        try await queue.ingest(.failure("a", at: start), at: start)
        try FileManager.default.removeItem(atPath: queue.path + ".lock")
        let second = try QueueStore(path: queue.path, now: start)
        await expectLost(queue)
        try await second.confirmTenure()
        try queue.store.close()
        try second.close()
    }

    @Test(arguments: ["moved", "removed", "replaced"])
    func `a file that is not the open one any more is not written`(how: String) async throws {
        let queue = try await QueueFixture()
        let other = queue.folder.file("other.db")
        _ = try await QueueReader(path: queue.path).backUp(to: other)
        switch how {
        case "moved": try FileManager.default.moveItem(atPath: queue.path, toPath: queue.folder.file("moved.db"))
        case "removed": try FileManager.default.removeItem(atPath: queue.path)
        default: #expect(rename(other, queue.path) == 0)
        }
        await expectLost(queue)
        try queue.store.close()
    }

    // MARK: - The main file written over

    /// Writes into a file what another one holds, as `cp` does: the file itself stays.
    private func overwrite(_ path: String, with other: String) throws {
        let bytes = try Data(contentsOf: URL(filePath: other))
        let handle = try FileHandle(forWritingTo: URL(filePath: path))
        try handle.truncate(atOffset: 0)
        try handle.write(contentsOf: bytes)
        try handle.close()
    }

    /// What an operator does beside the store in a session of `sqlite3`.
    private func beside(_ queue: QueueFixture, _ sql: String) throws {
        let other = try DatabaseQueue(path: queue.path)
        try other.writeWithoutTransaction { _ = try Row.fetchAll($0, sql: sql) }
        try other.close()
    }

    @Test(arguments: ["a backup", "an older copy", "a backup that sqlite3 made", "another database", "nothing"])
    func `a file that was written over is not written any more, and stays as it was put there`(what: String)
        async throws
    {
        let (queue, another) = (try await QueueFixture(), try await QueueFixture())
        try another.store.close()
        let (backup, older) = (queue.folder.file("backup.db"), queue.folder.file("older.db"))
        try await queue.ingest(.failure("a", at: start), at: start)
        _ = try await QueueReader(path: queue.path).backUp(to: backup)
        try FileManager.default.copyItem(atPath: queue.path, toPath: older)
        try beside(queue, "VACUUM INTO '\(queue.folder.file("sqlite3.db"))'")
        for index in 0..<3 {
            try await queue.ingest(.failure("b\(index)", at: start + .minutes(index)), at: start + .minutes(index))
            try queue.store.connections.checkpoint()
            try await queue.store.confirmTenure()
        }
        let source =
            switch what {
            case "a backup": backup
            case "an older copy": older
            case "another database": another.path
            case "nothing": try queue.folder.write("nothing", "")
            default: queue.folder.file("sqlite3.db")
            }
        try await queue.ingest(.failure("c", at: start + .minutes(9)), at: start + .minutes(9))
        try overwrite(queue.path, with: source)

        await expectLost(queue)
        try queue.store.close()
        #expect(try Data(contentsOf: URL(filePath: queue.path)) == Data(contentsOf: URL(filePath: source)))
        let files = try FileManager.default.contentsOfDirectory(atPath: queue.folder.path)
        #expect(files.contains { $0.contains("-wal.lost-") } && !files.contains("queue.db-wal"), "\(files)")
        // The log of the lost one would damage it.
        guard what != "nothing" else { return }
        let next = try QueueFixture(reopening: queue, at: start + .hours(1))
        #expect(try QueueReader(path: queue.path).check().allSatisfy { $0.count == 0 })
        try next.store.close()
    }

    @Test func `what changes no byte, and the checkpoints of an operator, end nobody's work`() async throws {
        let queue = try await QueueFixture()
        let copy = queue.folder.file("copy.db")
        for turn in 0..<4 {
            let now = start + .minutes(turn)
            try await queue.ingest(.failure("a\(turn)", at: now), at: now)
            try FileManager.default.setAttributes(
                [.modificationDate: Date(timeIntervalSince1970: Double(turn))], ofItemAtPath: queue.path)
            try await queue.store.confirmTenure()
            try beside(queue, "PRAGMA wal_checkpoint(\(turn % 2 == 0 ? "PASSIVE" : "TRUNCATE"))")
            try await queue.store.confirmTenure()
            try FileManager.default.copyItem(atPath: queue.path, toPath: copy)
            try overwrite(queue.path, with: copy)
            try FileManager.default.removeItem(atPath: copy)
            try await queue.store.confirmTenure()
            try beside(queue, turn % 2 == 0 ? "CREATE TABLE scratch (a)" : "DROP TABLE scratch")
            try beside(queue, "VACUUM")
            try await queue.store.confirmTenure()
            try beside(queue, "PRAGMA wal_checkpoint(TRUNCATE)")
            try await queue.store.confirmTenure()
        }
        #expect(try await queue.claim(at: start + .hours(1)).count == 4)
        try queue.store.close()
    }

    /// No two states of the file that a checkpoint left have the same seal.
    @Test func `each checkpoint brings a new seal into the file`() async throws {
        let queue = try await QueueFixture()
        var seals: [String] = []
        for turn in 0..<4 {
            try await queue.ingest(.failure("a\(turn)", at: start), at: start)
            try await queue.ingest(.failure("b\(turn)", at: start), at: start)
            try queue.store.connections.checkpoint()
            seals.append(try #require(try await queue.text("SELECT epoch FROM daemon")))
        }
        #expect(Set(seals).count == 4 && seals == seals.sorted(), "\(seals)")
    }

    // MARK: - The files beside it

    @Test(arguments: ["-wal", "-shm"], [true, false])
    func `a log that is not the open one any more is not written, and what it held is kept`(
        ending: String, isReplaced: Bool
    ) async throws {
        let queue = try await QueueFixture()
        try await queue.ingest(.failure("a", at: start), at: start)
        try FileManager.default.removeItem(atPath: queue.path + ending)
        if isReplaced { try queue.folder.write("queue.db\(ending)", "") }

        await expectLost(queue)
        try queue.store.close()
        let next = try QueueFixture(reopening: queue, at: start)
        #expect(try await next.isKnown("a"))
        try next.store.close()
    }

    @Test func `a file that was moved takes what its log held along`() async throws {
        let queue = try await QueueFixture()
        let moved = queue.folder.file("moved.db")
        _ = try await QueueReader(path: queue.path).backUp(to: queue.folder.file("backup.db"))
        try await queue.ingest(.failure("a", at: start), at: start)
        try FileManager.default.moveItem(atPath: queue.path, toPath: moved)
        try FileManager.default.moveItem(atPath: queue.folder.file("backup.db"), toPath: queue.path)
        await expectLost(queue)
        try queue.store.close()

        let next = try QueueFixture(reopening: queue, at: start)
        #expect(try await !next.isKnown("a"))
        #expect(try QueueReader(path: queue.path).check().allSatisfy { $0.count == 0 })
        try next.store.close()
        let old = try QueueStore(path: moved, now: start)
        #expect(try await old.read("look") { try $0.exists("SELECT 1 FROM delivery WHERE task_id = 'a'") })
        try old.close()
    }

    @Test func `nobody works on a copy`() async throws {
        let queue = try await QueueFixture()
        _ = try await QueueReader(path: queue.path).backUp(to: queue.folder.file("copy.db"))
        let copy = try QueueReader(path: queue.folder.file("copy.db"))
        #expect(try copy.connections.readHere { try !$0.exists("SELECT 1 FROM daemon") })
        #expect(try QueueReader(path: queue.path).connections.readHere { try $0.exists("SELECT 1 FROM daemon") })
    }
}
