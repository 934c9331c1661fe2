/// What of an endpoint may be called now, and when it may be called next. Endpoints are asked one by one, so that a
/// held backlog costs nothing. The views `delivery_standing` and `endpoint_standing` decide whether a delivery is due
/// and what holds it; a test compares with them what a claim takes.
struct DueEndpoint {
    let id: String
    /// Whether it is configured and does not hold operators' retries.
    let takesManual: Bool
    /// Whether its log was read lately enough to call; see `ReadRule`.
    private(set) var read: ReadRule
    /// What holds it; nil: nothing does.
    private let heldBecause: HeldBecause?
    /// When one call of a held endpoint is tried; nil: it is not held, or until something happens.
    let heldUntil: Timestamp?
    let phase: EndpointCircuit.Phase
    /// The delivery of the newest trial.
    private let lastTrial: Int64?
    /// When its circuit last released what it held: all that failed until then is due. nil: it never held anything.
    let recovered: Timestamp?
    /// Whether the provider ever accepted a call of it.
    private let wasCalled: Bool

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
    static let window = 64
    /// How long after `confirmWithin` a trial without an outcome still blocks the next one.
    private static let patience = Duration.seconds(600)

    /// Reads the configured endpoints, sorted by id.
    ///
    /// - Parameter readings: how their logs were read last; nil: as if all were read whole just now.
    static func all(
        _ session: Session, readings: [String: LogReading]?, rules: RetryRules
    ) throws -> [DueEndpoint] {
        try fetch(session) { id in (rules, readings.map { $0[id] }) }
    }

    /// The same for what no rule decides: when a delivery is due, as if all logs were read whole just now.
    static func asIfRead(_ session: Session) throws -> [DueEndpoint] {
        try fetch(session) { _ in nil }
    }

    /// - Parameter judged: as `ReadRule` takes it, by the endpoint's id.
    private static func fetch(
        _ session: Session, judged: (String) -> (rules: RetryRules, reading: LogReading??)?
    ) throws -> [DueEndpoint] {
        try session.all(
            """
            SELECT id, holds_manual, openings, retry_shows, unread_until_ms, freed_until_ms, held_because, held_until_ms,
                \(EndpointCircuit.Phase.columns), circuit_trial_id, recovered_ms, last_accepted_ms > 0
            FROM endpoint_standing WHERE active = 1 ORDER BY id
            """
        ) { try DueEndpoint(&$0, judged) }
    }

    private init(
        _ row: inout SQLRow, _ judged: (String) -> (rules: RetryRules, reading: LogReading??)?
    ) throws {
        let id = row.text()
        self.id = id
        takesManual = !row.flag()
        read = try ReadRule(&row, judged(id))
        heldBecause = row.wordIfAny()
        heldUntil = row.timestampIfAny()
        phase = EndpointCircuit.Phase(&row)
        lastTrial = row.integerIfAny()
        recovered = row.timestampIfAny()
        wasCalled = row.flag()
    }

    /// Whether only trials are called.
    var isOpen: Bool { phase.heldSince != nil }

    /// Whether it is held by more than its circuit: then one call is tried after the hold's pause.
    var isOnHold: Bool { heldBecause.map { $0 != .circuit } ?? false }

    /// Its due deliveries as they would be if its log was read just now; to learn whether a reading is worth while.
    var asIfRead: DueEndpoint {
        var endpoint = self
        endpoint.read = read.asIfRead
        return endpoint
    }

    // MARK: - Now

    /// Operators' retries that are due, soonest first.
    ///
    /// - Parameter now: nil: also those that are due later.
    func manualDue(_ session: Session, limit: Int, at now: Timestamp?) throws -> [(id: Int64, time: Timestamp)] {
        guard takesManual else { return [] }
        return try session.all(
            """
            SELECT id, next_attempt_ms FROM delivery \(Dialect.byManual)
            WHERE endpoint_id = :endpoint AND state = 'scheduled' AND manual_ms IS NOT NULL
              AND next_attempt_ms <= :now AND (manual_ignores_log = 1 OR (:read = 1\(read.condition)))
            ORDER BY next_attempt_ms, id LIMIT :limit
            """,
            ["endpoint": id, "now": now ?? .distantFuture, "read": !read.isLate] + read.parameters + ["limit": limit]
        ) { ($0.integer(), $0.timestamp()) }
    }

    /// What may be called now; nil: nothing.
    ///
    /// - Parameter last: the newest call, of any endpoint.
    func share(
        _ session: Session, limit: Int, after last: ClaimOrder.Last?, rules: RetryRules, at now: Timestamp
    ) throws -> Share? {
        guard limit > 0, !read.isLate, !isOnHold || heldUntil.map({ $0 <= now }) ?? false else { return nil }
        var share = Share(line: .init(endpointID: id, fresh: []), isTry: isOnHold)
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
            try fill(&share, session, room: isOnHold ? 1 : room, after: last, at: now)
        case .closed:
            try fill(&share, session, room: isOnHold ? 1 : limit, after: last, at: now)
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
        if read.isLearning, !wasCalled, share.line.held.isEmpty, let first = try shallowest(session, at: now) {
            share.line.fresh = [first] + share.line.fresh.filter { $0 != first }
        }
        // Fresh and held ones take turns. The line gets no more of them than there is room for.
        let kept = ClaimOrder(lines: [share.line], last: last).first(room)
        share.line.held.removeAll { !kept.contains($0) }
        share.line.fresh.removeAll { !kept.contains($0) }
    }

    /// Deliveries that are due by their own time, in the order in which they failed. Nothing is released here, so their
    /// own time is the view's `due_ms`, and an index has it.
    private func longestDue(_ session: Session, limit: Int, at now: Timestamp) throws -> [Int64] {
        let due = try session.all(
            """
            SELECT turn_ms, id FROM delivery
            WHERE endpoint_id = :endpoint AND state = 'scheduled' AND next_attempt_ms <= :now AND manual_ms IS NULL
            \(read.condition)
            ORDER BY next_attempt_ms, id LIMIT :window
            """,
            ["endpoint": id, "now": now] + read.parameters + ["window": max(limit, Self.window)]
        ) { (turn: $0.integer(), id: $0.integer()) }
        return due.sorted { ($0.turn, $0.id) < ($1.turn, $1.id) }.prefix(limit).map(\.id)
    }

    /// The due delivery whose row stands nearest to the log's beginning, among the last that failed: should its retry
    /// show in its old row, that is read soonest. nil: none of them is due.
    private func shallowest(_ session: Session, at now: Timestamp) throws -> Int64? {
        try session.number(
            """
            SELECT id FROM (
                SELECT id, next_attempt_ms, logged_ms FROM delivery \(Dialect.byLine)
                WHERE endpoint_id = :endpoint AND state = 'scheduled' AND manual_ms IS NULL\(read.condition)
                ORDER BY turn_ms DESC, id DESC LIMIT :window
            ) AS line WHERE next_attempt_ms <= :now ORDER BY logged_ms DESC, id LIMIT 1
            """,
            ["endpoint": id] + read.parameters + ["window": Self.window, "now": now])
    }

    /// Deliveries that were held until the endpoint recovered and not called since: all of them are due.
    func released(_ session: Session, limit: Int) throws -> [Int64] {
        guard recovered != nil else { return [] }
        return try session.all(
            """
            SELECT id FROM delivery_standing WHERE endpoint_id = :endpoint AND is_released\(read.condition)
            ORDER BY turn_ms, id LIMIT \(limit)
            """,
            ["endpoint": id] + read.parameters
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
                \(read.condition)
                ORDER BY turn_ms, id LIMIT :window
            ) AS line WHERE next_attempt_ms <= :now ORDER BY turn_ms, id LIMIT :limit
            """,
            ["endpoint": id, "recovered": recovered ?? .distantPast] + read.parameters
                + ["window": max(limit, Self.window) * 4, "now": now, "limit": limit]
        ) { $0.integer() }
    }

    /// The delivery in line behind the last trial's, so that one that its receiver never takes cannot keep the circuit
    /// open. A delivery that is put off is left out (`Line.swift`).
    func nextInRotation(_ session: Session, at now: Timestamp) throws -> Int64? {
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
              AND \(Line.mayBeTrial)\(read.condition)
            ORDER BY turn_ms, id LIMIT 1
            """,
            ["endpoint": id, "turn": place.turn, "id": place.id, "now": now] + read.parameters)
    }

    /// How many calls of the drain are open. One from before says nothing of the receiver now and may stay open for a
    /// day.
    func callsOpen(_ session: Session) throws -> Int {
        Int(
            try session.number(
                """
                SELECT COUNT(*) FROM delivery
                WHERE endpoint_id = ? AND state IN ('attempting', 'awaiting') AND called_ms >= ?
                """,
                [id, recovered ?? .distantPast]) ?? 0)
    }

    /// Whether a trial's outcome is still waited for.
    ///
    /// - Parameter longest: a trial whose wait grew beyond this, because the log says that the provider is still
    ///   trying, does not count; nil: each one counts.
    func isTrialUnderWay(_ session: Session, longest: Duration? = nil) throws -> Bool {
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
        // Also those that wait for a reading of the log are left: while any is, the calls go on one by one.
        let isLeft = try session.exists(
            "SELECT 1 FROM delivery_standing WHERE endpoint_id = ? AND is_released LIMIT 1", [id])
        return try !isLeft && callsOpen(session) == 0
    }
}

extension [DueEndpoint] {
    /// Operators' retries of all endpoints, soonest first.
    ///
    /// - Parameter now: nil: also those that are due later.
    func manualDue(_ session: Session, limit: Int, at now: Timestamp?) throws -> [(id: Int64, time: Timestamp)] {
        var due: [(id: Int64, time: Timestamp)] = []
        for endpoint in self { due += try endpoint.manualDue(session, limit: limit, at: now) }
        return due.sorted { ($0.time, $0.id) < ($1.time, $1.id) }.prefix(limit).map(\.self)
    }
}
