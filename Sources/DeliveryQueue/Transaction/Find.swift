/// Deliveries as the database has them.
extension QueueTransaction {
    /// The delivery with this number of ours; nil: there is none.
    package func delivery(id: Int64) throws -> Delivery? {
        try session.first(
            "SELECT \(Delivery.columns) FROM delivery_standing AS delivery WHERE id = ?", [id], Delivery.init)
    }

    /// The delivery that has this task id as its own or as a further one; nil: there is none.
    package func delivery(endpointID: String, taskID: String) throws -> Delivery? {
        let id = try session.number(
            """
            SELECT coalesce(
                (SELECT id FROM delivery WHERE endpoint_id = :endpoint AND task_id = :task),
                (SELECT delivery_id FROM task_alias WHERE endpoint_id = :endpoint AND task_id = :task))
            """,
            ["endpoint": endpointID, "task": taskID])
        return try id.flatMap { try delivery(id: $0) }
    }

    /// Whether the database knows the endpoint, configured or not.
    package func isEndpoint(_ id: String) throws -> Bool {
        try session.exists("SELECT 1 FROM endpoint WHERE id = ?", [id])
    }
}

extension Delivery {
    /// The columns that `init(_:)` reads, in this order, from the view `delivery_standing` under the name `delivery`.
    package static let columns = """
        delivery.id, delivery.endpoint_id, delivery.task_id, delivery.event_type, delivery.customer_id,
        delivery.webhook_id, delivery.state, delivery.cycle, delivery.cycle_started_ms, delivery.age_held_ms,
        delivery.age_stopped_since_ms, delivery.attempts_used, delivery.first_failed_ms, delivery.last_failed_ms,
        delivery.due_ms, delivery.lease_token, delivery.called_ms, delivery.confirm_by_ms, delivery.server_errors,
        delivery.server_errors_since_ms, delivery.not_found_answers, delivery.forbidden_since_ms, delivery.manual_ms,
        delivery.kept_attempt_ms, delivery.kept_dead_reason, delivery.manual_ignores_log, delivery.is_trial,
        delivery.is_postponed
        """

    /// - Throws: `storage` for a state that this program does not know.
    package init(_ row: inout SQLRow) throws {
        self.init(
            id: row.integer(), endpointID: row.text(), taskID: row.text(), eventType: row.text(),
            customerID: row.textIfAny(), webhookID: row.text(), state: try row.word(), cycle: row.int(),
            cycleStarted: row.timestamp(), held: HeldTime(ended: row.milliseconds(), since: row.timestampIfAny()),
            attemptsUsed: row.int(), firstFailed: row.timestamp(), lastFailed: row.timestamp(),
            nextAttempt: row.timestampIfAny(), leaseToken: row.integer(), called: row.timestampIfAny(),
            confirmBy: row.timestampIfAny(), serverErrors: row.int(), serverErrorsSince: row.timestampIfAny(),
            notFoundAnswers: row.int(), forbiddenSince: row.timestampIfAny(), manual: ManualRetry(&row),
            isTrial: row.flag())
        isPostponed = row.flag()
    }
}

extension ManualRetry {
    /// Reads an operator's retry; nil when none is asked for or under way.
    fileprivate init?(_ row: inout SQLRow) {
        let (asked, time, reason) = (row.timestampIfAny(), row.timestampIfAny(), row.wordIfAny(DeadReason.self))
        let ignoresLog = row.flag()
        guard let asked else { return nil }
        // The schema demands one of the two.
        self.init(asked: asked, kept: time.map(Kept.attempt(at:)) ?? .dead(reason ?? .attempts), ignoresLog: ignoresLog)
    }
}
