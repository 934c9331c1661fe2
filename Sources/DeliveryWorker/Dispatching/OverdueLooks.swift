import DeliveryQueue

/// Decides which looks at logs have been waited for so long that people should see it. Most come within a second, and
/// cost no write. Pure: it is told the time.
struct OverdueLooks: Sendable {
    /// Since when each look is wanted.
    private var wanted: [String: Timestamp] = [:]
    /// The endpoints of which people see it.
    private var shown: Set<String> = []

    /// A look that is wanted for longer is overdue.
    static let patience = Duration.seconds(10)

    /// Takes in which looks are wanted now.
    ///
    /// - Returns: what is to be stored for each endpoint whose standing changes; nil: nothing is waited for.
    mutating func take(_ endpoints: Set<String>, at now: Timestamp) -> [String: Timestamp?] {
        // A clock that was put back begins anew.
        wanted = wanted.filter { endpoints.contains($0.key) && $0.value <= now }
        for endpoint in endpoints where wanted[endpoint] == nil { wanted[endpoint] = now }
        var changes: [String: Timestamp?] = [:]
        for endpoint in shown where wanted[endpoint] == nil { changes[endpoint] = .some(nil) }
        for (endpoint, since) in wanted where !shown.contains(endpoint) && now - since > Self.patience {
            changes[endpoint] = since
        }
        shown = shown.intersection(wanted.keys).union(changes.filter { $0.value != nil }.keys)
        return changes
    }

    /// How long until one that is wanted now would be overdue; nil: all that are wanted are, or none is.
    func wait(at now: Timestamp) -> Duration? {
        let next = wanted.filter { !shown.contains($0.key) }.map(\.value).min()
        return next.map { max(.zero, Self.patience - (now - $0)) + .milliseconds(1) }
    }
}
