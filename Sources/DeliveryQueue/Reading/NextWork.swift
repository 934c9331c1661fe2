/// What the daemon asks to know when it has to work next.
extension QueueStore {
    /// When the next delivery that is not held comes due; nil: none waits for a time.
    ///
    /// - Parameter countsTrials: whether the time of an open circuit's next trial counts.
    package func nextDue(
        of endpoints: Set<String>? = nil, countsTrials: Bool = true, at now: Timestamp
    ) async throws(StoreError) -> Timestamp? {
        try await read("find the next due delivery") { session in
            let manual = try session.manualDue(of: endpoints, limit: 1, at: nil).first?.time
            let scheduled = try DueEndpoint.all(session, of: endpoints)
                .filter { countsTrials || !$0.isOpen }.compactMap { try $0.nextDue(session, at: now) }
            return (scheduled + [manual].compactMap(\.self)).min()
        }
    }

    /// When the next operator's retry comes due; nil: none is asked for.
    package func nextManualDue(of endpoints: Set<String>? = nil) async throws(StoreError) -> Timestamp? {
        try await read("find the next operator's retry") { session in
            try session.manualDue(of: endpoints, limit: 1, at: nil).first?.time
        }
    }

    /// The endpoints with deliveries that wait for an operator's retry.
    package func endpointsWithManualRetries() async throws(StoreError) -> Set<String> {
        try await read("look for operators' retries") { session in
            Set(
                try session.all(
                    "SELECT DISTINCT endpoint_id FROM delivery WHERE state = 'scheduled' AND manual_ms IS NOT NULL"
                ) { $0.text() })
        }
    }

    /// The number of the newest operator's action; 0 before the first. A greater one tells the daemon to look at once.
    package func newestOperatorAction() async throws(StoreError) -> Int64 {
        try await read("look for operators' actions") { try $0.number("SELECT MAX(id) FROM operator_action") ?? 0 }
    }
}
