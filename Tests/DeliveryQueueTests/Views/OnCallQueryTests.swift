import GRDB
import TestSupport
import Testing

@testable import DeliveryQueue
@testable import QueueFixtures

/// What docs/on-call.md tells on-call to ask.
@Suite struct OnCallQueryTests {
    private let folder: TemporaryFolder
    private let store: QueueStore

    init() async throws {
        folder = try TemporaryFolder()
        store = try QueueStore(path: folder.file("queue.db"), now: start)
        let sample = ViewSample()
        try await store.pool.write { try sample.fill($0) }
    }

    @Test func `every query for on-call runs on a read-only connection and finds something`() async throws {
        let queries = try OnCallQueries.all()
        #expect(queries.count >= 10)
        var configuration = Configuration()
        configuration.readonly = true
        let reader = try DatabaseQueue(path: folder.file("queue.db"), configuration: configuration)
        for sql in queries {
            // The ellipsis stands for a value that the reader fills in.
            let asked = sql.replacing("customer_id = '…'", with: "customer_id = 'c-1'").replacing("'…'", with: "'t-20'")
            let count = try await reader.read { try Row.fetchAll($0, sql: asked).count }
            #expect(count > 0, "\(sql)")
        }
    }

    @Test func `every view that on-call is told of is there, and on-call is told of every view`() async throws {
        let views = try await store.pool.read { db in
            try String.fetchSet(db, sql: "SELECT name FROM sqlite_schema WHERE type = 'view' AND name GLOB 'v_*'")
        }
        #expect(try Set(OnCallQueries.views()) == views)
    }
}
