extension QueueStore {
    /// Takes back all open calls at start. The lock proves that nobody else is calling, so their processes died. They
    /// may have been executed: the log decides, and nothing is sent again at once.
    ///
    /// - Returns: how many calls were open.
    package func reclaimOpenIntents(rules: RetryRules, at now: Timestamp) async throws(StoreError) -> Int {
        try await change("take back interrupted calls", rules: rules, at: now) {
            try $0.interrupt(leasesUntil: Timestamp(milliseconds: .max))
        }
    }
}

extension RuledTransaction {
    /// Lets the log decide about calls whose process is gone.
    mutating func interrupt(leasesUntil horizon: Timestamp) throws -> Int {
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
}
