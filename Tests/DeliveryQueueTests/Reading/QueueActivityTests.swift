import Foundation
import GRDB
import Synchronization
import Testing

@testable import DeliveryQueue
@testable import QueueFixtures

@Suite struct QueueActivityTests {
    private let queue: QueueFixture

    init() async throws {
        queue = try await QueueFixture()
    }

    private func activity(failures: Int = 10, at now: Timestamp = start) throws -> QueueActivity {
        try QueueReader(path: queue.path).activity(failures: failures, at: now)
    }

    @Test func `what comes due is counted by endpoint, each horizon with the ones before`() async throws {
        // Due one minute after they failed.
        for (place, due) in [-5, 0, 30, 60, 61, 300, 900, 3_600, 3_601].enumerated() {
            let failed = start + .seconds(due - 60)
            try await queue.ingest(.failure("t-\(place)", at: failed), at: start + .hours(2))
        }
        try await queue.ingest(
            .failure("other", at: start - .minutes(1)), endpoint: QueueFixture.other, at: start)

        let due = try activity().due
        #expect(due[QueueFixture.endpoint]?.counts == [2, 4, 6, 7, 8])
        #expect(due[QueueFixture.other]?.counts == [1, 1, 1, 1, 1])
    }

    @Test func `an endpoint without deliveries has nothing due`() throws {
        #expect(try activity().due[QueueFixture.other]?.counts == [0, 0, 0, 0, 0])
        #expect(try activity().failures.isEmpty)
    }

    @Test func `the last failures come newest first, with their error`() async throws {
        for (task, minutes) in [("a", 3), ("b", 1), ("c", 2)] {
            try await queue.ingest(
                .failure(task, at: start - .minutes(minutes), type: "type_\(task)", error: "error \(task)"), at: start)
        }

        let failures = try activity(failures: 2).failures
        #expect(failures.map(\.eventType) == ["type_b", "type_c"])
        #expect(failures.map(\.error) == ["error b", "error c"])
        #expect(failures.map(\.endpoint) == ["first", "first"])
        #expect(failures.map(\.failed) == [start - .minutes(1), start - .minutes(2)])
        #expect(failures.map(\.state) == [.scheduled, .scheduled])
    }

    @Test func `a failure without an error text has none, and one that has arrived since is none`() async throws {
        try await queue.ingest(.failure("a", at: start - .minutes(1)), .failure("b", at: start), at: start)
        try await queue.ingest(.success("b", at: start + .seconds(5)), at: start + .seconds(5))

        let failures = try activity().failures
        #expect(failures.map(\.failed) == [start - .minutes(1)] && failures.map(\.error) == [nil])
    }

    @Test func `a retry that failed again brings an old delivery back to the top`() async throws {
        try await queue.accepted("old", failed: start, called: start + .minutes(1))
        let later = start + .hours(1)
        for number in 0..<600 {
            try await queue.ingest(.failure("new-\(number)", at: start + .minutes(2)), at: start + .minutes(2))
        }
        try await queue.ingest(.failure("old", at: later, error: "again"), at: later)

        #expect(try activity(failures: 1, at: later).failures.map(\.error) == ["again"])
    }

    /// The million-row promise, as far as it can be proven without a million rows.
    @Test func `nothing reads all deliveries`() async throws {
        try await queue.ingest(.failure("a", at: start), at: start)
        let reader = try QueueReader(path: queue.path)
        let statements = Mutex<[String]>([])
        try reader.queue.inDatabase { db in
            db.trace { event in
                let sql = event.description
                statements.withLock { $0.append(sql) }
            }
        }
        _ = try reader.activity(failures: 10, at: start)
        try reader.queue.inDatabase { $0.trace(options: []) }

        let selects = statements.withLock { $0 }.filter { $0.contains("FROM delivery") }
        #expect(selects.count >= 2)
        for sql in selects {
            let plan = try await plan(of: sql)
            let scans = plan.filter { $0.hasPrefix("SCAN delivery") && !$0.contains("INDEX") }
            // By row number from the end, and stopped by a limit.
            #expect(scans.count <= sql.components(separatedBy: "FROM delivery ORDER BY id DESC LIMIT").count - 1)
        }
    }

    private func plan(of sql: String) async throws -> [String] {
        try await queue.store.pool.read { try ViewPlan.lines($0, sql) }
    }
}
