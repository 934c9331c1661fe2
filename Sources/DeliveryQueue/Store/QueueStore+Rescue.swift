import GRDB

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
    package func reclaimOpenIntents(rules: RetryRules, at now: Timestamp) async throws(StoreError) -> Int {
        try await interrupt(leasesUntil: Timestamp(milliseconds: .max), rules: rules, at: now)
    }

    /// Moves claims whose lease has run out to `awaiting`, and gives up waiting for a silent log.
    ///
    /// Silence counts only when a scan that began after the deadline has read the endpoint's log to its end: while the
    /// provider's log cannot be read, nothing is sent again.
    package func settleOverdue(rules: RetryRules, at now: Timestamp) async throws(StoreError) -> SettleSummary {
        var summary = SettleSummary()
        summary.interrupted = try await interrupt(leasesUntil: now, rules: rules, at: now)
        var more = true
        while more {
            let batch = try await write("settle unconfirmed deliveries") { db in
                try db.settleUnconfirmed(limit: Self.settleBatch, rules: rules, at: now)
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
        let longest = (now + rules.confirmWithin).milliseconds
        let isLonger = try await read("look for calls that wait too long") { db in
            try db.firstRow(
                "SELECT 1 FROM delivery WHERE state = 'awaiting' AND confirm_by_ms > ? LIMIT 1", [longest]) != nil
        }
        guard isLonger else { return }
        try await write("shorten waits for the log") { db in
            try db.run(
                "UPDATE delivery SET confirm_by_ms = ?1 WHERE state = 'awaiting' AND confirm_by_ms > ?1", [longest])
        }
    }

    private func interrupt(
        leasesUntil horizon: Timestamp, rules: RetryRules, at now: Timestamp
    ) async throws(StoreError) -> Int {
        try await write("rescue interrupted calls") { db in
            let interrupted = try db.all(
                "SELECT \(Delivery.columns) FROM delivery WHERE state = 'attempting' AND lease_until_ms <= ?",
                [horizon.milliseconds], Delivery.init)
            for delivery in interrupted {
                try db.run(
                    """
                    UPDATE attempt SET answered_ms = ?, answer = 'interrupted'
                    WHERE delivery_id = ? AND lease_token = ? AND answered_ms IS NULL
                    """,
                    [now.milliseconds, delivery.id, delivery.leaseToken])
                // Not sooner after the call, even if our clock was put back since.
                let began = max(now, delivery.called ?? now)
                let awaiting = try db.moved(delivery, .await(until: began + rules.confirmWithin), at: now)
                try db.settleFromKnownEntries(awaiting, rules: rules, at: now)
            }
            return interrupted.count
        }
    }
}

extension Database {
    fileprivate func settleUnconfirmed(limit: Int, rules: RetryRules, at now: Timestamp) throws -> SettleSummary {
        var summary = SettleSummary()
        let overdue = try all(
            """
            SELECT \(Delivery.columns) FROM delivery
            JOIN endpoint ON endpoint.id = delivery.endpoint_id
            WHERE delivery.state = 'awaiting' AND delivery.confirm_by_ms <= ?
              AND delivery.confirm_by_ms <= endpoint.last_scan_ms
            ORDER BY delivery.confirm_by_ms, delivery.id LIMIT ?
            """,
            [now.milliseconds, limit], Delivery.init)
        for delivery in overdue {
            let isOutage = try mayBeOutage(delivery)
            try settleOpenAttempt(of: delivery, outcome: "unconfirmed", at: now)
            try doubtOwnNames(after: delivery)
            try move(
                delivery, isOutage ? rules.retryLost(delivery, at: now) : rules.retryFailed(delivery, at: now), at: now)
            if delivery.isTrial { try observe(.trialWasted, of: delivery.endpointID, rules: rules, at: now) }
            summary.unconfirmed += 1
            // Where answers confirm, the log is not expected to speak.
            guard rules.confirmation == .log else { continue }
            if try holdIfSilent(delivery.endpointID, at: now) { summary.held.append(delivery.endpointID) }
        }
        return summary
    }

    /// A call that the provider took on and the log never showed under a name that we know: perhaps it is there under another.
    private func doubtOwnNames(after delivery: Delivery) throws {
        let taken = try firstRow(
            "SELECT 1 FROM attempt WHERE delivery_id = ? AND lease_token = ? AND answer = 'accepted'",
            [delivery.id, delivery.leaseToken])
        if taken != nil { try forgetOwnNames(of: delivery.endpointID) }
    }

    /// Whether the provider answered neither this call nor any since with a 2xx, or this call is one of many in a row: then it
    /// is the provider that fails, and its outage costs the delivery nothing.
    private func mayBeOutage(_ delivery: Delivery) throws -> Bool {
        let call = try firstRow(
            """
            SELECT id, intent_ms > (SELECT last_accepted_ms FROM endpoint WHERE id = ?3) AS is_newest FROM attempt
            WHERE delivery_id = ?1 AND lease_token = ?2 AND answer <> 'accepted'
            """,
            [delivery.id, delivery.leaseToken, delivery.endpointID])
        guard let call else { return false }
        return try call["is_newest"] || callsInARow(around: call["id"]) >= RetryRules.outageLimit
    }

    /// The calls before and after this one, over all endpoints, that got no 2xx either. By the time at which a call is given
    /// up, a provider that is back has long taken on others.
    private func callsInARow(around id: Int64) throws -> Int {
        try firstRow(
            """
            SELECT COUNT(*) AS n FROM attempt
            WHERE answer IS NOT NULL
              AND id > coalesce((SELECT id FROM attempt WHERE id < ?1 AND answer = 'accepted' ORDER BY id DESC LIMIT 1), 0)
              AND id < coalesce(
                  (SELECT id FROM attempt WHERE id > ?1 AND answer = 'accepted' ORDER BY id LIMIT 1), 9223372036854775807)
            """,
            [id])?["n"] ?? 0
    }

    /// Three different deliveries in a row without a word in the log: matching is broken or the log lags. Only calls that
    /// the provider took on count: about one that was never executed (lost before it arrived, or we died) the log is
    /// rightly silent, and a hold until an operator comes would punish the endpoint for it.
    private func holdIfSilent(_ endpointID: String, at now: Timestamp) throws -> Bool {
        let row = try firstRow(
            """
            SELECT COUNT(DISTINCT attempt.delivery_id) AS n,
                   (SELECT hold_reason FROM endpoint WHERE id = ?1) IS NOT NULL AS held
            FROM attempt JOIN delivery ON delivery.id = attempt.delivery_id
            WHERE attempt.outcome = 'unconfirmed' AND attempt.answer = 'accepted'
              AND delivery.endpoint_id = ?1 AND delivery.state <> 'delivered'
              AND attempt.settled_ms > (SELECT max(last_confirmed_ms, resumed_ms) FROM endpoint WHERE id = ?1)
            """,
            [endpointID])
        guard let row, row["n"] >= RetryRules.holdLimit, row["held"] == false else { return false }
        try hold(endpointID, .logSilent, until: nil, at: now)
        return true
    }
}
