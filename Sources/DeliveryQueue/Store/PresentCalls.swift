import GRDB

/// A retry call in the database that a restore replaces.
struct PresentCall {
    let intent: Timestamp
    var kind = "scheduled"
    var httpStatus: Int?
    /// How the provider answered, for on-call.
    var detail: String?
    /// nil: the log has not told yet.
    var outcome: String?
}

/// A delivery in the database that a restore replaces, with those of its calls that may have been executed.
struct PresentDelivery {
    let id: Int64
    let endpointID: String
    let taskID: String
    /// Proof that it arrived; nil: there is none.
    let evidence: Evidence?
    /// Oldest first.
    var calls: [PresentCall] = []
    /// What became of each call, by its intent in milliseconds.
    var outcomes: [Int64: String] = [:]
}

/// Reads the calls of the database that a restore replaces, delivery by delivery.
final class PresentCalls {
    private let cursor: RowCursor
    private var ahead: Row?

    /// - Parameter since: calls that began before are not read.
    init(_ db: Database, since: Timestamp) throws {
        cursor = try Row.fetchCursor(
            db,
            sql: """
                SELECT delivery.id, delivery.endpoint_id, delivery.task_id, delivery.delivered_by,
                       delivery.delivered_evidence, delivery.delivered_task_id,
                       attempt.intent_ms, attempt.kind, attempt.http_status, attempt.answer, attempt.outcome
                FROM attempt JOIN delivery ON delivery.id = attempt.delivery_id
                WHERE attempt.intent_ms >= ?
                ORDER BY attempt.delivery_id, attempt.lease_token
                """,
            arguments: [since.milliseconds])
        ahead = try cursor.next()?.copy()
    }

    /// nil at the end.
    func next() throws -> PresentDelivery? {
        guard let first = ahead else { return nil }
        var delivery = PresentDelivery(
            id: first["id"], endpointID: first["endpoint_id"], taskID: first["task_id"],
            evidence: Self.evidence(first))
        while let row = ahead, row["id"] == delivery.id {
            Self.add(row, to: &delivery)
            ahead = try cursor.next()?.copy()
        }
        return delivery
    }

    private static func add(_ row: Row, to delivery: inout PresentDelivery) {
        let outcome: String? = row["outcome"]
        let intent = row.timestamp("intent_ms")
        delivery.outcomes[intent.milliseconds] = outcome
        // About a call that was surely not executed there is nothing to learn.
        guard outcome != "not_executed" else { return }
        let answer = (row["answer"] as String?).map { "the provider answered: \($0)" } ?? "no answer was recorded"
        delivery.calls.append(
            PresentCall(
                intent: intent, kind: row["kind"], httpStatus: row["http_status"],
                detail: "made after the backup was taken; \(answer)", outcome: outcome))
    }

    private static func evidence(_ row: Row) -> Evidence? {
        guard let actor = (row["delivered_by"] as String?).flatMap(Evidence.Actor.init(rawValue:)),
            let source = (row["delivered_evidence"] as String?).flatMap(Evidence.Source.init(rawValue:))
        else { return nil }
        return Evidence(actor: actor, source: source, taskID: row["delivered_task_id"])
    }
}

extension PresentDelivery {
    /// An endpoint that was configured after the backup was taken.
    func copyEndpoint(from source: Database, into db: Database) throws {
        let row = try source.firstRow("SELECT name, active, history_from_ms FROM endpoint WHERE id = ?", [endpointID])
        guard let row else { return }
        try db.run(
            """
            INSERT INTO endpoint (id, name, active, history_from_ms) VALUES (?, ?, ?, ?)
            ON CONFLICT (id) DO NOTHING
            """,
            [endpointID, row["name"] as String, row["active"] as Int, row["history_from_ms"] as Int64])
    }

    /// - Parameter isNeeded: whether it may be sent once more.
    /// - Returns: nil when it is not what was stored.
    func body(from source: Database, isNeeded: Bool) throws -> Row? {
        let row = try source.firstRow(
            """
            SELECT body, sha256, task_id_json, customer_id_json, webhook_id_json
            FROM delivery_body WHERE delivery_id = ?
            """,
            [id])
        guard let row else { return nil }
        guard row.hasNull(atIndex: 0) else {
            return BodyDigest.sha256(row.bytes("body")) == row.bytes("sha256") ? row : nil
        }
        return isNeeded ? nil : row
    }

    /// The delivery as it was found in the log.
    func copy(from source: Database, body: Row, into db: Database, at now: Timestamp) throws -> Delivery? {
        let columns = """
            endpoint_id, task_id, event_type, customer_id, webhook_id, cycle_started_ms, logged_ms, first_failed_ms,
            last_failed_ms, last_error, created_ms
            """
        guard let found = try source.firstRow("SELECT \(columns) FROM delivery WHERE id = ?", [id]) else { return nil }
        try db.run(
            """
            INSERT INTO delivery (\(columns), state, next_attempt_ms, updated_ms, turn_ms)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, 'scheduled', ?12, ?12, ?9)
            """,
            Bindings(found) + [now.milliseconds])
        guard let delivery = try Delivery.fetch(db, id: db.lastInsertedRowID) else { return nil }
        try db.startAgeClock(of: delivery, from: delivery.cycleStarted)
        try db.run(
            """
            INSERT INTO delivery_body (delivery_id, body, sha256, task_id_json, customer_id_json, webhook_id_json)
            VALUES (?, ?, ?, ?, ?, ?)
            """,
            [delivery.id] + Bindings(body))
        return delivery
    }
}
