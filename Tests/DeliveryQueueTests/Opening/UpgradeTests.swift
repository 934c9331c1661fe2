import Foundation
import GRDB
import TestSupport
import Testing

@testable import DeliveryQueue
@testable import QueueFixtures

/// A database of an older release, with a row of every kind, is opened by a later one.
@Suite struct UpgradeTests {
    private let folder: TemporaryFolder
    private let path: String

    init() throws {
        folder = try TemporaryFolder()
        path = folder.file("queue.db")
    }

    @Test(arguments: 1..<LaterRelease.steps.count)
    func `an older database keeps every row, is sound, and has the schema of a new one`(version: Int) async throws {
        try LaterRelease.makeOlder(path, steps: version)
        let queue = try DatabaseQueue(path: path)
        let (columns, before) = try await queue.read { db in
            var columns = try DatabaseContent.columns(db)
            // A later step fills it anew.
            columns["delivery"]?.removeAll { $0 == "note" }
            return (columns, try DatabaseContent.rows(db, columns: columns))
        }
        try queue.close()
        #expect(before.count >= 17 && before.values.allSatisfy { !$0.isEmpty }, "a table without rows proves nothing")

        let store = try LaterRelease.open(path)
        let new = try LaterRelease.open(folder.file("new.db"))

        #expect(try await store.pool.read { try DatabaseContent.rows($0, columns: columns) } == before)
        let schema = try await new.pool.read { try DatabaseContent.schema($0) }
        #expect(try await store.pool.read { try DatabaseContent.schema($0) } == schema)
        let newest = try await store.pool.read { try Int.fetchOne($0, sql: "PRAGMA user_version") }
        #expect(newest == LaterRelease.steps.count)
        let faults = try await store.pool.read {
            try Session($0).structureFaults(.full) + Session($0).foreignKeyFaults()
        }
        #expect(faults.isEmpty)
    }

    /// Calls that the older release had begun when it was killed are brought to their end.
    @Test func `what was open goes on after an upgrade`() async throws {
        let queue = try await QueueFixture()
        try await queue.accepted("awaiting", failed: start, called: start + .minutes(2))
        try await queue.ingest(.failure("rejected", at: start + .minutes(2)), at: start + .minutes(2))
        try await queue.record(queue.claimOne(at: start + .minutes(4)), .rejected, at: start + .minutes(4))
        try await queue.ingest(.failure("called", at: start + .minutes(4)), at: start + .minutes(4))
        _ = try await queue.claimOne(at: start + .minutes(6))
        try await queue.ingest(.failure("waiting", at: start + .minutes(6)), at: start + .minutes(6))
        try queue.store.close()

        let now = start + .minutes(8)
        let store = try LaterRelease.open(queue.path, at: now)
        func state(_ task: String) async throws -> String? {
            try await store.pool.read {
                try String.fetchOne($0, sql: "SELECT state FROM delivery WHERE task_id = ?", arguments: [task])
            }
        }
        // An intent without an answer: nobody knows whether it was executed, so the log is asked.
        #expect(try await store.reclaimOpenIntents(rules: queue.rules, at: now) == 1)
        #expect(try await state("called") == "awaiting")
        let claim = try await store.claimDue(limit: 9, lease: .seconds(60), rules: queue.rules, at: now)
        #expect(claim.deliveries.map(\.taskID) == ["waiting"])
        let page = ObservedPage(
            endpointID: QueueFixture.endpoint,
            observations: [
                .success("awaiting", at: start + .minutes(3)), .success("called", at: start + .minutes(7)),
            ], unreadable: [], progress: ScanProgress(started: now))
        #expect(try await store.ingest(page, rules: queue.rules, at: now).delivered == 2)
        let dead = try await store.pool.read {
            try Int64.fetchOne($0, sql: "SELECT id FROM delivery WHERE task_id = 'rejected'") ?? 0
        }
        #expect(try await state("rejected") == "dead")
        #expect(try await store.act(.requeue, on: dead, by: "ann", reason: "upgraded", at: now))
        #expect(try await state("rejected") == "scheduled")
        #expect(try LaterRelease.run { try DatabaseContent.faults(of: queue.path) }.isEmpty)
    }

    /// SIGKILL leaves the files as they are. The test copies them before every statement of all steps, with a cache so
    /// small that SQLite writes changes before they are committed, and opens each copy as the next start would.
    @Test func `an upgrade that is killed at any statement is finished by the next start`() async throws {
        try LaterRelease.makeOlder(path)
        let states = try filesAtEachStatement()
        #expect(states.count > 30)
        let wanted = try await upgraded(path)
        for (number, state) in states.enumerated() {
            let found = try await upgraded(state)
            #expect(found == wanted, "killed before statement \(number)")
        }
        let before = try Set(states.map { try copyVersion(beside: $0) })
        #expect(before == Set(1..<LaterRelease.steps.count), "a kill in each step, and a copy of what it left")
    }

    /// - Returns: databases as they would lie there if the process were killed before each statement of the upgrade.
    private func filesAtEachStatement() throws -> [String] {
        let queue = try DatabaseQueue(path: path, configuration: SQLiteSettings.configuration())
        var states: [String] = []
        var failure: (any Error)?
        try queue.writeWithoutTransaction { db in
            try db.execute(sql: "PRAGMA cache_size = 1")
            db.trace { _ in
                let state = folder.file("state-\(states.count).db")
                do {
                    for suffix in ["", "-wal"] where FileManager.default.fileExists(atPath: path + suffix) {
                        try FileManager.default.copyItem(atPath: path + suffix, toPath: state + suffix)
                    }
                } catch {
                    failure = error
                }
                states.append(state)
            }
            try Migrations.apply(LaterRelease.steps, to: Session(db), at: start)
            db.trace()
        }
        try queue.close()
        if let failure { throw failure }
        return states
    }

    private func upgraded(_ path: String) async throws -> [String] {
        let store = try LaterRelease.open(path)
        let (whole, faults) = try await store.pool.read {
            (try DatabaseContent.whole($0), try Session($0).structureFaults(.full) + Session($0).foreignKeyFaults())
        }
        #expect(faults.isEmpty)
        try store.close()
        return whole
    }

    /// The version of the schema in the copy that was kept; 0: there is none.
    private func copyVersion(beside path: String) throws -> Int {
        let name = URL(filePath: path).lastPathComponent + ".before-schema-"
        let copies = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasPrefix(name) }
        #expect(copies.count == 1, "\(copies)")
        guard let copy = copies.first else { return 0 }
        return try DatabaseQueue(path: folder.file(copy)).read { try Int.fetchOne($0, sql: "PRAGMA user_version") ?? 0 }
    }
}
