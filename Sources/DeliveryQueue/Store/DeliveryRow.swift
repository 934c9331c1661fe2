import Foundation
import GRDB

extension Delivery {
    /// The columns that `init(_:)` reads, in its order, of the table or alias `delivery`.
    static let columns = """
        delivery.id, delivery.endpoint_id, delivery.task_id, delivery.event_type, delivery.customer_id,
        delivery.webhook_id, delivery.state, delivery.cycle, delivery.cycle_started_ms,
        (SELECT endpoint.held_ms FROM endpoint WHERE endpoint.id = delivery.endpoint_id) - delivery.held_before_ms,
        (SELECT endpoint.stopped_ms FROM endpoint WHERE endpoint.id = delivery.endpoint_id),
        delivery.attempts_used, delivery.first_failed_ms, delivery.last_failed_ms,
        CASE WHEN delivery.manual_ms IS NULL THEN min(
            delivery.next_attempt_ms,
            coalesce(
                (SELECT endpoint.recovered_ms FROM endpoint
                 WHERE endpoint.id = delivery.endpoint_id AND delivery.turn_ms <= endpoint.recovered_ms),
                delivery.next_attempt_ms))
        ELSE delivery.next_attempt_ms END,
        delivery.lease_token, delivery.called_ms, delivery.confirm_by_ms, delivery.server_errors,
        delivery.server_errors_since_ms, delivery.not_found_answers, delivery.manual_ms, delivery.kept_attempt_ms,
        delivery.kept_dead_reason, delivery.is_trial
        """

    init(_ columns: inout ColumnReader) throws {
        self.init(
            id: columns.integer(), endpointID: columns.text(), taskID: columns.text(), eventType: columns.text(),
            customerID: columns.textIfAny(), webhookID: columns.text(), state: try DeliveryState(&columns),
            cycle: Int(columns.integer()), cycleStarted: columns.timestamp(),
            held: HeldTime(ended: .milliseconds(columns.integer()), since: columns.timestampIfAny()),
            attemptsUsed: Int(columns.integer()), firstFailed: columns.timestamp(), lastFailed: columns.timestamp(),
            nextAttempt: columns.timestampIfAny(), leaseToken: columns.integer(), called: columns.timestampIfAny(),
            confirmBy: columns.timestampIfAny(), serverErrors: Int(columns.integer()),
            serverErrorsSince: columns.timestampIfAny(), notFoundAnswers: Int(columns.integer()),
            manual: ManualRetry(&columns), isTrial: columns.flag())
    }

    /// nil when there is no such delivery.
    static func fetch(_ db: Database, id: Int64) throws -> Delivery? {
        try db.first("SELECT \(columns) FROM delivery WHERE id = ?", [id], Delivery.init)
    }
}

extension DeliveryState {
    fileprivate init(_ columns: inout ColumnReader) throws {
        let word = columns.text()
        guard let state = DeliveryState(rawValue: word) else {
            throw StoreError(.storage, operation: "read delivery", cause: "unknown state \(word)")
        }
        self = state
    }
}

extension ManualRetry {
    /// nil when no operator's retry is open.
    fileprivate init?(_ columns: inout ColumnReader) {
        let (asked, time, reason) = (columns.timestampIfAny(), columns.timestampIfAny(), columns.textIfAny())
        guard let asked else { return nil }
        // The schema demands one of the two.
        let kept = time.map(Kept.attempt(at:)) ?? .dead(reason.flatMap(DeadReason.init(rawValue:)) ?? .attempts)
        self.init(asked: asked, kept: kept)
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
    func run(_ sql: String, _ bindings: Bindings = []) throws {
        let statement = try cachedStatement(sql: sql)
        try bindings.bind(to: statement)
        try statement.execute()
    }

    /// Runs one statement whose parameters have names.
    func run(_ sql: String, arguments: StatementArguments) throws {
        try cachedStatement(sql: sql).execute(arguments: arguments)
    }

    func rows(_ sql: String, _ arguments: StatementArguments = StatementArguments()) throws -> [Row] {
        try Row.fetchAll(cachedStatement(sql: sql), arguments: arguments)
    }

    func firstRow(_ sql: String, _ arguments: StatementArguments = StatementArguments()) throws -> Row? {
        try Row.fetchOne(cachedStatement(sql: sql), arguments: arguments)
    }
}
