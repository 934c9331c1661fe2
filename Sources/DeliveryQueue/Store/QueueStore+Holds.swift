import GRDB

/// Holds of endpoints, and the age clock that stands still meanwhile.
extension Database {
    /// Holds an endpoint's deliveries without loss. An operator's hold is never replaced.
    ///
    /// - Parameter until: when one more try is made; nil: not before a success in the log, or an operator.
    func hold(_ endpointID: String, _ reason: HoldReason, until: Timestamp?, at now: Timestamp) throws {
        try run(
            """
            UPDATE endpoint
            SET hold_since_ms = CASE WHEN hold_reason IS ?1 THEN hold_since_ms ELSE ?2 END,
                hold_reason = ?1, hold_until_ms = ?3
            WHERE id = ?4 AND hold_reason IS NOT 'operator'
            """,
            [reason.rawValue, now.milliseconds, until?.milliseconds, endpointID])
        try setAgeClock(of: endpointID, at: now)
    }

    /// Ends the hold of an endpoint, if it is held for one of these reasons.
    func lift(_ reasons: [HoldReason], of endpointID: String, at now: Timestamp) throws {
        let words = reasons.map { "'\($0.rawValue)'" }.joined(separator: ", ")
        try run(
            """
            UPDATE endpoint SET hold_reason = NULL, hold_since_ms = NULL, hold_until_ms = NULL
            WHERE id = ? AND hold_reason IN (\(words))
            """,
            [endpointID])
        if changesCount > 0 { try setAgeClock(of: endpointID, at: now) }
    }

    /// Ends the hold of an endpoint by hand. The rows of bad outcomes that led to it begin anew, or the next settled
    /// delivery would hold it again; nothing was accepted or confirmed by this: a delivery with 5xx answers must not look
    /// like poison.
    func endHold(of endpointID: String, at now: Timestamp) throws {
        try lift(HoldReason.allCases, of: endpointID, at: now)
        try run("UPDATE endpoint SET resumed_ms = ? WHERE id = ?", [now.milliseconds, endpointID])
    }

    /// Stops the age clock of an endpoint that is held, by a reason or by its open circuit, and lets it run again when it is
    /// held no more, or its circuit has been open for too long; again changes nothing.
    func setAgeClock(of endpointID: String, at now: Timestamp) throws {
        try run(
            """
            UPDATE endpoint
            SET held_ms = held_ms
                    + CASE WHEN \(Self.standsStill) THEN 0 ELSE max(0, ?1 - coalesce(stopped_ms, ?1)) END,
                stopped_ms = CASE WHEN \(Self.standsStill) THEN coalesce(stopped_ms, ?1) END
            WHERE id = ?2
            """,
            [now.milliseconds, endpointID])
    }

    private static let standsStill = "(hold_reason IS NOT NULL OR (circuit_open_ms IS NOT NULL AND circuit_ages = 0))"

    /// Lets the age of a delivery count from its cycle's beginning: what was held before is not its own.
    func startAgeClock(of delivery: Delivery, from began: Timestamp) throws {
        try run(
            """
            UPDATE delivery
            SET held_before_ms = (
                SELECT held_ms + max(0, ?1 - coalesce(stopped_ms, ?1)) FROM endpoint
                WHERE endpoint.id = delivery.endpoint_id)
            WHERE id = ?2
            """,
            [began.milliseconds, delivery.id])
    }
}
