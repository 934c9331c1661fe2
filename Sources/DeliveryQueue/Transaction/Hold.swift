/// Holds of endpoints, and the age clock that stands still meanwhile.
extension QueueTransaction {
    /// Holds an endpoint's deliveries without loss. An operator's hold is never replaced.
    ///
    /// - Parameters:
    ///   - until: when one call is tried; nil: the hold lasts until a success in the log, or an operator.
    ///   - since: our time at which the hold began.
    package func hold(_ endpointID: String, _ reason: HoldReason, until: Timestamp?, since: Timestamp) throws {
        try session.run(
            """
            UPDATE endpoint
            SET hold_since_ms = CASE WHEN hold_reason IS NOT DISTINCT FROM :reason THEN hold_since_ms ELSE :since END,
                hold_reason = :reason, hold_until_ms = :until
            WHERE id = :id AND hold_reason IS DISTINCT FROM 'operator'
            """,
            ["reason": reason, "since": since, "until": until, "id": endpointID])
        try setAgeClock(of: endpointID, from: since)
    }

    /// Ends the hold of an endpoint, if it is held for one of these reasons.
    func release(_ endpointID: String, from reasons: [HoldReason]) throws {
        let words = reasons.map { "'\($0.rawValue)'" }.joined(separator: ", ")
        let released = try session.change(
            """
            UPDATE endpoint SET hold_reason = NULL, hold_since_ms = NULL, hold_until_ms = NULL
            WHERE id = ? AND hold_reason IN (\(words))
            """,
            [endpointID])
        if released > 0 { try setAgeClock(of: endpointID) }
    }

    /// Ends the hold of an endpoint by hand. The streaks that led to it begin again, or the next settled delivery would
    /// bring it back. No call counts as accepted by this: a delivery with 5xx answers must not look like poison.
    package func endHold(of endpointID: String) throws {
        try release(endpointID, from: HoldReason.allCases)
        try session.run("UPDATE endpoint SET resumed_ms = ? WHERE id = ?", [now, endpointID])
    }

    /// Stops the age clock of a held endpoint. Lets it run again when nothing holds the endpoint, or its circuit has
    /// been open for longer than `maxHold`. A second call changes nothing.
    ///
    /// - Parameter time: when the hold began or ended; nil: now.
    func setAgeClock(of endpointID: String, from time: Timestamp? = nil) throws {
        let stands = "(hold_reason IS NOT NULL OR (circuit_open_ms IS NOT NULL AND circuit_ages = 0))"
        let stopped = Dialect.greatest("0", ":time - coalesce(stopped_ms, :time)")
        try session.run(
            """
            UPDATE endpoint
            SET held_ms = held_ms + CASE WHEN \(stands) THEN 0 ELSE \(stopped) END,
                stopped_ms = CASE WHEN \(stands) THEN coalesce(stopped_ms, :time) END
            WHERE id = :id
            """,
            ["time": time ?? now, "id": endpointID])
    }

    /// Starts a delivery's age clock at the beginning of its cycle: holds before that do not count.
    package func startAgeClock(of delivery: Delivery, from began: Timestamp) throws {
        try session.run(
            """
            UPDATE delivery
            SET held_before_ms = (SELECT \(Self.heldBefore(":began")) FROM endpoint WHERE endpoint.id = delivery.endpoint_id)
            WHERE id = :id
            """,
            ["began": began, "id": delivery.id])
    }

    /// An SQL expression on an endpoint's row: how long it had been held until `time`, in milliseconds.
    static func heldBefore(_ time: String) -> String {
        "held_ms + \(Dialect.greatest("0", "\(time) - coalesce(stopped_ms, \(time))"))"
    }
}
