import Foundation
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

    @Test func `nobody works on a copy`() async throws {
        let queue = try await QueueFixture()
        _ = try await QueueReader(path: queue.path).backUp(to: queue.folder.file("copy.db"))
        let copy = try QueueReader(path: queue.folder.file("copy.db"))
        #expect(try copy.connections.readHere { try !$0.exists("SELECT 1 FROM daemon") })
        #expect(try QueueReader(path: queue.path).connections.readHere { try $0.exists("SELECT 1 FROM daemon") })
    }
}
