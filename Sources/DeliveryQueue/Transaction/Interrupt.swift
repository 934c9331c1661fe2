/// What a settling turn changed, in counts.
package struct SettleSummary: Sendable, Equatable {
    /// Calls whose lease had run out, or that were open when the program started.
    package var interrupted = 0
    /// Calls about which the log stayed silent for too long.
    package var unconfirmed = 0
    /// Endpoints that are held since this turn.
    package var held: [String] = []

    package init() {}
}

extension QueueStore {
    /// Deliveries that one transaction settles at most, so that a large backlog does not keep the writer busy.
    private static let settleBatch = 500

    /// At start: the lock proves that nobody else is calling, so every open intent is of a process that died. Its call
    /// may have been executed: the log decides, never a second call at once.
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

    /// No log gets longer than `confirmWithin` from now on: a call that seems to have longer was given its time when our clock
    /// was ahead, or by an earlier configuration.
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
                "UPDATE delivery SET confirm_by_ms = ?1 WHERE state = 'awaiting' AND confirm_by_ms > ?1", [longest])
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
            // Not sooner after the call, even if our clock was put back since.
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

    /// Three different deliveries in a row without a word in the log: matching is broken or the log lags. Only calls that
    /// the provider took on count: about one that was never executed (lost before it arrived, or we died) the log is
    /// rightly silent, and a hold until an operator comes would punish the endpoint for it.
    private func holdIfSilent(_ endpointID: String) throws -> Bool {
        let silent = try session.number(
            """
            SELECT COUNT(DISTINCT attempt.delivery_id)
            FROM attempt JOIN delivery ON delivery.id = attempt.delivery_id
            WHERE attempt.outcome = 'unconfirmed' AND attempt.answer = 'accepted'
              AND delivery.endpoint_id = ?1 AND delivery.state <> 'delivered'
              AND attempt.settled_ms
                  > (SELECT \(Dialect.greatest("last_confirmed_ms", "resumed_ms")) FROM endpoint WHERE id = ?1)
              AND (SELECT hold_reason FROM endpoint WHERE id = ?1) IS NULL
            """,
            [endpointID])
        guard silent ?? 0 >= RetryRules.silentLimit else { return false }
        try hold(endpointID, .logSilent, until: nil, since: now)
        return true
    }
}
