/// What a settling turn changed, in counts.
package struct SettleSummary: Sendable, Equatable {
    /// Calls whose lease had run out.
    package var interrupted = 0
    /// Calls about which the log stayed silent for too long.
    package var unconfirmed = 0
    /// Endpoints that this turn began to hold.
    package var held: [String] = []

    package init() {}
}

extension QueueStore {
    /// How many deliveries one transaction settles at most, so that the writer is not busy for long.
    private static let settleBatch = 500

    /// Takes back all open calls at start. The lock proves that nobody else is calling, so their processes died. They
    /// may have been executed: the log decides, and nothing is sent again at once.
    ///
    /// - Returns: how many calls were open.
    package func reclaimOpenIntents(rules: RetryRules, at now: Timestamp) async throws(StoreError) -> Int {
        try await change("take back interrupted calls", rules: rules, at: now) {
            try $0.interrupt(leasesUntil: Timestamp(milliseconds: .max))
        }
    }

    /// Moves claims whose lease has run out to `awaiting`, and gives up waiting for a silent log.
    ///
    /// Silence counts only when a scan that began after the deadline has read the endpoint's log to its end: while the
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
            summary.unconfirmed += batch.unconfirmed
            summary.held += batch.held
            more = batch.unconfirmed == Self.settleBatch
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
        try await write("shorten waits for the log") {
            try $0.run(
                "UPDATE delivery SET confirm_by_ms = :longest WHERE state = 'awaiting' AND confirm_by_ms > :longest",
                ["longest": longest])
        }
    }
}

extension QueueTransaction {
    /// Lets the log decide about calls whose process is gone.
    fileprivate mutating func interrupt(leasesUntil horizon: Timestamp) throws -> Int {
        let interrupted = try session.all(
            """
            SELECT \(Delivery.columns) FROM delivery_standing AS delivery
            WHERE state = 'attempting' AND lease_until_ms <= ?
            """,
            [horizon], Delivery.init)
        for delivery in interrupted {
            try noteInterruption(of: delivery)
            // The log gets its full time after the call, even if our clock was set back since.
            let began = max(now, delivery.called ?? now)
            let awaiting = try moved(delivery, .await(until: began + rules.confirmWithin))
            try settleFromStoredEntries(awaiting)
        }
        return interrupted.count
    }

    /// Notes on the attempt of the open call that its process died.
    package func noteInterruption(of delivery: Delivery) throws {
        try session.run(
            """
            UPDATE attempt SET answered_ms = :now, answer = '\(Answer.interrupted)'
            WHERE delivery_id = :delivery AND lease_token = :token AND answered_ms IS NULL
            """,
            ["now": now, "delivery": delivery.id, "token": delivery.leaseToken])
    }

    fileprivate mutating func settleOverdue(limit: Int) throws -> SettleSummary {
        var summary = SettleSummary()
        let overdue = try session.all(
            """
            SELECT \(Delivery.columns) FROM delivery_standing AS delivery
            JOIN endpoint ON endpoint.id = delivery.endpoint_id
            WHERE delivery.state = 'awaiting' AND delivery.confirm_by_ms <= ?
              AND delivery.confirm_by_ms <= endpoint.last_scan_ms
            ORDER BY delivery.confirm_by_ms, delivery.id LIMIT ?
            """,
            [now, limit], Delivery.init)
        for delivery in overdue {
            try settle(delivery, by: .silence)
            summary.unconfirmed += 1
            // Where answers confirm, the log is not expected to speak.
            guard rules.confirmation == .log, try holdIfSilent(delivery.endpointID) else { continue }
            summary.held.append(delivery.endpointID)
        }
        return summary
    }

    /// Holds an endpoint when the log shows nothing of three different deliveries in a row: matching is broken or the
    /// log lags. Only accepted calls count. The log is rightly silent about a call that was never executed (lost, or we
    /// died), and a hold for that would wait for an operator.
    ///
    /// - Returns: whether it is held now.
    private func holdIfSilent(_ endpointID: String) throws -> Bool {
        let silent = try session.number(
            """
            SELECT COUNT(DISTINCT attempt.delivery_id)
            FROM attempt JOIN delivery ON delivery.id = attempt.delivery_id
            WHERE attempt.outcome = 'unconfirmed' AND attempt.answer = 'accepted'
              AND delivery.endpoint_id = :endpoint AND delivery.state <> 'delivered'
              AND attempt.settled_ms
                  > (SELECT \(Dialect.greatest("last_confirmed_ms", "resumed_ms")) FROM endpoint WHERE id = :endpoint)
              AND (SELECT hold_reason FROM endpoint WHERE id = :endpoint) IS NULL
            """,
            ["endpoint": endpointID])
        guard silent ?? 0 >= RetryRules.silentLimit else { return false }
        try hold(endpointID, .logSilent, until: nil, since: now)
        return true
    }
}
