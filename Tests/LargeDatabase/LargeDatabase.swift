import Crypto
package import Foundation
import GRDB

/// Fills a database that the program has made with a service's long past: deliveries in all states, of many event types
/// and customers, with the rows that belong to them. Deterministic, and consistent with the schema's checks.
package struct LargeDatabase {
    private let url: URL
    private let rows: Int
    private let openPercent: Int
    private let body: [UInt8]
    private let due: Range<Int64>

    /// There is no endpoint that the deliveries could belong to.
    package struct NoEndpoint: Error {}

    /// - Parameters:
    ///   - rows: deliveries.
    ///   - openPercent: of a hundred deliveries, those that are open; of the others one in six is dead.
    ///   - body: of each delivery whose body is still kept.
    ///   - due: when what is scheduled comes due, in seconds from now; negative: it is already.
    package init(
        url: URL, rows: Int, openPercent: Int, body: [UInt8] = Array("{}".utf8), due: Range<Int64> = -60..<14_340
    ) {
        self.url = url
        self.rows = rows
        self.openPercent = openPercent
        self.body = body
        self.due = due
    }

    /// - Throws: what SQLite says; also when the database has no endpoint yet.
    package func fill() throws {
        var configuration = Configuration()
        configuration.busyMode = .timeout(5)
        let queue = try DatabaseQueue(path: url.path, configuration: configuration)
        try queue.write { db in
            let endpoints = try Int.fetchOne(db, sql: "SELECT COUNT(*) FROM endpoint") ?? 0
            guard endpoints > 0 else { throw NoEndpoint() }
            let now = Int64(Date().timeIntervalSince1970 * 1_000)
            try insertDeliveries(db, endpoints: endpoints, now: now)
            try insertBodies(db, now: now)
            for statement in Self.dependents {
                try db.execute(sql: statement, arguments: statement.contains(":now") ? ["now": now] : [])
            }
        }
        // A reading command shall not find a write-ahead log of gigabytes, which no daemon leaves behind.
        try queue.writeWithoutTransaction { _ = try $0.checkpoint(.truncate) }
        try queue.close()
    }

    /// Spread evenly over the last 60 days, the open ones over the last two: what an age limit leaves.
    private func insertDeliveries(_ db: Database, endpoints: Int, now: Int64) throws {
        try db.execute(
            sql: """
                WITH RECURSIVE placed AS (SELECT id, row_number() OVER (ORDER BY id) - 1 AS place FROM endpoint),
                number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < :rows),
                mixed AS (SELECT n, n * 2654435761 / 4096 % 100 AS share FROM number),
                shaped AS (
                    SELECT
                        n,
                        CASE WHEN share >= :open
                             THEN CASE WHEN n % 6 = 5 THEN 'dead' ELSE 'delivered' END
                             WHEN n % 400 = 7 THEN 'attempting'
                             WHEN n % 40 = 3 THEN 'awaiting'
                             ELSE 'scheduled' END AS state,
                        CASE WHEN share >= :open THEN :now - 172800000 - (:rows - n) * 5011200000 / :rows
                             ELSE :now - 600000 - n * 7919 % 171000000 END AS failed_ms
                    FROM mixed
                )
                INSERT INTO delivery (
                    endpoint_id, task_id, event_type, customer_id, webhook_id, state, cycle_started_ms, attempts_used,
                    logged_ms, first_failed_ms, last_failed_ms, next_attempt_ms, lease_token, lease_until_ms, called_ms,
                    confirm_by_ms, finalized_ms, dead_reason, delivered_by, delivered_evidence, delivered_task_id,
                    last_error, created_ms, updated_ms, turn_ms)
                SELECT
                    placed.id,
                    'large-' || n,
                    CASE n % 13 WHEN 0 THEN 'profile_create' WHEN 1 THEN 'profile_update'
                        WHEN 2 THEN 'profile_status_change' WHEN 3 THEN 'document_upload' WHEN 4 THEN 'document_update'
                        WHEN 5 THEN 'zip_file_create' ELSE 'event_type_' || (n % 40) END,
                    CASE WHEN n % 50 <> 0 THEN 'customer-' || (n * 31 % (:rows / 20 + 1)) END,
                    'webhook-' || (n % 2),
                    state,
                    failed_ms,
                    CASE WHEN state = 'dead' THEN 14 ELSE n % 5 END,
                    failed_ms,
                    failed_ms,
                    failed_ms + 60000 * (n % 5),
                    CASE WHEN state = 'scheduled' THEN :now + :due + n * 6151 % :window END,
                    n % 5 + 1,
                    CASE WHEN state = 'attempting' THEN :now + 60000 END,
                    CASE WHEN state IN ('attempting', 'awaiting') THEN :now - 30000 END,
                    CASE WHEN state = 'awaiting' THEN :now + 570000 END,
                    CASE WHEN state IN ('delivered', 'dead') THEN failed_ms + 3600000 END,
                    CASE WHEN state = 'dead'
                        THEN CASE n % 5 WHEN 0 THEN 'age' WHEN 1 THEN 'rejected' ELSE 'attempts' END END,
                    CASE WHEN state = 'delivered' THEN CASE n % 8 WHEN 0 THEN 'provider' ELSE 'worker' END END,
                    CASE WHEN state = 'delivered' THEN 'log' END,
                    CASE WHEN state = 'delivered' THEN 'large-' || n END,
                    CASE n % 7 WHEN 0 THEN 'HTTP 503: the receiver is down' WHEN 1 THEN 'connection refused'
                        ELSE 'read timed out after 30 s' END,
                    failed_ms + 30000,
                    failed_ms + 3600000,
                    failed_ms
                FROM shaped JOIN placed ON placed.place = n % :endpoints
                """,
            arguments: [
                "rows": rows, "open": openPercent, "endpoints": endpoints, "now": now,
                "due": due.lowerBound * 1_000, "window": due.count * 1_000,
            ])
    }

    private func insertBodies(_ db: Database, now: Int64) throws {
        try db.execute(
            sql: """
                INSERT INTO delivery_body (delivery_id, body, sha256, task_id_json, customer_id_json, webhook_id_json)
                SELECT
                    id, CASE WHEN state <> 'delivered' OR finalized_ms > :now - 604800000 THEN :body END, :sha256,
                    '"' || task_id || '"', coalesce('"' || customer_id || '"', 'null'), '"' || webhook_id || '"'
                FROM delivery WHERE task_id LIKE 'large-%'
                """,
            arguments: ["now": now, "body": Data(body), "sha256": Data(SHA256.hash(data: body))])
    }

    /// The rows that a delivery's life leaves beside it, and the counters that rise with them.
    private static let dependents = [
        // The provider's own failure, and a success where there was one.
        """
        INSERT INTO log_entry (endpoint_id, task_id, logged_ms, outcome, delivery_id, http_status, error, found_ms, seen_ms)
        SELECT
            endpoint_id, task_id, first_failed_ms, 'failed', id, 503, last_error, created_ms, created_ms
        FROM delivery WHERE task_id LIKE 'large-%'
        UNION ALL
        SELECT endpoint_id, task_id, finalized_ms - 1000, 'succeeded', id, 200, NULL, finalized_ms, finalized_ms
        FROM delivery WHERE task_id LIKE 'large-%' AND state = 'delivered'
        """,
        // The newest call of each delivery that had one.
        """
        INSERT INTO attempt (
            delivery_id, cycle, number, kind, lease_token, intent_ms, answered_ms, answer, http_status, outcome,
            settled_ms)
        SELECT
            id, 1, attempts_used + (state <> 'dead'), 'scheduled', lease_token,
            coalesce(called_ms, updated_ms - 2000),
            CASE WHEN state <> 'attempting' THEN coalesce(called_ms, updated_ms - 2000) + 80 END,
            CASE WHEN state <> 'attempting' THEN 'accepted' END, CASE WHEN state <> 'attempting' THEN 200 END,
            CASE state WHEN 'delivered' THEN 'delivered' WHEN 'dead' THEN 'failed' WHEN 'scheduled' THEN 'failed' END,
            CASE WHEN state NOT IN ('attempting', 'awaiting') THEN updated_ms END
        FROM delivery WHERE task_id LIKE 'large-%' AND (state <> 'scheduled' OR attempts_used > 0)
        ORDER BY id
        """,
        """
        INSERT INTO operator_action (at_ms, who, action, endpoint_id, delivery_id, reason)
        SELECT updated_ms, 'on-call', 'requeue', endpoint_id, id, 'the receiver is back'
        FROM delivery WHERE task_id LIKE 'large-%' AND id % 100 = 0
        """,
        """
        INSERT OR IGNORE INTO metric_event_type (name, position)
        SELECT event_type, (SELECT COUNT(*) FROM metric_event_type) + row_number() OVER (ORDER BY event_type) - 1
        FROM (SELECT DISTINCT event_type FROM delivery WHERE event_type NOT IN (SELECT name FROM metric_event_type))
        LIMIT 32 - (SELECT COUNT(*) FROM metric_event_type)
        """,
        """
        INSERT INTO counter (name, label_1, label_2, value)
        SELECT 'deliveries_finalized', coalesce(metric_event_type.name, 'other'), state, COUNT(*)
        FROM delivery LEFT JOIN metric_event_type ON metric_event_type.name = event_type
        WHERE task_id LIKE 'large-%' AND state IN ('delivered', 'dead') GROUP BY 2, 3
        ON CONFLICT (name, label_1, label_2) DO UPDATE SET value = value + excluded.value
        """,
        """
        INSERT INTO counter (name, label_1, value)
        SELECT 'retry_requests', answer, COUNT(*) FROM attempt WHERE answer IS NOT NULL GROUP BY answer
        ON CONFLICT (name, label_1, label_2) DO UPDATE SET value = excluded.value
        """,
        """
        INSERT INTO unreadable_entry (endpoint_id, sha256, reason, detail, raw, raw_length, logged_ms, seen_ms)
        SELECT endpoint_id, randomblob(32), 'unknown_outcome', 'the word is not known', CAST('{}' AS BLOB), 2, logged_ms, :now
        FROM delivery WHERE task_id LIKE 'large-%' AND id % 1000 = 1
        """,
    ]
}
