extension QueueStore {
    /// When the next delivery that is not held comes due; nil: none waits for a time.
    ///
    /// - Parameter countsTrials: whether the time of an open circuit's next trial counts.
    package func nextDue(
        of endpoints: Set<String>? = nil, countsTrials: Bool = true, at now: Timestamp
    ) async throws(StoreError) -> Timestamp? {
        try await read("find the next due delivery") { session in
            let manual = try session.manualDue(of: endpoints, limit: 1, at: nil).first?.time
            let scheduled = try DueEndpoint.all(session, of: endpoints)
                .filter { countsTrials || !$0.isOpen }.compactMap { try $0.nextDue(session, at: now) }
            return (scheduled + [manual].compactMap(\.self)).min()
        }
    }

    /// When the next operator's retry comes due; nil: none is asked for.
    package func nextManualDue(of endpoints: Set<String>? = nil) async throws(StoreError) -> Timestamp? {
        try await read("find the next operator's retry") { session in
            try session.manualDue(of: endpoints, limit: 1, at: nil).first?.time
        }
    }
}

extension Session {
    /// Operators' retries, soonest first: they pass every hold but an operator's own.
    ///
    /// - Parameter now: only those that are due then; nil: all.
    func manualDue(of wanted: Set<String>?, limit: Int, at now: Timestamp?) throws -> [(id: Int64, time: Timestamp)] {
        let endpoints = try all("SELECT id FROM endpoint WHERE active = 1 AND hold_reason IS DISTINCT FROM 'operator'")
        {
            $0.text()
        }
        var due: [(id: Int64, time: Timestamp)] = []
        for endpoint in endpoints where wanted?.contains(endpoint) ?? true {
            due += try all(
                """
                SELECT id, next_attempt_ms FROM delivery \(Dialect.byManual)
                WHERE endpoint_id = :endpoint AND state = 'scheduled' AND manual_ms IS NOT NULL
                  AND next_attempt_ms <= :now
                ORDER BY next_attempt_ms, id LIMIT :limit
                """,
                ["endpoint": endpoint, "now": now ?? Timestamp(milliseconds: .max), "limit": limit]
            ) { ($0.integer(), $0.timestamp()) }
        }
        return Array(due.sorted { ($0.time, $0.id) < ($1.time, $1.id) }.prefix(limit))
    }
}

/// What of an endpoint may be called now, and when it may be called next. Endpoints are asked one by one, so that a
/// held backlog costs nothing. The view `delivery_standing` decides whether a delivery is due.
struct DueEndpoint {
    let id: String
    /// nil: nothing holds it, except perhaps its circuit.
    private let hold: HoldReason?
    private let holdUntil: Timestamp?
    private let phase: EndpointCircuit.Phase
    /// The delivery of the newest trial.
    private let lastTrial: Int64?
    /// When its circuit last released what it held: all that failed until then is due. nil: it never held anything.
    private let recovered: Timestamp?

    /// The deliveries of one endpoint that may be called now, and why.
    struct Share {
        var line: ClaimOrder.Line
        /// Whether `line` is one delivery that shows whether the receiver is back.
        var isTrial = false
        /// Whether `line` is one delivery that shows whether a hold may end, after its pause.
        var isTry = false
    }

    /// This many of the longest due deliveries are put in the order in which they failed; it bounds the work of a
    /// claim.
    private static let window = 64
    /// How long after `confirmWithin` a trial without an outcome still blocks the next one.
    private static let patience = Duration.seconds(600)

    /// Reads the configured endpoints, sorted by id.
    ///
    /// - Parameter wanted: only these; nil: all.
    static func all(_ session: Session, of wanted: Set<String>?) throws -> [DueEndpoint] {
        try session.all(
            """
            SELECT id, hold_reason, hold_until_ms, \(EndpointCircuit.Phase.columns), circuit_trial_id, recovered_ms
            FROM endpoint WHERE active = 1 ORDER BY id
            """, [], DueEndpoint.init
        ).filter { wanted?.contains($0.id) ?? true }
    }

    private init(_ row: inout SQLRow) {
        id = row.text()
        hold = row.wordIfAny()
        holdUntil = row.timestampIfAny()
        phase = EndpointCircuit.Phase(&row)
        lastTrial = row.integerIfAny()
        recovered = row.timestampIfAny()
    }

    /// Whether only trials are called.
    var isOpen: Bool { phase.heldSince != nil }

    // MARK: - Now

    /// What may be called now; nil: nothing.
    ///
    /// - Parameter last: the newest call, of any endpoint.
    func share(
        _ session: Session, limit: Int, after last: ClaimOrder.Last?, rules: RetryRules, at now: Timestamp
    ) throws -> Share? {
        guard limit > 0, hold == nil || holdUntil.map({ $0 <= now }) ?? false else { return nil }
        var share = Share(line: .init(endpointID: id, fresh: []), isTry: hold != nil)
        switch phase {
        case .open(_, let nextTrial):
            // A clock that was set back must not put trials off by that time.
            guard nextTrial <= now || nextTrial - now > rules.circuit.longestDelay else { return nil }
            guard try !isTrialUnderWay(session, longest: rules.confirmWithin + Self.patience) else { return nil }
            share.isTrial = true
            share.line.fresh = try nextInRotation(session, at: now).map { [$0] } ?? []
        case .draining(let most):
            let room = min(limit, most - (try callsOpen(session)))
            guard room > 0 else { return nil }
            try fill(&share, session, room: hold == nil ? room : 1, after: last, at: now)
        case .closed:
            try fill(&share, session, room: hold == nil ? limit : 1, after: last, at: now)
        }
        return share
    }

    private func fill(
        _ share: inout Share, _ session: Session, room: Int, after last: ClaimOrder.Last?, at now: Timestamp
    ) throws {
        share.line.held = try released(session, limit: room)
        share.line.fresh =
            share.line.held.isEmpty
            ? try longestDue(session, limit: room, at: now) : try dueInLine(session, limit: room, at: now)
        // Fresh and held ones take turns. The line gets no more of them than there is room for.
        let kept = ClaimOrder(lines: [share.line], last: last).first(room)
        share.line.held.removeAll { !kept.contains($0) }
        share.line.fresh.removeAll { !kept.contains($0) }
    }

    /// Deliveries that are due by their own time, in the order in which they failed.
    private func longestDue(_ session: Session, limit: Int, at now: Timestamp) throws -> [Int64] {
        let due = try session.all(
            """
            SELECT turn_ms, id FROM delivery
            WHERE endpoint_id = :endpoint AND state = 'scheduled' AND next_attempt_ms <= :now AND manual_ms IS NULL
            ORDER BY next_attempt_ms, id LIMIT :window
            """,
            ["endpoint": id, "now": now, "window": max(limit, Self.window)]
        ) { (turn: $0.integer(), id: $0.integer()) }
        return due.sorted { ($0.turn, $0.id) < ($1.turn, $1.id) }.prefix(limit).map(\.id)
    }

    /// Deliveries that were held until the endpoint recovered and not called since: all of them are due.
    private func released(_ session: Session, limit: Int) throws -> [Int64] {
        guard recovered != nil else { return [] }
        return try session.all(
            "SELECT id FROM delivery_standing WHERE endpoint_id = ? AND is_released ORDER BY turn_ms, id LIMIT \(limit)",
            [id]
        ) { $0.integer() }
    }

    /// Due deliveries that failed since the endpoint recovered. They are found by their place in line, because the
    /// times of a released backlog have passed as well.
    private func dueInLine(_ session: Session, limit: Int, at now: Timestamp) throws -> [Int64] {
        try session.all(
            """
            SELECT id FROM (
                SELECT id, next_attempt_ms, turn_ms FROM delivery \(Dialect.byLine)
                WHERE endpoint_id = :endpoint AND state = 'scheduled' AND manual_ms IS NULL AND turn_ms > :recovered
                ORDER BY turn_ms, id LIMIT :window
            ) AS line WHERE next_attempt_ms <= :now ORDER BY turn_ms, id LIMIT :limit
            """,
            [
                "endpoint": id, "recovered": recovered ?? Timestamp(milliseconds: .min),
                "window": max(limit, Self.window) * 4, "now": now, "limit": limit,
            ]
        ) { $0.integer() }
    }

    /// The delivery in line behind the last trial's, so that one that its receiver never takes cannot keep the circuit
    /// open. A delivery that is put off is left out.
    private func nextInRotation(_ session: Session, at now: Timestamp) throws -> Int64? {
        let place = try lastTrial.flatMap {
            try session.first("SELECT turn_ms, id FROM delivery WHERE id = ?", [$0]) { ($0.integer(), $0.integer()) }
        }
        if let place, let next = try firstInLine(session, behind: place, at: now) { return next }
        return try firstInLine(session, behind: (.min, 0), at: now)
    }

    private func firstInLine(_ session: Session, behind place: (turn: Int64, id: Int64), at now: Timestamp) throws
        -> Int64?
    {
        try session.number(
            """
            SELECT id FROM delivery \(Dialect.byLine)
            WHERE endpoint_id = :endpoint AND state = 'scheduled' AND manual_ms IS NULL AND (turn_ms, id) > (:turn, :id)
              AND (turn_ms < next_attempt_ms OR next_attempt_ms <= :now)
            ORDER BY turn_ms, id LIMIT 1
            """,
            ["endpoint": id, "turn": place.turn, "id": place.id, "now": now])
    }

    /// How many calls of the drain are open. One from before says nothing of the receiver now and may stay open for a
    /// day.
    private func callsOpen(_ session: Session) throws -> Int {
        Int(
            try session.number(
                """
                SELECT COUNT(*) FROM delivery
                WHERE endpoint_id = ? AND state IN ('attempting', 'awaiting') AND called_ms >= ?
                """,
                [id, recovered ?? Timestamp(milliseconds: .min)]) ?? 0)
    }

    /// Whether a trial's outcome is still waited for.
    ///
    /// - Parameter longest: a trial whose wait grew beyond this, because the log says that the provider is still
    ///   trying, does not count; nil: each one counts.
    private func isTrialUnderWay(_ session: Session, longest: Duration? = nil) throws -> Bool {
        try session.exists(
            """
            SELECT 1 FROM delivery
            WHERE endpoint_id = ? AND state IN ('attempting', 'awaiting') AND is_trial = 1
              AND (confirm_by_ms IS NULL OR confirm_by_ms - called_ms <= ?)
            LIMIT 1
            """,
            [id, longest?.wholeMilliseconds ?? .max])
    }

    /// Whether a drain is over: nothing that was held is left, and no call is open.
    func isDrained(_ session: Session) throws -> Bool {
        guard case .draining = phase else { return false }
        return try released(session, limit: 1).isEmpty && callsOpen(session) == 0
    }

    // MARK: - Next

    /// When a delivery of it may be called next; nil: none waits for a time.
    func nextDue(_ session: Session, at now: Timestamp) throws -> Timestamp? {
        guard hold == nil || holdUntil != nil, let next = try nextByCircuit(session, at: now) else { return nil }
        return max(next, holdUntil ?? next)
    }

    private func nextByCircuit(_ session: Session, at now: Timestamp) throws -> Timestamp? {
        switch phase {
        case .open(_, let nextTrial):
            guard try !isTrialUnderWay(session) else { return nil }
            if try nextInRotation(session, at: now) != nil { return nextTrial }
            return try firstPutOff(session).map { max($0, nextTrial) }
        case .draining(let most) where try callsOpen(session) >= most: return nil
        case .draining, .closed: return try firstDue(session)
        }
    }

    /// The earliest time at which one of its deliveries is due by schedule; nil when none waits.
    private func firstDue(_ session: Session) throws -> Timestamp? {
        if let recovered, try !released(session, limit: 1).isEmpty { return recovered }
        return try firstPutOff(session)
    }

    /// When the first delivery is due by its own time; nil: none waits.
    private func firstPutOff(_ session: Session) throws -> Timestamp? {
        try session.number(
            """
            SELECT next_attempt_ms FROM delivery
            WHERE endpoint_id = ? AND state = 'scheduled' AND manual_ms IS NULL
            ORDER BY next_attempt_ms LIMIT 1
            """,
            [id]
        ).map(Timestamp.init(milliseconds:))
    }
}
