import Foundation
import Testing

/// A daemon that is killed while it brings an old database up to date.
@Suite struct KilledMigrationTests {
    /// Rows of every state, as the first release left them.
    private static let rows = """
        INSERT INTO endpoint (id, name, active, history_from_ms) VALUES ('e', 'e', 1, 0);
        WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < 60)
        INSERT INTO delivery (id, endpoint_id, task_id, event_type, customer_id, webhook_id, state, cycle_started_ms,
            attempts_used, logged_ms, first_failed_ms, last_failed_ms, next_attempt_ms, lease_token, lease_until_ms,
            called_ms, confirm_by_ms, finalized_ms, dead_reason, delivered_by, delivered_evidence, created_ms, updated_ms)
        SELECT n, 'e', 'task-' || n, 'profile_create', 'c-' || n, 'e',
            CASE n % 5 WHEN 0 THEN 'scheduled' WHEN 1 THEN 'attempting' WHEN 2 THEN 'awaiting' WHEN 3 THEN 'delivered'
                ELSE 'dead' END,
            1000, 1, 1000, 1000, 2000, iif(n % 5 = 0, 9000000000000, NULL), 1, iif(n % 5 = 1, 3000, NULL),
            iif(n % 5 IN (1, 2), 2500, NULL), iif(n % 5 = 2, 9000000000000, NULL), iif(n % 5 > 2, 9000000000000, NULL),
            iif(n % 5 = 4, 'attempts', NULL), iif(n % 5 = 3, 'worker', NULL), iif(n % 5 = 3, 'log', NULL), 1000, 2000
        FROM number;
        INSERT INTO delivery_body (delivery_id, body, sha256, task_id_json, customer_id_json, webhook_id_json)
        SELECT id, CAST('{"n":' || id || '}' AS BLOB), zeroblob(32), '"' || task_id || '"', '"c"', '"e"' FROM delivery;
        INSERT INTO attempt (delivery_id, cycle, number, kind, lease_token, intent_ms)
        SELECT id, 1, 1, 'scheduled', 1, 2500 FROM delivery WHERE state IN ('attempting', 'awaiting');
        """

    /// What a migration must keep; an open call becomes one that the log decides.
    private static let content = """
        SELECT group_concat(line, ';') FROM (
            SELECT delivery.id || task_id || replace(state, 'attempting', 'awaiting') || attempts_used || hex(body)
                || coalesce(attempt.intent_ms, '') || coalesce(dead_reason, '') AS line
            FROM delivery JOIN delivery_body ON delivery_body.delivery_id = delivery.id
            LEFT JOIN attempt ON attempt.delivery_id = delivery.id ORDER BY delivery.id)
        """

    /// Kills at every n-th write into the log, whole and torn, until a start passes untouched; the steps are far apart in a
    /// usual test run. After each kill the next start goes on.
    @Test func `a migration that is killed anywhere goes on at the next start and loses no row`() async throws {
        try await withBench { bench in
            let stride = Torture.wantedKills > 200 ? 1 : 13
            var number = 1
            var kills = 0
            while try await migrate(killedAt: number, bench, &kills) { number += stride }
            print("migration: \(kills) kills, each followed by a start that went on")
            #expect(kills > 5)
        }
    }

    /// - Returns: false when the point lies behind the migration.
    private func migrate(killedAt number: Int, _ bench: Bench, _ kills: inout Int) async throws -> Bool {
        let point = KillPoint(number % 2 == 0 ? "wal-write" : "wal-write/half", number)
        let redeliver = try bench.redeliver(RedeliverSettings(unreachable: "e"))
        let before: String
        do {
            let old = try OldDatabase(at: redeliver.database, version: 1)
            try old.write(Self.rows)
            before = try redeliver.texts(Self.content)[0]
        }
        let daemon = try bench.start(
            "redeliver", ["run", "--config", redeliver.configuration.path], environment: try point.environment())
        try await waitUntil("it is killed or ready") { !daemon.isRunning || daemon.errors.contains(" started") }
        let wasReady = daemon.errors.contains(" started")
        try #require(try await daemon.stop(SIGKILL) == .signal(SIGKILL), "\(point): \(daemon.errors)")
        guard !wasReady else { return false }
        kills += 1

        let version = try redeliver.number("PRAGMA user_version")
        #expect((1...Self.newest).contains(version), "\(point)")
        #expect(try redeliver.number("SELECT MAX(version) FROM schema_migration") == version, "\(point)")
        #expect(try redeliver.texts("PRAGMA integrity_check") == ["ok"], "\(point)")
        #expect(try redeliver.texts("PRAGMA foreign_key_check") == [], "\(point)")
        #expect(try redeliver.texts(Self.content) == [before], "\(point)")
        let next = try await redeliver.start()
        #expect(try await next.stop(SIGKILL) == .signal(SIGKILL))
        #expect(try redeliver.number("PRAGMA user_version") == Self.newest, "\(point)")
        #expect(try redeliver.texts(Self.content) == [before], "\(point)")
        return true
    }

    private static let newest: Int = {
        let folder = URL(filePath: #filePath).appending(path: "../../../migrations").standardizedFileURL
        return (try? FileManager.default.contentsOfDirectory(atPath: folder.path).count { $0.hasSuffix(".sql") }) ?? 0
    }()
}
