import Foundation
import GRDB

extension Delivery {
    /// The columns that `init(row:)` reads, for `SELECT` and `RETURNING`, of the table or alias `delivery`.
    static let columns = """
        delivery.id, delivery.endpoint_id, delivery.task_id, delivery.event_type, delivery.customer_id,
        delivery.webhook_id, delivery.state, delivery.cycle, delivery.cycle_started_ms, delivery.attempts_used,
        delivery.first_failed_ms, delivery.last_failed_ms, delivery.lease_token,
        CASE WHEN delivery.manual_ms IS NULL THEN min(
            delivery.next_attempt_ms,
            coalesce(
                (SELECT endpoint.recovered_ms FROM endpoint
                 WHERE endpoint.id = delivery.endpoint_id AND delivery.turn_ms <= endpoint.recovered_ms),
                delivery.next_attempt_ms))
        ELSE delivery.next_attempt_ms END AS next_attempt_ms,
        delivery.called_ms, delivery.confirm_by_ms, delivery.server_errors, delivery.server_errors_since_ms,
        delivery.not_found_answers, delivery.manual_ms, delivery.kept_attempt_ms, delivery.kept_dead_reason,
        delivery.is_trial,
        (SELECT endpoint.held_ms FROM endpoint WHERE endpoint.id = delivery.endpoint_id) - delivery.held_before_ms
            AS held_ms,
        (SELECT endpoint.stopped_ms FROM endpoint WHERE endpoint.id = delivery.endpoint_id) AS stopped_ms
        """

    init(row: Row) throws {
        let word: String = row["state"]
        guard let state = DeliveryState(rawValue: word) else {
            throw StoreError(.storage, operation: "read delivery", cause: "unknown state \(word)")
        }
        self.init(
            id: row["id"], endpointID: row["endpoint_id"], taskID: row["task_id"], eventType: row["event_type"],
            customerID: row["customer_id"], webhookID: row["webhook_id"], state: state, cycle: row["cycle"],
            cycleStarted: row.timestamp("cycle_started_ms"),
            held: HeldTime(
                ended: .milliseconds(row["held_ms"] as Int64), since: row.timestampIfAny("stopped_ms")),
            attemptsUsed: row["attempts_used"],
            firstFailed: row.timestamp("first_failed_ms"), lastFailed: row.timestamp("last_failed_ms"),
            nextAttempt: row.timestampIfAny("next_attempt_ms"), leaseToken: row["lease_token"],
            called: row.timestampIfAny("called_ms"), confirmBy: row.timestampIfAny("confirm_by_ms"),
            serverErrors: row["server_errors"], serverErrorsSince: row.timestampIfAny("server_errors_since_ms"),
            notFoundAnswers: row["not_found_answers"], manual: ManualRetry(row: row),
            isTrial: row["is_trial"])
    }

    /// nil when there is no such delivery.
    static func fetch(_ db: Database, id: Int64) throws -> Delivery? {
        try db.firstRow("SELECT \(columns) FROM delivery WHERE id = ?", [id]).map(Delivery.init(row:))
    }
}

extension ManualRetry {
    /// nil when no operator's retry is open.
    fileprivate init?(row: Row) {
        guard let asked = row.timestampIfAny("manual_ms") else { return nil }
        if let time = row.timestampIfAny("kept_attempt_ms") {
            self.init(asked: asked, kept: .attempt(at: time))
        } else {
            // The schema demands one of the two.
            self.init(asked: asked, kept: .dead(DeadReason(rawValue: row["kept_dead_reason"] ?? "") ?? .attempts))
        }
    }
}

extension Row {
    /// A NOT NULL column of milliseconds.
    func timestamp(_ column: String) -> Timestamp {
        Timestamp(milliseconds: self[column])
    }

    /// A NOT NULL column of raw bytes.
    func bytes(_ column: String) -> [UInt8] {
        Array(self[column] as Data)
    }

    func timestampIfAny(_ column: String) -> Timestamp? {
        (self[column] as Int64?).map(Timestamp.init(milliseconds:))
    }
}

extension [UInt8] {
    /// As GRDB takes bytes.
    var blob: Data { Data(self) }
}

extension Database {
    /// Runs one statement whose compiled form is kept: `execute(sql:)` compiles each time, at a third of the speed.
    func run(_ sql: String, _ arguments: StatementArguments = StatementArguments()) throws {
        try cachedStatement(sql: sql).execute(arguments: arguments)
    }

    func rows(_ sql: String, _ arguments: StatementArguments = StatementArguments()) throws -> [Row] {
        try Row.fetchAll(cachedStatement(sql: sql), arguments: arguments)
    }

    func firstRow(_ sql: String, _ arguments: StatementArguments = StatementArguments()) throws -> Row? {
        try Row.fetchOne(cachedStatement(sql: sql), arguments: arguments)
    }
}
