/// What the times of entries say of the zone that they are written in. It is told to people, and used only when it is
/// configured.
extension QueueTransaction {
    /// So many entries in a row that hint at the same zone are told.
    private static var enough: Int { 2 }

    /// Notes the zone at which a new entry hints that appears after a call of an alike delivery.
    func noteZone(_ entry: LogObservation, _ reading: inout PageReading) throws {
        guard let logged = entry.changed, let eventType = entry.eventType,
            logged > now + RetryRules.clockTolerance || logged < now - .seconds(600)
        else { return }
        let called = try session.number(
            """
            SELECT MAX(called_ms) FROM delivery \(Dialect.byWaiting)
            WHERE endpoint_id = :endpoint AND state IN ('attempting', 'awaiting') AND event_type = :type
              AND customer_id IS NOT DISTINCT FROM :customer
            """,
            ["endpoint": reading.endpoint.id, "type": eventType, "customer": entry.customerID]
        ).map(Timestamp.init(milliseconds:))
        guard let called, let zone = ZoneHint.zone(logged: logged, called: called, found: now) else { return }
        try session.run(
            """
            UPDATE endpoint
            SET zone_hint_rows = CASE WHEN zone_hint = :zone THEN zone_hint_rows + 1 ELSE 1 END, zone_hint = :zone,
                zone_hint_ms = :now
            WHERE id = :id
            """,
            ["zone": zone, "now": now, "id": reading.endpoint.id])
        let rows = try session.number("SELECT zone_hint_rows FROM endpoint WHERE id = ?", [reading.endpoint.id])
        if let rows, rows >= Self.enough { reading.summary.zoneHint = zone }
    }
}
