import Foundation
import GRDB

/// The content of the database at a moment, as far as the promises need it.
struct ChaosSnapshot: Sendable {
    struct Delivery: Sendable, Equatable, CustomStringConvertible {
        var id: Int64
        var endpoint: String
        var taskID: String
        var eventType: String
        var state: String
        var cycle: Int
        var used: Int
        var deadReason: String?
        var evidence: String?
        var evidenceTask: String?
        var leaseToken: Int64
        var body: [UInt8]?
        var hash: [UInt8]
        var ids: [String]
        /// `next_attempt_ms`, `lease_until_ms` or `confirm_by_ms`.
        var due: Int64

        var description: String {
            """
            delivery \(id) of \(endpoint), task \(taskID), \(eventType): \(state) \(deadReason ?? evidence ?? ""), cycle \(cycle), \
            used \(used), lease \(leaseToken), due \(due)
            """
        }

        var isFinal: Bool { state == "delivered" || state == "dead" }
    }

    var deliveries: [Int64: Delivery] = [:]
    var attempts: [Int64: [ChaosWatch.Attempt]] = [:]
    /// `endpoint task logged outcome`, with the delivery's number.
    var entries: [String: Int64?] = [:]
    /// Our time at which each was first read, by the same names.
    var found: [String: Int64] = [:]
    var unreadable = 0
    var counters: [String: Int64] = [:]
    var operatorActions = 0
    /// How often operators acted on each delivery.
    var acted: [Int64: Int] = [:]
    /// Further task ids that belong to a delivery.
    var aliases: [String: Int64] = [:]

    init() {}

    init(_ watch: ChaosWatch) throws {
        self = try watch.queue.read { try ChaosSnapshot($0) }
    }

    private init(_ db: Database) throws {
        for row in try Row.fetchAll(
            db, sql: "SELECT * FROM delivery JOIN delivery_body ON delivery_body.delivery_id = delivery.id")
        {
            let delivery = Delivery(
                id: row["id"], endpoint: row["endpoint_id"], taskID: row["task_id"], eventType: row["event_type"],
                state: row["state"], cycle: row["cycle"], used: row["attempts_used"], deadReason: row["dead_reason"],
                evidence: row["delivered_evidence"], evidenceTask: row["delivered_task_id"],
                leaseToken: row["lease_token"], body: (row["body"] as Data?).map(Array.init),
                hash: Array(row["sha256"] as Data),
                ids: [row["task_id_json"], row["customer_id_json"], row["webhook_id_json"]],
                due: row["next_attempt_ms"] ?? row["lease_until_ms"] ?? row["confirm_by_ms"] ?? 0)
            deliveries[delivery.id] = delivery
        }
        for row in try Row.fetchAll(db, sql: "SELECT \(ChaosWatch.Attempt.columns) FROM attempt ORDER BY id") {
            attempts[row["delivery_id"], default: []].append(.init(row: row))
        }
        for row in try Row.fetchAll(db, sql: "SELECT * FROM log_entry") {
            let key =
                "\(row["endpoint_id"] as String) \(row["task_id"] as String) \(row["logged_ms"] as Int64) \(row["outcome"] as String)"
            entries[key] = .some(row["delivery_id"] as Int64?)
            found[key] = row["found_ms"]
        }
        for row in try Row.fetchAll(db, sql: "SELECT * FROM counter") {
            counters["\(row["name"] as String) \(row["label_1"] as String) \(row["label_2"] as String)"] = row["value"]
        }
        for row in try Row.fetchAll(
            db, sql: "SELECT delivery_id, COUNT(*) AS n FROM operator_action WHERE delivery_id IS NOT NULL GROUP BY 1")
        {
            acted[row["delivery_id"]] = row["n"]
        }
        for row in try Row.fetchAll(db, sql: "SELECT * FROM task_alias") {
            aliases["\(row["endpoint_id"] as String) \(row["task_id"] as String)"] = row["delivery_id"]
        }
        unreadable = try Int.fetchOne(db, sql: "SELECT COUNT(*) FROM unreadable_entry") ?? 0
        operatorActions = try Int.fetchOne(db, sql: "SELECT COUNT(*) FROM operator_action") ?? 0
    }
}
