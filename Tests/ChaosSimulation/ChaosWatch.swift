import DeliveryQueue
import Foundation
import GRDB

/// Looks into the database beside the worker, through a connection of its own.
final class ChaosWatch: Sendable {
    /// One row of `attempt`.
    struct Attempt: Sendable, CustomStringConvertible {
        var id: Int64
        var leaseToken: Int64
        var cycle: Int
        var isManual: Bool
        var isTrial: Bool
        var intent: Int64
        var answered: Int64?
        var answer: String?
        var settled: Int64?
        var outcome: String?

        static let columns = """
            id, delivery_id, lease_token, cycle, kind, is_trial, intent_ms, answered_ms, answer, settled_ms, outcome
            """

        init(row: Row) {
            id = row["id"]
            leaseToken = row["lease_token"]
            cycle = row["cycle"]
            isManual = row["kind"] == "manual"
            isTrial = row["is_trial"]
            intent = row["intent_ms"]
            answered = row["answered_ms"]
            answer = row["answer"]
            settled = row["settled_ms"]
            outcome = row["outcome"]
        }

        var description: String {
            let kind = (isManual ? " by hand" : "") + (isTrial ? " as a trial" : "")
            return "attempt \(leaseToken)\(kind) in cycle \(cycle) at \(intent): \(answer ?? "-") \(outcome ?? "open")"
        }
    }

    /// The state of a delivery when a call of it reaches the provider.
    struct Standing: Sendable {
        var deliveryID: Int64
        var leaseToken: Int64
        var state: String
        /// The newest one first.
        var attempts: [Attempt]
    }

    let queue: DatabaseQueue

    init(path: String) throws {
        var configuration = Configuration()
        configuration.readonly = true
        queue = try DatabaseQueue(path: path, configuration: configuration)
    }

    func close() {
        try? queue.close()
    }

    /// nil: no such delivery, or none that was ever claimed.
    func standing(endpoint: String, taskID: String) -> Standing? {
        let found = try? queue.read { db -> Standing? in
            guard
                let row = try Row.fetchOne(
                    db, sql: "SELECT id, lease_token, state FROM delivery WHERE endpoint_id = ? AND task_id = ?",
                    arguments: [endpoint, taskID])
            else { return nil }
            let attempts = try Self.attempts(of: row["id"], db)
            return Standing(
                deliveryID: row["id"], leaseToken: row["lease_token"], state: row["state"],
                attempts: attempts.reversed())
        }
        return found ?? nil
    }

    /// Whether old rows of an endpoint's log are to be read for a decision: a part is unread, the log says that the
    /// provider is at it, its silence is to count, or a delivery's own row may show what becomes of it.
    func needsOldRows(of endpoint: String, at now: Timestamp) -> Bool {
        let found = try? queue.read { db in
            try Bool.fetchOne(
                db,
                sql: """
                    SELECT EXISTS (SELECT 1 FROM scan_gap WHERE endpoint_id = :id)
                        OR EXISTS (SELECT 1 FROM log_entry WHERE endpoint_id = :id AND is_open = 1)
                        OR EXISTS (SELECT 1 FROM delivery WHERE endpoint_id = :id AND confirm_by_ms <= :now)
                        OR EXISTS (
                            SELECT 1 FROM delivery JOIN endpoint ON endpoint.id = delivery.endpoint_id
                            WHERE endpoint_id = :id AND retry_shows <> 'new_entry'
                                AND delivery.state NOT IN ('delivered', 'dead'))
                    """,
                arguments: ["id": endpoint, "now": (now + RetryRules.clockTolerance).milliseconds])
        }
        return (found ?? nil) ?? true
    }

    /// How many holds of an endpoint have ended.
    func openings(of endpoint: String) -> Int {
        let found = try? queue.read { db in
            try Int.fetchOne(db, sql: "SELECT openings FROM endpoint WHERE id = ?", arguments: [endpoint])
        }
        return (found ?? nil) ?? 0
    }

    /// - Throws: `ChaosViolation` when SQLite finds the file damaged.
    func verify(at now: Duration) throws {
        let (damage, foreign) = try queue.read { db in
            (
                try String.fetchAll(db, sql: "PRAGMA integrity_check"),
                try Row.fetchAll(db, sql: "PRAGMA foreign_key_check").count
            )
        }
        guard damage == ["ok"], foreign == 0 else {
            throw ChaosViolation(promise: "the database is whole", detail: "\(damage), \(foreign)", time: now)
        }
    }

    /// The oldest first.
    static func attempts(of delivery: Int64, _ db: Database) throws -> [Attempt] {
        try Row.fetchAll(
            db, sql: "SELECT \(Attempt.columns) FROM attempt WHERE delivery_id = ? ORDER BY id", arguments: [delivery]
        ).map(Attempt.init(row:))
    }
}
