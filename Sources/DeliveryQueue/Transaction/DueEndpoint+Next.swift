/// When a delivery of an endpoint may be called next.
extension DueEndpoint {
    /// When a delivery of it may be called next; nil: none waits for a time.
    func nextDue(_ session: Session, at now: Timestamp) throws -> Timestamp? {
        guard !isOnHold || heldUntil != nil, let next = try nextByCircuit(session, at: now) else { return nil }
        return isOnHold ? max(next, heldUntil ?? next) : next
    }

    private func nextByCircuit(_ session: Session, at now: Timestamp) throws -> Timestamp? {
        switch phase {
        case .open(_, let nextTrial):
            guard try !isTrialUnderWay(session) else { return nil }
            if try nextInRotation(session, at: now) != nil { return nextTrial }
            return try firstDue(session).map { max($0, nextTrial) }
        case .draining(let most) where try callsOpen(session) >= most: return nil
        case .draining, .closed: return try firstDue(session)
        }
    }

    /// When the first of its deliveries is due; nil when nothing is scheduled. Operators' retries are among them, and
    /// `QueueStore.nextDue` counts them anyway.
    private func firstDue(_ session: Session) throws -> Timestamp? {
        guard read.parameters.isEmpty else { return try firstReadDue(session) }
        return try session.number("SELECT next_due_ms FROM endpoint_standing WHERE id = ?", [id])
            .map(Timestamp.init(milliseconds:))
    }

    /// As `firstDue`, of those whose log is read. Two walks of an index, because a released one may stand far behind.
    private func firstReadDue(_ session: Session) throws -> Timestamp? {
        let released = try released(session, limit: 1).isEmpty ? nil : recovered
        let own = try session.number(
            """
            SELECT next_attempt_ms FROM delivery
            WHERE endpoint_id = :endpoint AND state = 'scheduled'\(read.condition)
            ORDER BY next_attempt_ms LIMIT 1
            """, ["endpoint": id] + read.parameters
        ).map(Timestamp.init(milliseconds:))
        return [released, own].compactMap(\.self).min()
    }
}
