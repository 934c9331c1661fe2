import GRDB

extension QueueStore {
    /// When the next delivery that is not held comes due; nil when none waits, or only for something to happen.
    ///
    /// - Parameter countsTrials: whether the time of an open circuit's next trial counts.
    package func nextDue(
        of endpoints: Set<String>? = nil, countsTrials: Bool = true, at now: Timestamp
    ) async throws(StoreError) -> Timestamp? {
        try await read("find the next due delivery") { db in
            let manual = try db.manualDue(of: endpoints, limit: 1, at: nil).first?.time
            let scheduled = try DueEndpoint.all(db, of: endpoints)
                .filter { countsTrials || !$0.isOpen }.compactMap { try $0.nextDue(db, at: now) }
            return (scheduled + [manual].compactMap(\.self)).min()
        }
    }

    /// When the next operator's retry comes due; nil when none is asked for.
    package func nextManualDue(of endpoints: Set<String>? = nil) async throws(StoreError) -> Timestamp? {
        try await read("find the next operator's retry") { db in
            try db.manualDue(of: endpoints, limit: 1, at: nil).first?.time
        }
    }
}

extension Database {
    /// Operators' retries, soonest first: they pass every hold but an operator's own.
    ///
    /// - Parameter now: only what is due then; nil: all that is asked for.
    func manualDue(of wanted: Set<String>?, limit: Int, at now: Timestamp?) throws -> [(id: Int64, time: Timestamp)] {
        let endpoints = try all("SELECT id FROM endpoint WHERE active = 1 AND hold_reason IS NOT 'operator'") {
            $0.text()
        }
        var due: [(id: Int64, time: Timestamp)] = []
        for endpoint in endpoints where wanted?.contains(endpoint) ?? true {
            due += try all(
                """
                SELECT id, next_attempt_ms FROM delivery INDEXED BY delivery_manual -- else all that is due is looked at
                WHERE endpoint_id = ? AND state = 'scheduled' AND manual_ms IS NOT NULL AND next_attempt_ms <= ?
                ORDER BY next_attempt_ms, id LIMIT ?
                """,
                [endpoint, now?.milliseconds ?? .max, limit]
            ) { ($0.integer(), $0.timestamp()) }
        }
        return Array(due.sorted { ($0.time, $0.id) < ($1.time, $1.id) }.prefix(limit))
    }

    /// A delivery that failed while nothing held it waits for its own time again.
    func moveInLine(_ delivery: Delivery, to failed: Timestamp) throws {
        try run("UPDATE delivery SET turn_ms = max(turn_ms, ?) WHERE id = ?", [failed.milliseconds, delivery.id])
    }

    /// Until its own time nothing makes a waiting delivery due, no trial and no recovery of its endpoint: it stands in the line
    /// from then on only.
    func putOff(_ id: Int64) throws {
        try run(
            """
            UPDATE delivery SET turn_ms = max(turn_ms, next_attempt_ms)
            WHERE id = ? AND state = 'scheduled' AND manual_ms IS NULL
            """,
            [id])
    }

    /// The call before; nil when there was none. Operators' retries alternate with what else is due, so that one of the newest
    /// calls is of the schedule, or it does not matter where the schedule's turn goes on.
    func lastCall() throws -> ClaimOrder.Last? {
        let newest = try rows(
            """
            SELECT attempt.id, attempt.kind, delivery.endpoint_id
            FROM attempt JOIN delivery ON delivery.id = attempt.delivery_id
            ORDER BY attempt.id DESC LIMIT 8
            """)
        guard let last = newest.first else { return nil }
        let scheduled = newest.first { $0["kind"] == "scheduled" } ?? last
        return .init(
            endpointID: scheduled["endpoint_id"], isManual: last["kind"] == "manual", number: last["id"])
    }
}

/// What of an endpoint may be called now, and when the next of it may. Asked endpoint by endpoint, so that a held backlog
/// costs nothing.
struct DueEndpoint {
    let id: String
    private let hold: HoldReason?
    private let holdUntil: Timestamp?
    private let phase: EndpointCircuit.Phase
    /// The delivery of the newest trial.
    private let lastTrial: Int64?
    /// All that failed until then is due; nil: it was never held by its circuit.
    private let recovered: Timestamp?

    /// What may be called, and as what.
    struct Share {
        var line: ClaimOrder.Line
        /// One delivery, to learn whether the receiver is back.
        var isTrial = false
        /// One delivery, to learn whether a hold that has passed may end.
        var isTry = false
    }

    /// Of what is due, so many of the longest due are put in the order in which they failed; bounds the work of a claim.
    private static let window = 64
    /// How much longer than the log gets in any case a trial is waited for.
    private static let patience = Duration.seconds(600)

    /// All that are configured, in the order of their ids.
    ///
    /// - Parameter wanted: only of these; nil: of all.
    static func all(_ db: Database, of wanted: Set<String>?) throws -> [DueEndpoint] {
        try db.rows(
            """
            SELECT id, hold_reason, hold_until_ms, circuit_open_ms, circuit_next_trial_ms, circuit_limit,
                circuit_trial_id, recovered_ms
            FROM endpoint WHERE active = 1 ORDER BY id
            """
        ).filter { wanted?.contains($0["id"]) ?? true }.map(DueEndpoint.init(row:))
    }

    private init(row: Row) {
        id = row["id"]
        hold = (row["hold_reason"] as String?).flatMap(HoldReason.init(rawValue:))
        holdUntil = row.timestampIfAny("hold_until_ms")
        phase = EndpointCircuit.Phase(row: row)
        lastTrial = row["circuit_trial_id"]
        recovered = row.timestampIfAny("recovered_ms")
    }

    /// Whether nothing of it is called but trials.
    var isOpen: Bool { phase.heldSince != nil }

    // MARK: - Now

    /// nil when nothing of it may be called.
    ///
    /// - Parameter last: the call before, of whichever endpoint.
    func share(
        _ db: Database, limit: Int, after last: ClaimOrder.Last?, rules: RetryRules, at now: Timestamp
    ) throws -> Share? {
        guard limit > 0, hold == nil || holdUntil.map({ $0 <= now }) ?? false else { return nil }
        var share = Share(line: .init(endpointID: id, fresh: []), isTry: hold != nil)
        switch phase {
        case .open(_, let nextTrial):
            // A clock that was set back must not put trials off for as long as it was set back.
            guard nextTrial <= now || nextTrial - now > rules.circuit.longestDelay else { return nil }
            guard try !isTrialUnderWay(db, longest: rules.confirmWithin + Self.patience) else { return nil }
            share.isTrial = true
            share.line.fresh = try nextInRotation(db, at: now)
        case .draining(let most):
            let room = min(limit, most - (try callsOpen(db)))
            guard room > 0 else { return nil }
            try fill(&share, db, room: hold == nil ? room : 1, after: last, at: now)
        case .closed:
            try fill(&share, db, room: hold == nil ? limit : 1, after: last, at: now)
        }
        return share
    }

    private func fill(
        _ share: inout Share, _ db: Database, room: Int, after last: ClaimOrder.Last?, at now: Timestamp
    ) throws {
        share.line.held = try heldInLine(db, limit: room)
        share.line.fresh =
            share.line.held.isEmpty
            ? try longestDue(db, limit: room, at: now) : try freshInLine(db, limit: room, at: now)
        // Both take turns; more than there is room for is not to be chosen from.
        let kept = ClaimOrder(lines: [share.line], last: last).first(room)
        share.line.held.removeAll { !kept.contains($0) }
        share.line.fresh.removeAll { !kept.contains($0) }
    }

    /// What is due by its own time, in the order in which it failed.
    private func longestDue(_ db: Database, limit: Int, at now: Timestamp) throws -> [Int64] {
        let due = try db.all(
            """
            SELECT turn_ms, id FROM delivery
            WHERE endpoint_id = ? AND state = 'scheduled' AND next_attempt_ms <= ? AND manual_ms IS NULL
            ORDER BY next_attempt_ms, id LIMIT ?
            """,
            [id, now.milliseconds, max(limit, Self.window)]
        ) { (turn: $0.integer(), id: $0.integer()) }
        return due.sorted { ($0.turn, $0.id) < ($1.turn, $1.id) }.prefix(limit).map(\.id)
    }

    /// What was held until the endpoint recovered and was not called since.
    private func heldInLine(_ db: Database, limit: Int) throws -> [Int64] {
        guard let recovered else { return [] }
        return try db.all(
            """
            SELECT id FROM delivery INDEXED BY delivery_line
            WHERE endpoint_id = ? AND state = 'scheduled' AND manual_ms IS NULL AND turn_ms <= ?
            ORDER BY turn_ms, id LIMIT ?
            """,
            [id, recovered.milliseconds, limit]
        ) { $0.integer() }
    }

    /// What failed since the endpoint recovered and is due: beside a backlog whose own times have passed as well, so not to be
    /// found by time.
    private func freshInLine(_ db: Database, limit: Int, at now: Timestamp) throws -> [Int64] {
        try db.rows(
            """
            SELECT id FROM (
                SELECT id, next_attempt_ms, turn_ms FROM delivery INDEXED BY delivery_line
                WHERE endpoint_id = ? AND state = 'scheduled' AND manual_ms IS NULL AND turn_ms > ?
                ORDER BY turn_ms, id LIMIT ?
            ) WHERE next_attempt_ms <= ? ORDER BY turn_ms, id LIMIT ?
            """,
            [id, recovered?.milliseconds ?? .min, max(limit, Self.window) * 4, now.milliseconds, limit]
        ).map { $0["id"] }
    }

    /// The delivery behind that of the trial before, so that one that its receiver never takes cannot keep the circuit open.
    /// Not one that was put off until later.
    private func nextInRotation(_ db: Database, at now: Timestamp) throws -> [Int64] {
        let place = try lastTrial.flatMap { try db.firstRow("SELECT turn_ms, id FROM delivery WHERE id = ?", [$0]) }
        let sql = """
            SELECT id FROM delivery INDEXED BY delivery_line
            WHERE endpoint_id = ? AND state = 'scheduled' AND manual_ms IS NULL AND (turn_ms, id) > (?, ?)
              AND (turn_ms < next_attempt_ms OR next_attempt_ms <= ?)
            ORDER BY turn_ms, id LIMIT 1
            """
        if let place,
            let next = try db.firstRow(
                sql, [id, place["turn_ms"] as Int64, place["id"] as Int64, now.milliseconds])
        {
            return [next["id"]]
        }
        return try db.rows(sql, [id, Int64.min, 0, now.milliseconds]).map { $0["id"] }
    }

    /// When the first of those that were put off may be a trial; nil when there is none.
    private func firstPutOff(_ db: Database) throws -> Timestamp? {
        try db.firstRow(
            """
            SELECT MIN(next_attempt_ms) AS next_ms FROM delivery
            WHERE endpoint_id = ? AND state = 'scheduled' AND manual_ms IS NULL
            """,
            [id])?.timestampIfAny("next_ms")
    }

    /// Those of the drain. What was called before and never heard of says nothing of the receiver as it is now, and may stay
    /// open for a day.
    private func callsOpen(_ db: Database) throws -> Int {
        try db.firstRow(
            """
            SELECT COUNT(*) AS n FROM delivery
            WHERE endpoint_id = ? AND state IN ('attempting', 'awaiting') AND called_ms >= ?
            """,
            [id, recovered?.milliseconds ?? .min])?["n"] ?? 0
    }

    /// - Parameter longest: a trial whose outcome is put off beyond that, because the log says that the provider is still at
    ///   it, keeps no other waiting; nil: it does.
    private func isTrialUnderWay(_ db: Database, longest: Duration? = nil) throws -> Bool {
        try db.firstRow(
            """
            SELECT 1 FROM delivery
            WHERE endpoint_id = ? AND state IN ('attempting', 'awaiting') AND is_trial = 1
              AND (confirm_by_ms IS NULL OR confirm_by_ms - called_ms <= ?)
            LIMIT 1
            """,
            [id, longest?.wholeMilliseconds ?? .max]) != nil
    }

    /// Whether a drain is over: nothing that was held is left, and no call is open.
    func isDrained(_ db: Database) throws -> Bool {
        guard case .draining = phase else { return false }
        return try heldInLine(db, limit: 1).isEmpty && callsOpen(db) == 0
    }

    // MARK: - Next

    /// When something of it may be called; nil when nothing waits, or only for something to happen.
    func nextDue(_ db: Database, at now: Timestamp) throws -> Timestamp? {
        guard hold == nil || holdUntil != nil, let next = try nextByCircuit(db, at: now) else { return nil }
        return max(next, holdUntil ?? next)
    }

    private func nextByCircuit(_ db: Database, at now: Timestamp) throws -> Timestamp? {
        switch phase {
        case .open(_, let nextTrial):
            guard try !isTrialUnderWay(db) else { return nil }
            if try !nextInRotation(db, at: now).isEmpty { return nextTrial }
            return try firstPutOff(db).map { max($0, nextTrial) }
        case .draining(let most) where try callsOpen(db) >= most: return nil
        case .draining, .closed:
            if try !heldInLine(db, limit: 1).isEmpty { return recovered }
            return try db.firstRow(
                """
                SELECT next_attempt_ms FROM delivery
                WHERE endpoint_id = ? AND state = 'scheduled' AND manual_ms IS NULL
                ORDER BY next_attempt_ms LIMIT 1
                """,
                [id])?.timestamp("next_attempt_ms")
        }
    }
}
