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
    /// To be saved when all entries are taken.
    var counts = CounterTally()
    /// Event types of which this page has seen to it that they have a label, or none is left for them.
    private var labelled: Set<String> = []
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
        let known = try entries(ofTask: observation.taskID)
        if let same = known.first(where: { $0.isSame(as: observation) }) {
            try refresh(same, observation)
            summary.duplicates += 1
            if observation.outcome == .inProgress { try keepWaiting(observation) }
            return
        }
        let isTest = try endpoint.hasTests && db.isTestEvent(observation.taskID, of: endpoint.id)
        // All tests of an event have the same dummy data: by its content one could pass for another.
        let delivery =
            isTest || endpoint.showsOwnNames(rules: rules, at: now)
            ? try db.delivery(endpointID: endpoint.id, taskID: observation.taskID)
            : try db.matchingDelivery(observation, endpointID: endpoint.id, at: now)
        count(observation.outcome)
        if delivery == nil, !isTest, try takeNewFailure(observation, known) { return }
        try remember(observation, of: delivery)
        // An entry of no delivery is stored and counted; its success supersedes older events, unless it is of a test.
        guard delivery != nil || !isTest else { return }
        switch observation.outcome {
        case .succeeded: try takeSuccess(observation, delivery, known)
        case .failed: if let delivery { try takeFailure(observation, delivery, known) }
        case .inProgress: try takeInProgress(observation, delivery)
        }
    }

    /// Writes what stands for the page as a whole: its circuit, its counts, and how much of it was known.
    mutating func finish() throws {
        try circuit.save(at: now)
        summary.circuit = circuit.action
        if summary.duplicates > 0 { counts.raise(Counter.logEntries, "duplicate", by: Int64(summary.duplicates)) }
        try counts.save(in: db)
    }

    private mutating func count(_ outcome: Observation.Outcome) {
        switch outcome {
        case .succeeded: counts.raise(Counter.logEntries, "success")
        case .failed: counts.raise(Counter.logEntries, "failure")
        case .inProgress: counts.raise(Counter.logEntries, "in_progress")
        }
    }

    // MARK: - What an entry says about its delivery

    private mutating func takeSuccess(
        _ observation: Observation, _ delivery: Delivery?, _ known: [KnownEntry]
    ) throws {
        try db.noteArrival(observation, of: delivery)
        circuit.observe(
            .arrived(
                at: known.timeOfOutcome(observation), isRetry: delivery?.called != nil,
                isTrial: delivery?.isTrial ?? false), at: now)
        guard let delivery, delivery.state != .delivered else { return }
        try db.settleDelivered(delivery, by: observation, at: now)
        summary.delivered += 1
    }

    private mutating func takeFailure(
        _ observation: Observation, _ delivery: Delivery, _ known: [KnownEntry]
    ) throws {
        let failed = min(observation.changed ?? now, now)
        observeFailure(observation, of: delivery, known)
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

    private mutating func observeFailure(_ observation: Observation, of delivery: Delivery, _ known: [KnownEntry]) {
        let isOfCall = delivery.isTrial && db.belongs(observation.changed, toCallOf: delivery)
        circuit.observe(
            .failed(
                delivery: delivery.id, at: known.timeOfOutcome(observation), isReceivers: observation.blamesReceiver,
                isTrial: isOfCall), at: now)
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

    // MARK: - What was not known before

    /// Takes a failure into our care.
    ///
    /// - Parameter known: what the log said of the same task before.
    /// - Returns: false when it is none, or not ours to retry.
    private mutating func takeNewFailure(_ observation: Observation, _ known: [KnownEntry]) throws -> Bool {
        guard observation.outcome == .failed, let body = observation.body, let eventType = observation.eventType else {
            return false
        }
        let logged = observation.logged ?? read
        guard logged >= endpoint.historyFrom, logged >= read - Self.replayGuard else { return false }
        // Newest-first pages show a later success before the failure that it mends.
        guard !known.contains(where: { $0.outcome == .succeeded }) else {
            try db.correctArrival(observation)
            return false
        }
        let earliest = endpoint.earliestAttempt(for: observation, rules: rules)
        var delivery = Delivery(
            new: observation, eventType: eventType, of: endpoint.id, failed: min(observation.changed ?? now, now))
        let plan = rules.discovered(delivery).notBefore(earliest)
        delivery.nextAttempt = if case .schedule(let at, _) = plan { at } else { now }
        // Until its own time nothing makes it due; see `putOff`.
        let turn = earliest.map { $0 > now } ?? false ? delivery.nextAttempt : delivery.lastFailed
        try insert(&delivery, observation, turn: turn ?? now)
        try insert(body, observation, of: delivery)
        try remember(observation, of: delivery)
        if !known.isEmpty { try claimEntries(of: delivery) }
        if delivery.state != plan.target { try db.move(delivery, plan, at: now) }
        // From the first failure on, not only once one is final: a series must not change its label in mid-life.
        if labelled.insert(eventType).inserted { _ = try db.metricLabel(forEventType: eventType) }
        observeFailure(observation, of: delivery, known)
        summary.new += 1
        return true
    }

    private func insert(_ delivery: inout Delivery, _ observation: Observation, turn: Timestamp) throws {
        try db.run(
            """
            INSERT INTO delivery (
                endpoint_id, task_id, event_type, customer_id, webhook_id, state, cycle_started_ms, logged_ms,
                first_failed_ms, last_failed_ms, next_attempt_ms, last_error, created_ms, updated_ms, turn_ms, held_before_ms
            )
            VALUES (?1, ?2, ?3, ?4, ?5, 'scheduled', ?6, ?7, ?6, ?6, ?8, ?9, ?10, ?10, ?11, (
                SELECT held_ms + max(0, ?6 - coalesce(stopped_ms, ?6)) FROM endpoint WHERE id = ?1))
            """,
            [
                delivery.endpointID, delivery.taskID, delivery.eventType, delivery.customerID, delivery.webhookID,
                delivery.lastFailed.milliseconds,
                min(observation.logged ?? delivery.lastFailed, delivery.lastFailed).milliseconds,
                delivery.nextAttempt?.milliseconds, observation.error, now.milliseconds, turn.milliseconds,
            ])
        delivery.id = db.lastInsertedRowID
    }

    private func insert(_ body: [UInt8], _ observation: Observation, of delivery: Delivery) throws {
        try db.run(
            """
            INSERT INTO delivery_body (delivery_id, body, sha256, task_id_json, customer_id_json, webhook_id_json)
            VALUES (?, ?, ?, ?, ?, ?)
            """,
            [
                delivery.id, body, BodyDigest.sha256(body), observation.taskIDJSON,
                observation.customerIDJSON, observation.webhookIDJSON,
            ])
    }

    private func claimEntries(of delivery: Delivery) throws {
        try db.run(
            "UPDATE log_entry SET delivery_id = ? WHERE endpoint_id = ? AND task_id = ?",
            [delivery.id, endpoint.id, delivery.taskID])
    }
}

extension Delivery {
    /// A failure that was not known, before it is stored: it has no number yet. What its endpoint was held before is not its
    /// own, so at the failure its age clock has stood still for no time.
    fileprivate init(new observation: Observation, eventType: String, of endpointID: String, failed: Timestamp) {
        self.init(
            id: 0, endpointID: endpointID, taskID: observation.taskID, eventType: eventType,
            customerID: observation.customerID, webhookID: observation.webhookID, state: .scheduled, cycle: 1,
            cycleStarted: failed, attemptsUsed: 0, firstFailed: failed, lastFailed: failed, nextAttempt: nil,
            leaseToken: 0, called: nil, confirmBy: nil, serverErrors: 0, serverErrorsSince: nil, notFoundAnswers: 0,
            manual: nil)
    }
}
