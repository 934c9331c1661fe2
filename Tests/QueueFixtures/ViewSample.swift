import Foundation
import GRDB

@testable import DeliveryQueue

/// A database that has at least one row of every kind that a view tells apart, at times relative to the moment at which
/// it was made: views measure ages from SQLite's own clock.
struct ViewSample {
    /// Stands in a body and in the raw text of an unreadable entry; no view may show it.
    static let secret = "PERSONAL-DATA"

    /// Unix seconds.
    let made = Int64(Date().timeIntervalSince1970)

    func fill(_ db: Database) throws {
        try addEndpoints(db)
        try addOpen(db)
        try addFinal(db)
        try addHistory(db)
    }

    /// The time this many seconds after the sample was made, in milliseconds.
    private func ms(_ seconds: Int64) -> Int64 { (made + seconds) * 1_000 }

    private func insert(_ db: Database, _ table: String, _ row: [String: (any DatabaseValueConvertible)?]) throws {
        let columns = row.keys.sorted()
        try db.execute(
            sql: """
                INSERT INTO \(table) (\(columns.joined(separator: ", ")))
                VALUES (\(columns.map { _ in "?" }.joined(separator: ", ")))
                """,
            arguments: StatementArguments(columns.map { row[$0] ?? nil }))
    }

    // MARK: - Endpoints

    private func addEndpoints(_ db: Database) throws {
        let rows: [[String: (any DatabaseValueConvertible)?]] = [
            [
                "id": "ep-1", "name": "first", "active": 1, "head_ms": ms(-30), "last_poll_ms": ms(-20),
                "retry_shows": "new_entry", "too_old": 3, "look_wanted_ms": ms(-40),
            ],
            [
                "id": "ep-2", "name": "second", "active": 1, "head_ms": ms(-90), "last_poll_ms": ms(-1_800),
                "last_poll_error": "HTTP 502", "last_poll_error_ms": ms(-60), "hold_reason": "log_silent",
                "hold_since_ms": ms(-7_200),
            ],
            ["id": "ep-3", "name": "third", "active": 0],
            [
                "id": "ep-4", "name": "fourth", "active": 1, "hold_reason": "operator", "hold_since_ms": ms(-600),
                "hold_until_ms": ms(3_000),
            ],
            [
                "id": "ep-5", "name": "fifth", "active": 1, "last_poll_ms": ms(-20), "circuit_open_ms": ms(-300),
                "circuit_next_trial_ms": ms(60), "circuit_failure_ms": ms(-310), "circuit_step": 2,
            ],
        ]
        for row in rows {
            try insert(db, "endpoint", row.merging(["history_from_ms": ms(-259_200)]) { $1 })
        }
        for (position, name) in ["profile_update", "document_upload", "zip_file_create"].enumerated() {
            try insert(db, "metric_event_type", ["name": name, "position": position])
        }
        for (label, value) in [("profile_update", 5), ("document_upload", 70), ("other", 2)] {
            try insert(
                db, "counter",
                ["name": Counter.finalized, "label_1": label, "label_2": "delivered", "value": value])
        }
        try insert(
            db, "scan_gap",
            [
                "endpoint_id": "ep-2", "from_ms": ms(-4_000), "to_ms": ms(-400), "newest_first": 1,
                "started_ms": ms(-50),
                "since_ms": ms(-50),
            ])
        for (number, reason) in ["no_outcome", "no_task_id", "no_outcome"].enumerated() {
            try insert(
                db, "unreadable_entry",
                [
                    "endpoint_id": "ep-1", "sha256": Data([UInt8(number)]), "reason": reason, "detail": "status",
                    "raw": Data(Self.secret.utf8), "raw_length": 13, "seen_ms": ms(-100),
                ])
        }
    }

    // MARK: - Deliveries

    /// A delivery that first failed this many seconds after the sample was made; its task is named after its number.
    private func add(
        _ db: Database, _ id: Int64, _ endpoint: String, _ state: String, failed: Int64,
        type: String = "profile_update", _ more: [String: (any DatabaseValueConvertible)?]
    ) throws {
        let row: [String: (any DatabaseValueConvertible)?] = [
            "id": id, "endpoint_id": endpoint, "task_id": "t-\(id)", "event_type": type, "customer_id": "c-\(id)",
            "webhook_id": "w-1", "state": state, "cycle_started_ms": ms(failed), "logged_ms": ms(failed),
            "first_failed_ms": ms(failed), "last_failed_ms": ms(failed), "created_ms": ms(failed + 10),
            "updated_ms": ms(failed + 10), "last_error": "HTTP 500",
        ]
        try insert(db, "delivery", row.merging(more) { $1 })
        try insert(
            db, "delivery_body",
            [
                "delivery_id": id, "body": Data("{\"name\":\"\(Self.secret)\"}".utf8), "sha256": Data(count: 32),
                "task_id_json": "\"t-\(id)\"", "customer_id_json": "\"c-\(id)\"", "webhook_id_json": "\"w-1\"",
            ])
    }

    private func addOpen(_ db: Database) throws {
        try add(db, 1, "ep-1", "scheduled", failed: -5_000, ["next_attempt_ms": ms(-600), "attempts_used": 3])
        try add(
            db, 2, "ep-1", "scheduled", failed: -4_000, type: "exotic",
            ["next_attempt_ms": ms(1_800), "superseded_by_task_id": "t-newer"])
        try add(
            db, 3, "ep-1", "attempting", failed: -3_000,
            ["lease_until_ms": ms(60), "called_ms": ms(-5), "lease_token": 1])
        try add(
            db, 4, "ep-1", "awaiting", failed: -2_000, type: "document_upload",
            ["called_ms": ms(-100), "confirm_by_ms": ms(500), "lease_token": 1])
        try add(
            db, 5, "ep-1", "awaiting", failed: -6_000,
            ["called_ms": ms(-2_000), "confirm_by_ms": ms(-1_000), "lease_token": 1])
        try add(db, 6, "ep-2", "scheduled", failed: -900, ["next_attempt_ms": ms(-700), "customer_id": nil])
        try add(
            db, 7, "ep-2", "scheduled", failed: -800,
            ["next_attempt_ms": ms(-10), "manual_ms": ms(-15), "kept_attempt_ms": ms(9_000)])
        try add(db, 8, "ep-3", "scheduled", failed: -700, ["next_attempt_ms": ms(-650)])
        try add(
            db, 9, "ep-4", "scheduled", failed: -70_000,
            ["next_attempt_ms": ms(-400), "manual_ms": ms(-400), "kept_dead_reason": "attempts", "cycle": 2])
        try add(db, 10, "ep-1", "scheduled", failed: -60, ["next_attempt_ms": ms(7_200)])
    }

    private func addFinal(_ db: Database) throws {
        let delivered = ["delivered_by": "worker", "delivered_evidence": "log"]
        try add(
            db, 20, "ep-1", "delivered", failed: -4_200,
            delivered.merging(["delivered_task_id": "t-20", "superseded_by_task_id": "t-newer"]) { $1 }
                .mapValues { $0 as (any DatabaseValueConvertible)? }.merging(["finalized_ms": ms(-3_600)]) { $1 })
        try add(
            db, 21, "ep-2", "delivered", failed: -172_860, type: "document_upload",
            ["delivered_by": "provider", "delivered_evidence": "answer", "finalized_ms": ms(-172_800)])
        try add(
            db, 22, "ep-1", "delivered", failed: -900_000,
            ["delivered_by": "operator", "delivered_evidence": "log", "finalized_ms": ms(-864_000)])
        // The log's clock may be ahead of ours: no negative time to recover.
        try add(
            db, 23, "ep-1", "delivered", failed: -3_590,
            ["delivered_by": "worker", "delivered_evidence": "log", "finalized_ms": ms(-3_600)])
        let reasons: [(String, Int64)] = [
            ("attempts", -1_000), ("age", -2_000), ("rejected", -90_000), ("superseded", -3_000),
            ("discarded", -4_000), ("poison", -100_000),
        ]
        for (number, (reason, died)) in reasons.enumerated() {
            try add(
                db, Int64(30 + number), "ep-1", "dead", failed: died - 500,
                type: number == 1 ? "other" : "profile_update",
                [
                    "dead_reason": reason, "finalized_ms": ms(died), "attempts_used": number,
                    "superseded_by_task_id": reason == "superseded" ? "t-newer" : nil,
                ])
        }
    }

    // MARK: - What happened

    private func addHistory(_ db: Database) throws {
        /// Delivery, number, kind, called, answer, status, outcome.
        let calls: [(Int64, Int, String, Int64, String?, Int?, String?)] = [
            (3, 1, "scheduled", -5, nil, nil, nil), (4, 1, "scheduled", -100, "accepted", 202, nil),
            (5, 1, "scheduled", -2_000, "interrupted", nil, nil),
            (20, 1, "scheduled", -4_000, "accepted", 202, "failed"),
            (20, 2, "manual", -3_700, "accepted", 202, "delivered"),
            (1, 3, "scheduled", -3_000, "accepted", 202, "unconfirmed"),
            (6, 1, "scheduled", -800, "unavailable", 503, "not_executed"),
            (32, 2, "scheduled", -90_001, "rejected", 422, "refused"),
        ]
        for (number, call) in calls.enumerated() {
            let (delivery, attempt, kind, called, answer, status, outcome) = call
            try insert(
                db, "attempt",
                [
                    "delivery_id": delivery, "cycle": 1, "number": attempt, "kind": kind, "lease_token": attempt,
                    "intent_ms": ms(called), "answered_ms": answer.map { _ in ms(called) + 250 }, "answer": answer,
                    "http_status": status, "outcome": outcome, "settled_ms": outcome.map { _ in ms(called + 30) },
                    "named_task_id": number == 1 ? "t-4b" : nil, "detail": status == 422 ? "no such profile" : nil,
                ])
        }
        try insert(
            db, "task_alias", ["endpoint_id": "ep-1", "task_id": "t-4b", "delivery_id": 4, "source": "named"])
        try insert(
            db, "task_alias", ["endpoint_id": "ep-1", "task_id": "t-20b", "delivery_id": 20, "source": "matched"])
        try addLog(db, "t-20", of: 20, logged: -4_200, "failed", "HTTP 500")
        try addLog(db, "t-20b", of: 20, logged: -3_990, "failed", "HTTP 503")
        try addLog(db, "t-20", of: 20, logged: nil, "succeeded", nil)
        try insert(
            db, "log_entry",
            [
                "endpoint_id": "ep-1", "task_id": "t-slow", "logged_ms": ms(-300), "outcome": "in_progress",
                "found_ms": ms(-290), "seen_ms": ms(-100), "is_open": 1,
            ])
        for (action, delivery) in [("pause", nil), ("retry", Int64(20))] {
            try insert(
                db, "operator_action",
                [
                    "at_ms": ms(-3_710), "who": "ann", "action": action, "endpoint_id": "ep-1",
                    "delivery_id": delivery, "reason": "asked by the customer",
                ])
        }
    }

    private func addLog(
        _ db: Database, _ task: String, of delivery: Int64, logged: Int64?, _ outcome: String, _ error: String?
    ) throws {
        try insert(
            db, "log_entry",
            [
                "endpoint_id": "ep-1", "task_id": task, "logged_ms": logged.map(ms) ?? 0, "outcome": outcome,
                "delivery_id": delivery, "error": error, "found_ms": ms((logged ?? -3_605) + 5),
                "seen_ms": ms(-100),
            ])
    }
}
