import GRDB
import Synchronization
import Testing

@testable import DeliveryQueue
@testable import QueueFixtures

/// A statement that runs for each delivery must not cost more than what it changes.
@Suite struct StatementCostTests {
    /// The SQL that one connection runs, each statement once.
    private final class Statements: Sendable {
        private let seen = Mutex<Set<String>>([])

        func watch(_ db: Database) {
            db.trace { event in
                guard case .statement(let statement) = event else { return }
                _ = self.seen.withLock { $0.insert(statement.expandedSQL) }
            }
        }

        var all: [String] { seen.withLock { $0.sorted() } }
    }

    /// SQLite makes a temporary table for `RETURNING`, for a list of three or more values in a `CHECK` or the condition
    /// of an index, and to sort. Each took longer than moving a delivery.
    @Test func `to store, claim, record and settle a delivery makes no table beside the database's own`() async throws {
        let queue = try await QueueFixture()
        let statements = Statements()
        try await queue.store.pool.write { statements.watch($0) }
        try await queue.run("UPDATE endpoint SET retry_shows = 'new_entry'")
        // `b` is of a customer whose other delivery was called, so every query that an entry can need runs.
        try await queue.accepted("a", failed: start, called: start + .minutes(2))
        try await queue.ingest(.failure("b", of: "a", at: start + .minutes(2)), at: start + .minutes(3))
        try await queue.ingest(.failure("c", at: start + .minutes(3)), at: start + .minutes(3))
        for claimed in try await queue.claim(at: start + .minutes(30)) {
            try await queue.record(claimed, .accepted, at: start + .minutes(30))
        }
        try await queue.ingest(
            .success("c", at: start + .minutes(30)), .failure("a", at: start + .minutes(30)), at: start + .minutes(31))

        let changing = statements.all.filter { sql in ["INSERT", "UPDATE", "SELECT"].contains { sql.hasPrefix($0) } }
        #expect(changing.contains { $0.hasPrefix("INSERT INTO delivery ") && $0.contains("'c'") })
        #expect(changing.contains { $0.hasPrefix("UPDATE delivery SET updated_ms") && $0.contains("'awaiting'") })
        // SQLite may sort only to choose among the few candidates of a match by content.
        for sql in changing where !sql.contains("delivery_body.sha256 =") {
            let codes = try await queue.store.pool.read { db in
                try Row.fetchAll(db, sql: "EXPLAIN " + sql).map { $0["opcode"] as String }
            }
            #expect(!codes.contains("OpenEphemeral") && !codes.contains("SorterOpen"), "\(sql)")
        }
    }

    /// An operator may ask for all deliveries at once.
    @Test func `a claim looks at no delivery that it does not need`() async throws {
        let queue = try await QueueFixture()
        let statements = Statements()
        try await queue.run("UPDATE endpoint SET retry_shows = 'new_entry'")
        try await queue.store.pool.write { statements.watch($0) }
        _ = try await queue.claim(at: start)
        let due = statements.all.filter { $0.contains("next_attempt_ms <=") && $0.hasPrefix("SELECT") }
        #expect(!due.isEmpty)
        for sql in due {
            let plan = try await queue.store.pool.read { db in
                try Row.fetchAll(db, sql: "EXPLAIN QUERY PLAN " + sql).map { $0["detail"] as String }.joined()
            }
            #expect(
                plan.contains(sql.contains("manual_ms IS NOT NULL") ? "delivery_manual" : "delivery_due"), "\(plan)")
        }
    }

    /// The metrics file is made anew every few seconds.
    @Test func `a snapshot counts by indexes of what is open`() async throws {
        let queue = try await QueueFixture()
        try await queue.accepted("a", failed: start, called: start + .minutes(2))
        let reader = try QueueReader(path: queue.path)
        let statements = Statements()
        try await reader.queue.read { statements.watch($0) }
        _ = try reader.snapshot(at: start + .minutes(3))

        let counting = statements.all.filter {
            $0.contains("COUNT(*)") && $0.contains("FROM delivery") && !$0.contains("delivery_standing")
        }
        #expect(counting.count == 3)
        for sql in counting {
            let plan = try await queue.store.pool.read { try ViewPlan.lines($0, sql) }
            // The called deliveries are few, and are read from the table.
            let index = ["COVERING INDEX delivery_event", "INDEX delivery_waiting", "INDEX delivery_leased"]
            #expect(index.contains { plan.joined().contains("SCAN delivery USING \($0)") }, "\(sql): \(plan)")
        }
    }
}
