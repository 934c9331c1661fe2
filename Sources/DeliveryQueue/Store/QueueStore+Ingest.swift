import GRDB

/// What one page of a log changed, in counts.
package struct IngestSummary: Sendable, Equatable {
    /// Failures that came into our care.
    package var new = 0
    /// Deliveries that the page proved delivered.
    package var delivered = 0
    /// Retries of ours that the page showed to have failed again.
    package var failedAgain = 0
    package var duplicates = 0
    package var unreadable = 0
    /// What the page made of the endpoint's circuit; nil: it stays as it was.
    package var circuit: EndpointCircuit.Action?
    /// The gap under which the scan goes on; nil when it is complete.
    package var gapID: Int64?

    package init() {}

    package var changedSomething: Bool {
        new + delivered + failedAgain + unreadable > 0 || circuit != nil
    }
}

extension QueueStore {
    /// Stores a page of an endpoint's log: rows, what they settle, and how far the scan has come, in one transaction.
    /// The same page again changes nothing.
    package func ingest(
        _ page: ObservedPage, rules: RetryRules, at now: Timestamp
    ) async throws(StoreError) -> IngestSummary {
        try await write("store a page of the log of endpoint \(page.endpointID)") { db in
            let endpoint = try EndpointFacts.fetch(db, id: page.endpointID)
            var ingest = try Ingest(db, endpoint: endpoint, rules: rules, now: now)
            for observation in page.observations {
                try ingest.take(observation)
            }
            for entry in page.unreadable {
                try ingest.keep(entry)
            }
            try ingest.finish()
            ingest.summary.gapID = try db.advance(page.progress, of: page.endpointID, at: now)
            return ingest.summary
        }
    }
}

/// What ingest needs to know of the endpoint that a page belongs to.
struct EndpointFacts {
    let id: String
    let historyFrom: Timestamp
    /// When a backup was last restored; 1970 for never.
    let restored: Timestamp
    /// Outcomes of calls in a row that stood under the delivery's own task id, and our time of the first failure among them;
    /// nil: there was none.
    let ownNames: Int
    let ownNamesSince: Timestamp?

    static func fetch(_ db: Database, id: String) throws -> EndpointFacts {
        let row = try db.firstRow(
            "SELECT history_from_ms, restored_ms, own_names, own_names_ms FROM endpoint WHERE id = ?", [id])
        guard let row else {
            throw StoreError(.storage, operation: "read endpoint \(id)", cause: "it is not in the database")
        }
        return EndpointFacts(
            id: id, historyFrom: row.timestamp("history_from_ms"), restored: row.timestamp("restored_ms"),
            ownNames: row["own_names"], ownNamesSince: row.timestampIfAny("own_names_ms"))
    }

    /// Whether the log shows retries under the deliveries' own task ids, so that an entry with one that is not known is an
    /// event of its own, however alike. Not before a failure stood so, and entries with other names have had as long to appear
    /// as any outcome has.
    func showsOwnNames(rules: RetryRules, at now: Timestamp) -> Bool {
        ownNames >= RetryRules.ownNamesLimit && ownNamesSince.map { now - $0 >= rules.confirmWithin } ?? false
    }

    /// Before when nothing is sent for an entry: what failed before a backup was restored may have been retried since
    /// without the database's knowledge, so the log gets as long to show that as after any call. nil: no limit.
    func earliestAttempt(for observation: Observation, rules: RetryRules) -> Timestamp? {
        let time = observation.changed ?? observation.logged
        guard restored.milliseconds > 0, time.map({ $0 < restored }) ?? true else { return nil }
        return restored + rules.confirmWithin
    }
}

/// One page's entries on their way into the database, inside its transaction.
struct Ingest {
    let db: Database
    let endpoint: EndpointFacts
    let rules: RetryRules
    let now: Timestamp
    /// When the entries were read; before `now` for kept ones only.
    let read: Timestamp
    /// To be saved when all entries are taken.
    var circuit: CircuitKeeper
    var summary = IngestSummary()

    /// - Parameter read: nil: now.
    init(
        _ db: Database, endpoint: EndpointFacts, rules: RetryRules, now: Timestamp, read: Timestamp? = nil
    ) throws {
        self.db = db
        self.endpoint = endpoint
        self.rules = rules
        self.now = now
        self.read = read ?? now
        circuit = try CircuitKeeper(db, endpointID: endpoint.id, settings: rules.circuit)
    }

    /// Failures older than this are not taken up anew, because their rows may have been pruned.
    private static let replayGuard = QueueStore.deliveredRetention
    /// An entry may say that the provider is still at it for this long after our call; then silence counts again, because
    /// not every log takes such an entry back.
    private static let longestProgress = Duration.seconds(86_400)

    mutating func take(_ observation: Observation) throws {
        if try isKnown(observation) {
            summary.duplicates += 1
            if observation.outcome == .inProgress { try keepWaiting(observation) }
            return
        }
        let isTest = try db.isTestEvent(observation.taskID, of: endpoint.id)
        // All tests of an event have the same dummy data: by its content one could pass for another.
        let delivery =
            isTest || endpoint.showsOwnNames(rules: rules, at: now)
            ? try db.delivery(endpointID: endpoint.id, taskID: observation.taskID)
            : try db.matchingDelivery(observation, endpointID: endpoint.id, at: now)
        try remember(observation, of: delivery)
        try count(observation.outcome)
        // Stored and counted, and nothing more: no failure of a test is taken up, and its success supersedes nothing.
        guard delivery != nil || !isTest else { return }
        switch observation.outcome {
        case .succeeded: try takeSuccess(observation, delivery)
        case .failed: try takeFailure(observation, delivery)
        case .inProgress: try takeInProgress(observation, delivery)
        }
    }

    /// Writes what stands for the page as a whole: its circuit, and how much of it was known.
    mutating func finish() throws {
        try circuit.save(at: now)
        summary.circuit = circuit.action
        if summary.duplicates > 0 { try db.raise(Counter.logEntries, "duplicate", by: Int64(summary.duplicates)) }
    }

    private func count(_ outcome: Observation.Outcome) throws {
        switch outcome {
        case .succeeded: try db.raise(Counter.logEntries, "success")
        case .failed: try db.raise(Counter.logEntries, "failure")
        case .inProgress: try db.raise(Counter.logEntries, "in_progress")
        }
    }

    // MARK: - What an entry says about its delivery

    private mutating func takeSuccess(_ observation: Observation, _ delivery: Delivery?) throws {
        try db.noteArrival(observation, of: delivery)
        circuit.observe(
            .arrived(
                at: try db.outcomeTime(of: observation, endpointID: endpoint.id), isRetry: delivery?.called != nil,
                isTrial: delivery?.isTrial ?? false), at: now)
        guard let delivery, delivery.state != .delivered else { return }
        try db.settleDelivered(delivery, by: observation, at: now)
        summary.delivered += 1
    }

    private mutating func takeFailure(_ observation: Observation, _ delivery: Delivery?) throws {
        guard let delivery else { return try takeNewFailure(observation) }
        let failed = min(observation.changed ?? now, now)
        try observeFailure(observation, of: delivery)
        try db.noteFailure(of: delivery, at: failed, error: observation.error)
        try db.settleLateFailure(of: delivery, by: observation, at: now)
        switch delivery.state {
        case .awaiting:
            guard db.belongs(observation.changed, toCallOf: delivery) else { return }
            try db.settleFailed(
                delivery, by: observation, at: failed, rules: rules,
                notBefore: endpoint.earliestAttempt(for: observation, rules: rules), now: now)
            summary.failedAgain += 1
        case .scheduled where failed > delivery.lastFailed && delivery.manual == nil:
            try plan(rules.providerFailed(delivery, at: failed), for: delivery, by: observation)
            if !circuit.circuit.isOpen { try db.moveInLine(delivery, to: failed) }
        case .scheduled, .attempting, .delivered, .dead:
            return  // A call in flight is settled when its answer is recorded; final states stay final.
        }
    }

    /// An entry that still says so when it is read again: the log is not silent, and to send again would double.
    private func keepWaiting(_ observation: Observation) throws {
        try takeInProgress(observation, try db.delivery(endpointID: endpoint.id, taskID: observation.taskID))
    }

    private func takeInProgress(_ observation: Observation, _ delivery: Delivery?) throws {
        guard let delivery, delivery.state == .awaiting, db.belongs(observation.changed, toCallOf: delivery),
            let called = delivery.called, now - called < Self.longestProgress
        else { return }
        try db.run(
            "UPDATE delivery SET confirm_by_ms = max(confirm_by_ms, ?) WHERE id = ?",
            [(now + rules.confirmWithin).milliseconds, delivery.id])
    }

    private mutating func takeNewFailure(_ observation: Observation) throws {
        guard let body = observation.body, let eventType = observation.eventType else { return }
        let logged = observation.logged ?? read
        guard logged >= endpoint.historyFrom, logged >= read - Self.replayGuard else { return }
        // Newest-first pages show a later success before the failure that it mends.
        let arrived = try db.firstRow(
            "SELECT 1 FROM log_entry WHERE endpoint_id = ? AND task_id = ? AND outcome = 'succeeded' LIMIT 1",
            [endpoint.id, observation.taskID])
        guard arrived == nil else { return try db.correctArrival(observation) }
        let failed = min(observation.changed ?? now, now)
        let delivery = try insert(observation, eventType: eventType, body: body, failed: failed)
        try plan(rules.discovered(delivery), for: delivery, by: observation)
        try observeFailure(observation, of: delivery)
        summary.new += 1
    }

    private mutating func observeFailure(_ observation: Observation, of delivery: Delivery) throws {
        let isOfCall = delivery.isTrial && db.belongs(observation.changed, toCallOf: delivery)
        circuit.observe(
            .failed(
                delivery: delivery.id, at: try db.outcomeTime(of: observation, endpointID: endpoint.id),
                isReceivers: observation.blamesReceiver, isTrial: isOfCall), at: now)
    }

    /// Gives a waiting delivery the time of its next attempt, which is no move of its state, or ends it.
    private func plan(_ decision: Transition, for delivery: Delivery, by observation: Observation) throws {
        let earliest = endpoint.earliestAttempt(for: observation, rules: rules)
        let transition = decision.notBefore(earliest)
        guard case .schedule(let at, _) = transition else {
            try db.move(delivery, transition, at: now)
            return
        }
        try db.run(
            "UPDATE delivery SET next_attempt_ms = ?, updated_ms = ? WHERE id = ?",
            [at.milliseconds, now.milliseconds, delivery.id])
        if let earliest, earliest > now { try db.putOff(delivery.id) }
    }

    /// A row that is due at once; the caller gives it the time that its policy says.
    private func insert(
        _ observation: Observation, eventType: String, body: [UInt8], failed: Timestamp
    ) throws -> Delivery {
        let row = try db.firstRow(
            """
            INSERT INTO delivery (
                endpoint_id, task_id, event_type, customer_id, webhook_id, state, cycle_started_ms, logged_ms,
                first_failed_ms, last_failed_ms, next_attempt_ms, last_error, created_ms, updated_ms, turn_ms, held_before_ms
            )
            VALUES (?1, ?2, ?3, ?4, ?5, 'scheduled', ?6, ?7, ?6, ?6, ?8, ?9, ?8, ?8, ?6, (
                SELECT held_ms + max(0, ?6 - coalesce(stopped_ms, ?6)) FROM endpoint WHERE id = ?1))
            RETURNING \(Delivery.columns)
            """,
            [
                endpoint.id, observation.taskID, eventType, observation.customerID, observation.webhookID,
                failed.milliseconds, min(observation.logged ?? failed, failed).milliseconds, now.milliseconds,
                observation.error,
            ])
        guard let row else {
            throw StoreError(.storage, operation: "store delivery", cause: "INSERT returned no row")
        }
        let delivery = try Delivery(row: row)
        // From the first failure on, not only once one is final: a series must not change its label in mid-life.
        _ = try db.metricLabel(forEventType: eventType)
        try db.run(
            """
            INSERT INTO delivery_body (delivery_id, body, sha256, task_id_json, customer_id_json, webhook_id_json)
            VALUES (?, ?, ?, ?, ?, ?)
            """,
            [
                delivery.id, body.blob, BodyDigest.sha256(body).blob, observation.taskIDJSON,
                observation.customerIDJSON,
                observation.webhookIDJSON,
            ])
        try db.run(
            "UPDATE log_entry SET delivery_id = ? WHERE endpoint_id = ? AND task_id = ?",
            [delivery.id, endpoint.id, observation.taskID])
        return delivery
    }
}
