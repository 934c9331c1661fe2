/// The place of a delivery in its endpoint's line, `turn_ms`: when it failed. All whose place is not after the recovery
/// are due, and trials are taken in this order. A delivery that is put off stands at its own time instead.
enum Line {
    /// A condition on a scheduled delivery: it may be a trial `:now`. One that is put off waits for its own time.
    static let mayBeTrial = "(turn_ms < next_attempt_ms OR next_attempt_ms <= :now)"

    /// The place of a delivery that is to be tried again at `next`.
    ///
    /// - Parameter earliest: no attempt may be made before; nil: no limit. Later than now, it puts the delivery off.
    static func place(
        failed: Timestamp, next: Timestamp, notBefore earliest: Timestamp?, at now: Timestamp
    ) -> Timestamp {
        earliest.map { $0 > now } ?? false ? next : failed
    }
}

extension RuledTransaction {
    /// Makes a scheduled delivery wait for its own time, whatever trial or recovery its endpoint has.
    func putOff(_ id: Int64) throws {
        try session.run(
            """
            UPDATE delivery SET turn_ms = \(Dialect.greatest("turn_ms", "next_attempt_ms"))
            WHERE id = ? AND state = 'scheduled' AND manual_ms IS NULL
            """,
            [id])
    }

    /// Moves a delivery that failed while its circuit was not open to the place in line of that failure: it waits for
    /// its own time again.
    func moveInLine(_ delivery: Delivery, to failed: Timestamp) throws {
        try session.run(
            "UPDATE delivery SET turn_ms = \(Dialect.greatest("turn_ms", "?")) WHERE id = ?", [failed, delivery.id])
    }
}
