extension QueueStore {
    /// Stores a page of an endpoint's log: rows, what they settle, and how far the scan has come, in one transaction.
    /// The same page again changes nothing.
    package func ingest(
        _ page: ObservedPage, rules: RetryRules, at now: Timestamp
    ) async throws(StoreError) -> IngestSummary {
        try await change("store a page of the log of endpoint \(page.endpointID)", rules: rules, at: now) { queue in
            var reading = try PageReading(queue, endpointID: page.endpointID, read: now)
            try queue.take(page.entries, &reading)
            if page.leftOut > 0 { try queue.noteLeftOut(&reading) }
            try queue.close(&reading)
            let progress = page.progress.ended(byLast: reading.found.flatMap(\.self))
            reading.summary.gapID = try queue.advance(progress, of: page.endpointID)
            return reading.summary
        }
    }
}

extension RuledTransaction {
    /// Failures older than this do not become deliveries, because their rows may have been pruned.
    private static let replayGuard = QueueStore.deliveredRetention
    /// For this long after our call an entry may say that the provider is still trying. Then silence counts again,
    /// because some logs never change such an entry.
    private static let longestProgress = Duration.seconds(86_400)

    /// Stores the rows of a page one by one.
    fileprivate mutating func take(_ entries: some Sequence<ObservedEntry>, _ reading: inout PageReading) throws {
        for entry in entries {
            switch entry {
            case .understood(let entry): try ingest(entry, &reading)
            case .unreadable(let entry): try keep(entry, &reading)
            }
        }
    }

    /// Stores one entry of the endpoint, matches it to its delivery, and lets it settle what it proves.
    mutating func store(_ entry: LogObservation, _ reading: inout PageReading) throws {
        let endpoint = reading.endpoint
        let known = try entries(ofTask: entry.taskID, of: endpoint.id)
        let entry = entry.judged(foundFirst: known.first { $0.isSame(as: entry) }?.found, rules: rules, at: now)
        let same = known.first { $0.isSame(as: entry) }
        // What only another endpoint's log has shown does not tell how far this one was read.
        reading.note(found: same.flatMap { $0.isForeign && reading.isOwn ? nil : $0.found })
        if let same {
            try refresh(same, entry, &reading)
            reading.summary.duplicates += 1
            if same.isUnmatched, endpoint.hasNames, let delivery = try takeNamed(entry, of: endpoint.id) {
                return try take(entry, delivery, known, &reading)
            }
            if let delivery = try contradicted(by: entry, known, of: endpoint) {
                var again = entry
                again.changed = now
                return try take(again, delivery, known, &reading)
            }
            // An entry that still says so is no silence: to send again could send twice.
            if entry.outcome == .inProgress {
                try waitLonger(entry, try delivery(endpointID: endpoint.id, taskID: entry.taskID))
            }
            return
        }
        try learnChange(entry, known, of: endpoint)
        try noteZone(entry, &reading)
        let isTest = try endpoint.hasTests && isTestEvent(entry.taskID, of: endpoint.id)
        var body = HashedBody(entry.body)
        // All tests of an event have the same dummy data: matched by content, one could pass for another.
        let delivery =
            isTest
            ? try delivery(endpointID: endpoint.id, taskID: entry.taskID)
            : try match(entry, &body, known: known, of: endpoint)
        counts.raise(Counter.logEntries, entry.outcome.counterLabel)
        if delivery == nil, !isTest, try takeNewFailure(entry, &body, known, &reading) { return }
        let mark = entry.outcome == .succeeded && !body.isMissing ? body.mark() : nil
        try remember(entry, of: delivery, bodyMark: mark, known: known, reading)
        // An entry of no delivery is stored and counted; its success supersedes older events, unless it is of a test.
        guard delivery != nil || !isTest else { return }
        try take(entry, delivery, known, &reading)
    }

    /// Lets an entry settle what it proves.
    private mutating func take(
        _ entry: LogObservation, _ delivery: Delivery?, _ known: [KnownEntry], _ reading: inout PageReading
    ) throws {
        switch entry.outcome {
        case .succeeded:
            let isEarlier = try delivery.map { try isOfEarlierEvent(entry, $0) } ?? false
            try takeSuccess(entry, isEarlier ? nil : delivery, known, &reading)
        case .failed: if let delivery { try takeFailure(entry, delivery, known, &reading) }
        case .inProgress: try waitLonger(entry, delivery)
        }
    }

    /// Counts entries that were stored before.
    mutating func countDuplicates(_ count: Int) {
        counts.raise(Counter.logEntries, "duplicate", by: Int64(count))
    }

    // MARK: - What an entry says about its delivery

    private mutating func takeSuccess(
        _ entry: LogObservation, _ delivery: Delivery?, _ known: [KnownEntry], _ reading: inout PageReading
    ) throws {
        let sighting = Sighting(entry, came: known.timeOfOutcome(entry))
        let action = try signal(
            .arrived(at: sighting.came, isRetry: delivery?.called != nil, isTrial: delivery?.isTrial ?? false),
            of: reading.endpoint.id)
        reading.summary.circuit = action ?? reading.summary.circuit
        guard let delivery else { return try noteArrival(entry) }
        if try settle(delivery, by: .entry(sighting)) == .delivered { reading.summary.delivered += 1 }
    }

    private mutating func takeFailure(
        _ entry: LogObservation, _ delivery: Delivery, _ known: [KnownEntry], _ reading: inout PageReading
    ) throws {
        let sighting = Sighting(entry, came: known.timeOfOutcome(entry))
        try signalFailure(entry, sighting, of: delivery, &reading)
        let earliest = reading.endpoint.earliestAttempt(for: entry, rules: rules)
        if try isNewFailure(entry, of: delivery) {
            reading.summary.new += 1
            if let oddness = entry.bodyOddness { try note(oddness, &reading) }
            return try failAnew(delivery, by: entry, notBefore: earliest)
        }
        if try settle(delivery, by: .entry(sighting), notBefore: earliest) == .failed {
            reading.summary.failedAgain += 1
        }
        // The provider's own attempt failed. A call in flight is settled when its result is recorded.
        let failed = min(entry.changed ?? now, now)
        guard delivery.state == .scheduled, failed > delivery.lastFailed, delivery.manual == nil else { return }
        // Else a row whose time moves at every reading would never come due.
        guard !delivery.isPostponed else { return }
        try session.run("UPDATE delivery SET is_postponed = 1 WHERE id = ?", [delivery.id])
        let aged = try giveBackAge(of: delivery)
        try postpone(aged, rules.providerFailed(aged, at: failed), notBefore: earliest)
        if try !isCircuitOpen(of: reading.endpoint.id) { try moveInLine(delivery, to: failed) }
    }

    /// Gives a waiting delivery the time of its next attempt, or ends it.
    private mutating func postpone(_ delivery: Delivery, _ decision: Transition, notBefore earliest: Timestamp?) throws
    {
        let transition = decision.notBefore(earliest)
        guard case .schedule(let time, _) = transition else { return try move(delivery, transition) }
        try schedule(delivery, at: time)
        if let earliest, earliest > now { try putOff(delivery.id) }
    }

    /// Gives the log more time, because it says that the provider is still trying.
    func waitLonger(_ entry: LogObservation, _ delivery: Delivery?) throws {
        guard let delivery, delivery.state == .awaiting, delivery.isOfOpenCall(entry.changed),
            let called = delivery.called, now - called < Self.longestProgress
        else { return }
        try session.run(
            "UPDATE delivery SET confirm_by_ms = \(Dialect.greatest("confirm_by_ms", "?")) WHERE id = ?",
            [now + rules.confirmWithin, delivery.id])
    }

    private mutating func signalFailure(
        _ entry: LogObservation, _ sighting: Sighting, of delivery: Delivery, _ reading: inout PageReading
    ) throws {
        let isTrial = delivery.isTrial && delivery.isOfOpenCall(entry.changed)
        let action = try signal(
            .failed(delivery: delivery.id, at: sighting.came, isReceivers: entry.blamesReceiver, isTrial: isTrial),
            of: reading.endpoint.id)
        reading.summary.circuit = action ?? reading.summary.circuit
    }

    // MARK: - What was not known before

    /// Makes a delivery of an entry that is a failure and ours to retry.
    ///
    /// - Parameter known: the stored entries of the same task.
    /// - Returns: false when it is none.
    private mutating func takeNewFailure(
        _ entry: LogObservation, _ body: inout HashedBody, _ known: [KnownEntry], _ reading: inout PageReading
    ) throws -> Bool {
        guard entry.outcome == .failed, !body.isMissing, let eventType = entry.eventType else { return false }
        let (endpoint, read) = (reading.endpoint, reading.read)
        let logged = entry.logged ?? read
        guard logged >= endpoint.historyFrom, logged >= read - Self.replayGuard else {
            reading.tooOld.add(logged, historyFrom: endpoint.historyFrom)
            return false
        }
        // Newest-first pages show a later success before the failure that it mends.
        guard !known.mend(entry, &body) else {
            try correctArrival(entry)
            return false
        }
        guard try !isKeptElsewhere(entry, &body, eventType: eventType, &reading) else { return false }
        try makeDelivery(of: entry, &body, eventType: eventType, known, &reading)
        return true
    }

    /// Makes a delivery of a failure.
    ///
    /// - Parameter cycleStarted: from when on its age counts; nil: from the failure.
    mutating func makeDelivery(
        of entry: LogObservation, _ body: inout HashedBody, eventType: String, _ known: [KnownEntry],
        _ reading: inout PageReading, cycleStarted: Timestamp? = nil
    ) throws {
        let endpoint = reading.endpoint
        let earliest = endpoint.earliestAttempt(for: entry, rules: rules)
        var delivery = Delivery(
            new: entry, eventType: eventType, of: endpoint.id, failed: min(entry.changed ?? now, now))
        if let cycleStarted { delivery.cycleStarted = cycleStarted }
        let plan = rules.discovered(delivery).notBefore(earliest)
        let next = if case .schedule(let time, _) = plan { time } else { now }
        delivery.nextAttempt = next
        let place = Line.place(failed: delivery.lastFailed, next: next, notBefore: earliest, at: now)
        try insert(&delivery, entry, next: next, turn: place)
        try insert(&body, entry, of: delivery)
        if !known.contains(where: { $0.isSame(as: entry) }) { try remember(entry, of: delivery, known: known, reading) }
        if !known.isEmpty { try adoptEntries(ofTask: entry.taskID, for: delivery) }
        if delivery.state != plan.target { try move(delivery, plan) }
        // The label is taken at the first failure, not at the first end: a series must not change its label in
        // mid-life.
        if reading.labelled.insert(eventType).inserted { try metricLabel(forEventType: eventType) }
        try signalFailure(entry, Sighting(entry, came: known.timeOfOutcome(entry)), of: delivery, &reading)
        reading.summary.new += 1
        if let oddness = entry.bodyOddness { try note(oddness, &reading) }
    }

    private func insert(
        _ delivery: inout Delivery, _ entry: LogObservation, next: Timestamp, turn: Timestamp
    ) throws {
        try session.run(
            """
            INSERT INTO delivery (
                endpoint_id, task_id, event_type, customer_id, webhook_id, state, cycle_started_ms, logged_ms,
                first_failed_ms, last_failed_ms, next_attempt_ms, last_error, created_ms, updated_ms, turn_ms, held_before_ms
            )
            VALUES (
                :endpoint, :task, :type, :customer, :webhook, 'scheduled', :started, :logged, :failed, :failed, :next,
                :error, :now, :now, :turn, (SELECT \(Self.heldBefore(":failed")) FROM endpoint WHERE id = :endpoint))
            """,
            [
                "endpoint": delivery.endpointID, "task": delivery.taskID, "type": delivery.eventType,
                "customer": delivery.customerID, "webhook": delivery.webhookID, "started": delivery.cycleStarted,
                "logged": min(entry.logged ?? delivery.lastFailed, delivery.lastFailed), "failed": delivery.lastFailed,
                "next": next,
                "error": entry.error, "now": now, "turn": turn,
            ])
        delivery.id = session.lastID
    }

    private func insert(_ body: inout HashedBody, _ entry: LogObservation, of delivery: Delivery) throws {
        try session.run(
            """
            INSERT INTO delivery_body (delivery_id, body, sha256, task_id_json, customer_id_json, webhook_id_json)
            VALUES (:delivery, :body, :sha256, :task, :customer, :webhook)
            """,
            [
                "delivery": delivery.id, "body": body.bytes, "sha256": body.digest(), "task": entry.taskIDJSON,
                "customer": entry.customerIDJSON, "webhook": entry.webhookIDJSON,
            ])
    }
}

extension Sighting {
    fileprivate init(_ entry: LogObservation, came: Timestamp?) {
        self.init(
            taskID: entry.taskID, isSuccess: entry.outcome == .succeeded, logged: entry.logged, changed: entry.changed,
            came: came, error: entry.error)
    }
}

extension LogOutcome {
    fileprivate var counterLabel: String {
        switch self {
        case .succeeded: "success"
        case .failed: "failure"
        case .inProgress: "in_progress"
        }
    }
}
