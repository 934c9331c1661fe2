import Foundation
import GRDB
import TestSupport
import Testing

@testable import DeliveryQueue
@testable import QueueFixtures

/// Each step of the schema is applied once and whole, and a database made with other steps is refused.
@Suite struct MigrationTests {
    private let folder: TemporaryFolder
    private let path: String

    init() throws {
        folder = try TemporaryFolder()
        path = folder.file("queue.db")
    }

    private func change(_ sql: String) throws {
        let queue = try DatabaseQueue(path: path)
        try queue.write { try $0.execute(sql: sql) }
        try queue.close()
    }

    /// The folder at the top level is the schema's only home.
    @Test func `the list of migrations is the folder's files in order, and their texts`() throws {
        let folder = Checkout.root.appending(path: "migrations").path
        let files = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(".sql") }.sorted()

        #expect(files == Migrations.steps.map { $0.name + ".sql" })
        for step in Migrations.steps {
            let text = try #require(FileManager.default.contents(atPath: "\(folder)/\(step.name).sql"))
            #expect(text == Data(step.sql))
            #expect(
                step.name.hasPrefix(String(repeating: "0", count: 4 - "\(step.version)".count) + "\(step.version)_"))
        }
        #expect(Migrations.steps.map(\.version) == Array(1...Migrations.steps.count))
    }

    @Test func `opening again applies nothing and loses nothing`() async throws {
        let store = try QueueStore(path: path, now: start)
        try await store.registerEndpoints([(id: "e", name: "n")], historyFrom: start, at: start)
        try store.close()

        let again = try QueueStore(path: path, now: start + .days(1))
        let applied = try await again.pool.read {
            try Int64.fetchAll($0, sql: "SELECT applied_ms FROM schema_migration")
        }
        #expect(applied == Migrations.steps.map { _ in start.milliseconds })
        #expect(try await again.snapshot(at: start).endpoints.map(\.id) == ["e"])
    }

    @Test func `later steps are applied to an existing database, once each`() async throws {
        try QueueStore(path: path, now: start).close()

        try LaterRelease.open(path, at: start + .days(1)).close()
        let store = try LaterRelease.open(path, at: start + .days(2))
        let applied = try await store.pool.read {
            try Int64.fetchAll($0, sql: "SELECT applied_ms FROM schema_migration ORDER BY version")
        }
        let later = LaterRelease.steps.count - Migrations.steps.count
        #expect(
            applied == Migrations.steps.map { _ in start.milliseconds }
                + Array(repeating: (start + .days(1)).milliseconds, count: later))
    }

    @Test func `a step that fails leaves the schema as it was`() throws {
        let steps = Migrations.steps
        let broken = Migrations.Step(
            version: steps.count + 1, name: "broken",
            sql: Array("CREATE TABLE half (x); CREATE TABLE endpoint (x)".utf8))
        try QueueStore(path: path, now: start).close()

        #expect(throws: StoreError.self) {
            try Migrations.$steps.withValue(steps + [broken]) { try QueueStore(path: path, now: start) }
        }
        let queue = try DatabaseQueue(path: path)
        #expect(try queue.read { try $0.tableExists("half") } == false)
        #expect(try queue.read { try Int.fetchOne($0, sql: "PRAGMA user_version") } == steps.count)
    }

    // MARK: - Refusals

    /// - Returns: the refusal, which leaves the file as it was.
    private func refusal(byLaterRelease isLater: Bool = false) throws -> StoreError {
        let before = try Data(contentsOf: URL(filePath: path))
        let error = #expect(throws: StoreError.self) {
            try isLater ? LaterRelease.open(path) : QueueStore(path: path, now: start)
        }
        #expect(error?.kind == .incompatible)
        #expect(try Data(contentsOf: URL(filePath: path)) == before)
        return try #require(error)
    }

    @Test func `a newer schema is refused, naming both versions, and stays as it is`() throws {
        try QueueStore(path: path, now: start).close()
        try change(
            """
            INSERT INTO schema_migration VALUES (41, '0041_new' || char(10) || 'er', X'00', 5);
            PRAGMA user_version = 41
            """)

        let error = try refusal()
        let known = "version 41 (0041_newer), this program knows up to version \(Migrations.steps.count)"
        #expect(error.description.contains(known))
        #expect(error.hint?.contains(".before-schema-41-TIME") == true)
    }

    @Test func `the next release's database is refused as a newer one`() throws {
        try LaterRelease.open(path).close()

        let error = try refusal()
        #expect(error.cause.hasPrefix("its schema has version \(LaterRelease.steps.count) (0004_later), this program"))
    }

    @Test func `a migration that was applied with another text is refused by name, with both texts' hashes`() throws {
        try LaterRelease.open(path).close()
        let ours = LaterRelease.steps[1].sha256.prefix(6).map { String(format: "%02x", $0) }.joined()
        for (sql, known) in [
            ("UPDATE schema_migration SET sha256 = zeroblob(32) WHERE version = 2", "000000000000"),
            ("DELETE FROM schema_migration WHERE version = 2", "none"),
        ] {
            try change(sql)

            let error = try refusal(byLaterRelease: true)
            let cause = "migration 0002_later, version 2 of the schema, was applied with another text (\(known)) than"
            #expect(error.cause == cause + " this program's (\(ours))")
        }
    }

    /// Builds before the first release had nine steps, the first of them with another text.
    @Test(arguments: [1, 2, 9])
    func `a database of an unreleased build is refused, and the refusal says what to do`(version: Int) throws {
        try QueueStore(path: path, now: start).close()
        try change(
            """
            UPDATE schema_migration SET sha256 = X'0a6634b93441e0f6251213a63901e567f98941b9dfb9496bfd7bf567bf0d0c37';
            PRAGMA user_version = \(version)
            """)

        for error in [try refusal(), try refusal(byLaterRelease: true)] {
            #expect(error.cause.hasPrefix("it was made by an unreleased build of Redeliver"))
            #expect(error.hint?.hasPrefix("move it away") == true)
            #expect(error.hint?.contains("poll.initial_lookback") == true)
        }
        #expect(throws: StoreError.self) { try QueueReader(path: path) }
    }
}
