/// When the daemon has to work next.
package struct NextWork: Sendable, Equatable {
    /// When a delivery that is not held comes due whose log was read lately enough; nil: none waits for a time.
    package var call: Timestamp?
    /// When one comes due whose log must be read before; nil: none waits for a time.
    package var look: Timestamp?

    /// When any comes due.
    package var first: Timestamp? { [call, look].compactMap(\.self).min() }
}

/// What the daemon asks to know when it has to work next.
extension QueueStore {
    /// - Parameters:
    ///   - readings: as for a claim.
    ///   - onlyManual: only operators' retries.
    package func nextWork(
        after readings: [String: LogReading]?, onlyManual: Bool = false, rules: RetryRules, at now: Timestamp
    ) async throws(StoreError) -> NextWork {
        try await read("find the next due delivery") { session in
            let endpoints = try DueEndpoint.all(session, readings: readings, rules: rules)
            let read = endpoints.filter { !$0.read.isLate }
            let late = endpoints.filter(\.read.mayBeLate).map(\.asIfRead)
            let call = try read.nextDue(session, onlyManual: onlyManual, at: now)
            // Of the others, the retries that operators want in spite of an unread log.
            let unread = try endpoints.manualDue(session, limit: 1, at: nil).first?.time
            return NextWork(
                call: [call, unread].compactMap(\.self).min(),
                look: try late.nextDue(session, onlyManual: onlyManual, at: now))
        }
    }

    /// When the next delivery that is not held comes due, whether its log is read or not; nil: none waits for a time.
    ///
    /// - Parameter countsTrials: whether the time of an open circuit's next trial counts.
    package func nextDue(countsTrials: Bool = true, at now: Timestamp) async throws(StoreError) -> Timestamp? {
        try await read("find the next due delivery") { session in
            try DueEndpoint.asIfRead(session).nextDue(session, countsTrials: countsTrials, at: now)
        }
    }

    /// The endpoints with deliveries that wait for an operator's retry, and whose log is to be read before.
    package func endpointsWithManualRetries() async throws(StoreError) -> Set<String> {
        try await read("look for operators' retries") { session in
            Set(
                try session.all(
                    """
                    SELECT DISTINCT endpoint_id FROM delivery
                    WHERE state = 'scheduled' AND manual_ms IS NOT NULL AND manual_ignores_log = 0
                    """
                ) { $0.text() })
        }
    }

    /// The number of the newest operator's action; 0 before the first. A greater one tells the daemon to look at once.
    package func newestOperatorAction() async throws(StoreError) -> Int64 {
        try await read("look for operators' actions") { try $0.number("SELECT MAX(id) FROM operator_action") ?? 0 }
    }
}

extension [DueEndpoint] {
    fileprivate func nextDue(
        _ session: Session, onlyManual: Bool = false, countsTrials: Bool = true, at now: Timestamp
    ) throws -> Timestamp? {
        let manual = try manualDue(session, limit: 1, at: nil).first?.time
        guard !onlyManual else { return manual }
        let scheduled = try filter { countsTrials || !$0.isOpen }.compactMap { try $0.nextDue(session, at: now) }
        return (scheduled + [manual].compactMap(\.self)).min()
    }
}
