/// What a settling turn changed, in counts.
package struct SettleSummary: Sendable, Equatable {
    /// Calls whose lease had run out.
    package var interrupted = 0
    /// Calls about which the log stayed silent for too long.
    package var unconfirmed = 0
    /// Calls whose wait for the log has ended, whatever that led to.
    package var overdue = 0
    /// Endpoints that this turn began to hold.
    package var held: [String] = []
    /// Failures that another endpoint's delivery had kept and that became deliveries.
    package var taken = 0

    package init() {}
}

extension QueueStore {
    /// How many deliveries one transaction settles at most, so that the writer is not busy for long.
    private static let settleBatch = 500

    /// Moves claims whose lease has run out to `awaiting`, and gives up waiting for a silent log.
    ///
    /// Silence counts only when a scan that began after the deadline has read everything since the call: while the
    /// provider's log cannot be read, nothing is sent again.
    package func settleOverdue(rules: RetryRules, at now: Timestamp) async throws(StoreError) -> SettleSummary {
        var summary = SettleSummary()
        summary.interrupted = try await change("take back interrupted calls", rules: rules, at: now) {
            try $0.interrupt(leasesUntil: now)
        }
        var more = true
        while more {
            let batch = try await change("settle unconfirmed deliveries", rules: rules, at: now) {
                try $0.settleOverdue(limit: Self.settleBatch)
            }
            summary.overdue += batch.overdue
            summary.unconfirmed += batch.unconfirmed
            summary.held += batch.held
            more = batch.overdue == Self.settleBatch
        }
        if try await read(
            "look for shared failures", { try $0.exists("SELECT 1 FROM shared_failure WHERE is_open = 1") })
        {
            summary.taken = try await change("end shared failures", rules: rules, at: now) { try $0.endShared() }
        }
        return summary
    }

    /// Cuts each wait for the log to `confirmWithin` from now. A longer one was set while our clock was ahead, or by an
    /// earlier configuration.
    ///
    /// - Parameter now: by a clock that is known to be right; one that is behind would end waits before their time.
    package func shortenWaits(rules: RetryRules, at now: Timestamp) async throws(StoreError) {
        let longest = now + rules.confirmWithin
        let isLonger = try await read("look for calls that wait too long") {
            try $0.exists("SELECT 1 FROM delivery WHERE state = 'awaiting' AND confirm_by_ms > ? LIMIT 1", [longest])
        }
        guard isLonger else { return }
        try await change("shorten waits for the log", rules: rules, at: now) { try $0.shortenWaits() }
    }
}

extension RuledTransaction {
    /// Finds a log that alone has shown the rows of a delivery, although it is another endpoint's, and that was not
    /// read to its end since: its silence does not count yet.
    private static let isUnreadElsewhere = """
        SELECT 1 FROM foreign_entry JOIN endpoint AS shower ON shower.id = foreign_entry.endpoint_id
        WHERE foreign_entry.owner_id = delivery.endpoint_id AND foreign_entry.task_id = delivery.task_id
          AND shower.active = 1
          AND (coalesce(shower.last_scan_ms, 0) < delivery.confirm_by_ms
              OR EXISTS (
                  SELECT 1 FROM unread_gap
                  WHERE unread_gap.endpoint_id = shower.id AND unread_gap.until_ms > delivery.called_ms))
          AND NOT EXISTS (
              SELECT 1 FROM log_entry WHERE log_entry.delivery_id = delivery.id AND log_entry.is_foreign = 0)
        """

    fileprivate func shortenWaits() throws {
        try session.run(
            "UPDATE delivery SET confirm_by_ms = :longest WHERE state = 'awaiting' AND confirm_by_ms > :longest",
            ["longest": now + rules.confirmWithin])
    }

    fileprivate mutating func settleOverdue(limit: Int) throws -> SettleSummary {
        var summary = SettleSummary()
        let overdue = try session.all(
            """
            SELECT \(Delivery.columns) FROM delivery_standing AS delivery
            JOIN endpoint ON endpoint.id = delivery.endpoint_id
            WHERE delivery.state = 'awaiting' AND delivery.confirm_by_ms <= :now
              AND delivery.confirm_by_ms <= endpoint.last_scan_ms
              AND NOT EXISTS (
                  SELECT 1 FROM unread_gap
                  WHERE unread_gap.endpoint_id = delivery.endpoint_id AND unread_gap.until_ms > delivery.called_ms)
              AND NOT EXISTS (\(Self.isUnreadElsewhere))
            ORDER BY delivery.confirm_by_ms, delivery.id LIMIT :limit
            """,
            ["now": now, "limit": limit], Delivery.init)
        for delivery in overdue {
            summary.overdue += 1
            guard try settle(delivery, by: .silence) == .unconfirmed else { continue }
            summary.unconfirmed += 1
            // Where answers confirm, the log is not expected to speak.
            guard rules.confirmation == .log, try holdIfSilent(about: delivery) else { continue }
            summary.held.append(delivery.endpointID)
        }
        return summary
    }
}
