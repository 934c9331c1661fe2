import Foundation
import GRDB
import LocalFiles
import Synchronization
import TestSupport
import Testing

@testable import DatabaseTools
@testable import DeliveryQueue
@testable import QueueFixtures

@Suite struct BackupTests {
    private let queue: QueueFixture
    private let target: TemporaryFolder

    init() async throws {
        queue = try await QueueFixture()
        target = try TemporaryFolder()
    }

    private var file: String { target.file("backup.db") }

    private func backUp() async throws -> CopyFacts {
        try await QueueReader(path: queue.path).backUp(to: file)
    }

    private func names() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: target.path).sorted()
    }

    /// Larger than one step of the copying.
    private func grow(_ count: Int = 300) async throws {
        for index in 0..<count {
            var observation = LogObservation.failure("large-\(index)", at: start)
            observation.body = [UInt8](repeating: 0x61, count: 40_000)
            try await queue.ingest(observation, at: start)
        }
    }

    @Test func `a backup is one private file with everything in it, in a form that can be used at once`() async throws {
        try await queue.ingest(.failure("a", at: start), .failure("b", at: start), at: start)
        try await queue.ingest(.success("b", at: start + .minutes(1)), at: start + .minutes(1))

        let facts = try await backUp()

        #expect(try names() == ["backup.db"])
        let attributes = try FileManager.default.attributesOfItem(atPath: file)
        #expect(attributes[.posixPermissions] as? Int == 0o600)
        #expect((attributes[.size] as? NSNumber)?.int64Value == facts.bytes)
        #expect(facts.deliveries == 2 && facts.open == 1 && facts.newest == start + .minutes(1))
        #expect(facts.schemaVersion == Migrations.steps.count)
        let reader = try QueueReader(path: file)
        #expect(reader.check().allSatisfy { $0.count == 0 })
        #expect(try reader.snapshot(at: start).open.map(\.scheduled) == [1])
        #expect(try names() == ["backup.db"])
    }

    @Test func `a snapshot tells when the last backup was made`() async throws {
        #expect(try await queue.store.snapshot(at: start).lastBackup == nil)
        for hours in [1, 3] { try await queue.store.noteBackup(at: start + .hours(hours)) }
        #expect(try await queue.store.snapshot(at: start).lastBackup == start + .hours(3))
    }

    /// Each transaction stores two deliveries. A backup that is not of one moment would have an odd number of them, or
    /// one without its body.
    @Test func `a backup while a writer never rests is of one moment and whole`() async throws {
        try await grow()
        let isDone = Mutex(false)
        let pages = Mutex(0)
        let writer = Task { [queue] in
            var index = 0
            while !isDone.withLock({ $0 }) {
                index += 1
                try await queue.ingest(
                    .failure("x\(index)", at: start), .failure("y\(index)", at: start), at: start)
                pages.withLock { $0 = index }
            }
        }
        var counts: [Int] = []
        for index in 0..<4 {
            let before = pages.withLock { $0 }
            let facts = try await QueueReader(path: queue.path).backUp(to: target.file("b\(index).db"))
            counts.append(facts.deliveries - 300)
            #expect(counts[index] % 2 == 0 && counts[index] / 2 >= before)
            #expect(try QueueReader(path: target.file("b\(index).db")).check().allSatisfy { $0.count == 0 })
        }
        isDone.withLock { $0 = true }
        try await writer.value
        #expect(try await queue.number("SELECT COUNT(*) FROM delivery") > Int64(counts[0] + 300))
    }

    // MARK: - Failing

    @Test func `a file that exists is never overwritten`() async throws {
        try Data("mine".utf8).write(to: URL(filePath: file))

        let error = await #expect(throws: StoreError.self) { try await backUp() }

        #expect(error?.kind == .inaccessible && error?.cause == "the file exists")
        #expect(try Data(contentsOf: URL(filePath: file)) == Data("mine".utf8))
        #expect(try names() == ["backup.db"])
    }

    @Test func `a file that appears during the backup is not overwritten either`() throws {
        let pending = try PendingFile(forDatabase: file, operation: "test")
        try Data("mine".utf8).write(to: URL(filePath: file))

        let error = #expect(throws: StoreError.self) { try pending.publish() }
        pending.remove()

        #expect(error?.hint == "name another file, or move that one away")
        #expect(try Data(contentsOf: URL(filePath: file)) == Data("mine".utf8))
        #expect(try names() == ["backup.db"])
    }

    /// Whoever may write to the folder puts a link in the new file's place, after it was made and before SQLite opens
    /// it.
    @Test(arguments: ["", "-journal", "-wal"])
    func `a link that is planted in time is not written through`(ending: String) throws {
        let pending = try PendingFile(forDatabase: file, operation: "test")
        defer { pending.remove() }
        let made = try #require(try names().first)
        let victim = queue.folder.file("victim")
        try Data("precious".utf8).write(to: URL(filePath: victim))
        try FileManager.default.moveItem(atPath: target.file(made), toPath: target.file("moved"))
        try FileManager.default.createDirectory(atPath: target.file(made), withIntermediateDirectories: false)
        try FileManager.default.createSymbolicLink(
            atPath: "\(target.file(made))/\(made)\(ending)", withDestinationPath: victim)

        let reader = try QueueReader(path: queue.path)
        try reader.connections.readHere { try $0.copy(to: pending.place) }
        let facts = try DatabaseCopy.examine(pending.place, .full)
        try pending.publish()

        #expect(try Data(contentsOf: URL(filePath: victim)) == Data("precious".utf8))
        #expect(try DatabaseCopy.examine(FilePlace(file), .full) == facts)
    }

    @Test func `nobody else can enter the folder in which a copy is made`() throws {
        let pending = try PendingFile(forDatabase: file, operation: "test")
        let made = try #require(try names().first)
        let facts = try FileManager.default.attributesOfItem(atPath: target.file(made))
        #expect(facts[.posixPermissions] as? Int == 0o700 && facts[.type] as? FileAttributeType == .typeDirectory)
        pending.remove()
        #expect(try names() == [])
    }

    @Test func `a folder that is not there is an error that names the file`() async throws {
        let file = target.file("none/backup.db")

        let error = await #expect(throws: StoreError.self) { try await QueueReader(path: queue.path).backUp(to: file) }

        #expect(error?.kind == .inaccessible && error?.operation.contains(file) == true)
    }

    @Test func `a cancelled backup leaves nothing behind`() async throws {
        try await grow()
        let reader = try QueueReader(path: queue.path)
        let task = Task { [file] in
            withUnsafeCurrentTask { $0?.cancel() }
            return try await reader.backUp(to: file)
        }

        let error = await #expect(throws: StoreError.self) { try await task.value }

        #expect(error?.kind == .cancelled && error?.cause == "cancelled; nothing is left behind")
        #expect(try names() == [])
    }

    @Test func `a database that is damaged gives no backup`() async throws {
        try await grow(20)
        try queue.store.close()
        try Damage.overwritePages(of: queue.path, from: 0.5)

        let error = await #expect(throws: StoreError.self) { try await backUp() }

        #expect(error?.kind == .storage)
        #expect(try names() == [])
    }
}
