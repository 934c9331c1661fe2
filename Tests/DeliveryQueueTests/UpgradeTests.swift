import Foundation
import GRDB
import Testing

@testable import DeliveryQueue

/// A database of every released schema, with deliveries in every state, becomes one of this release and its work goes on.
@Suite struct UpgradeTests {
    private let folder: TemporaryFolder
    private let path: String

    init() throws {
        folder = try TemporaryFolder()
        path = folder.file("queue.db")
    }

    @Test func `there is a frozen dump of every schema before this one`() throws {
        #expect(Set(try OldSchema.versions).isSuperset(of: 1..<Migrations.steps.count))
    }

    @Test(arguments: try OldSchema.versions)
    func `an older database keeps every row, is sound, and looks like a new one`(version: Int) async throws {
        try OldSchema.make(version, at: path)
        let queue = try DatabaseQueue(path: path)
        let (columns, before) = try await queue.read { (try OldSchema.columns($0), try OldSchema.rows($0)) }
        try queue.close()
        #expect(before.count >= 12 && before.values.allSatisfy { !$0.isEmpty }, "a table without rows proves nothing")

        let store = try QueueStore(path: path, now: start)
        let new = try QueueStore(path: folder.file("new.db"), now: start)

        #expect(try await store.pool.read { try OldSchema.rows($0, columns: columns) } == before)
        let sql = "SELECT type || ' ' || name || ' ' || coalesce(sql, '') FROM sqlite_schema ORDER BY type, name"
        let ofNew = try await new.pool.read { try String.fetchAll($0, sql: sql) }
        #expect(try await store.pool.read { try String.fetchAll($0, sql: sql) } == ofNew)
        #expect(
            try await store.pool.read { try Int.fetchOne($0, sql: "PRAGMA user_version") } == Migrations.steps.count)
        #expect(try OldSchema.faults(of: path).isEmpty)
    }

    /// What the programs of these versions had begun when they were stopped, killed rather, is brought to its end.
    @Test(arguments: try OldSchema.versions)
    func `what was open goes on after an upgrade`(version: Int) async throws {
        try OldSchema.make(version, at: path)
        let store = try QueueStore(path: path, now: start)
        let rules = RetryRules.exact()
        func state(_ task: String) async throws -> String? {
            try await store.read("look") {
                try String.fetchOne($0, sql: "SELECT state FROM delivery WHERE task_id = ?", arguments: [task])
            }
        }

        // The intent without an answer: nobody knows, so the log is asked.
        #expect(try await store.reclaimOpenIntents(rules: rules, at: start + .seconds(1)) == 1)
        #expect(try await state("d-3") == "awaiting")
        // What is due is called: not what is held, and not what an open circuit holds. Operators' retries are.
        let claim = try await store.claimDue(limit: 100, lease: .seconds(60), rules: rules, at: start + .minutes(2))
        let tasks = Set(claim.deliveries.map(\.taskID))
        #expect(tasks == Set(version < 2 ? ["d-1", "d-14"] : ["d-1", "d-14", "d-17", "d-18"]))
        // A success in the log proves the call that was on its way, under its own id and under the one that was named.
        let page = ObservedPage(
            endpointID: "ep-1",
            observations: [
                .success("d-3", at: start - .seconds(4), customer: "c-3"),
                .success("d-4b", of: "d-4", at: start - .seconds(59), customer: "c-4"),
            ], unreadable: [], progress: ScanProgress(started: start + .minutes(2)))
        #expect(try await store.ingest(page, rules: rules, at: start + .minutes(2)).delivered == 2)
        for task in ["d-3", "d-4"] { #expect(try await state(task) == "delivered") }
        // A dead one can be brought back.
        let dead = try await store.read("look") {
            try Int64.fetchOne($0, sql: "SELECT id FROM delivery WHERE task_id = 'd-9'") ?? 0
        }
        #expect(
            try await store.act(.requeue, on: dead, by: "ann", reason: "upgraded", at: start + .minutes(3)))
        #expect(try await state("d-9") == "scheduled")
        #expect(try OldSchema.faults(of: path).isEmpty)
    }

    /// SIGKILL leaves the files as they lie. They are taken at every statement of all steps, with a cache so small that
    /// SQLite writes what is not committed yet; each state is opened as the next start would.
    @Test func `an upgrade that is killed at any statement is finished by the next start`() async throws {
        try OldSchema.make(1, at: path)
        let states = try filesAtEachStatement()
        #expect(states.count > 60)
        let wanted = try await upgraded(folder.file("queue.db"))
        for (number, state) in states.enumerated() {
            let found = try await upgraded(state)
            #expect(found == wanted, "killed before statement \(number)")
        }
        let before = try Set(states.map { try copyVersion(beside: $0) })
        #expect(before == Set(1..<Migrations.steps.count), "a kill in each step, and a copy of what it left")
    }

    /// - Returns: databases as they would lie there if the process were killed before each statement of the upgrade.
    private func filesAtEachStatement() throws -> [String] {
        let queue = try DatabaseQueue(path: path, configuration: QueueStore.configuration())
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
            try Migrations.apply(to: db, at: start)
            db.trace()
        }
        try queue.close()
        if let failure { throw failure }
        return states
    }

    private func upgraded(_ path: String) async throws -> [String] {
        let store = try QueueStore(path: path, now: start)
        let (whole, faults) = try await store.pool.read {
            (try OldSchema.whole($0), try $0.structureFaults(.full) + $0.foreignKeyFaults())
        }
        #expect(faults.isEmpty)
        try store.close()
        return whole
    }

    /// Of the schema in the copy that was kept; 0: there is none.
    private func copyVersion(beside path: String) throws -> Int {
        let name = URL(filePath: path).lastPathComponent + ".before-schema-"
        let copies = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasPrefix(name) }
        #expect(copies.count == 1, "\(copies)")
        guard let copy = copies.first else { return 0 }
        return try DatabaseQueue(path: folder.file(copy)).read { try Int.fetchOne($0, sql: "PRAGMA user_version") ?? 0 }
    }
}
