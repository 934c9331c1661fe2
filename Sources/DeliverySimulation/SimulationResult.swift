/// The figures of a configuration in a scenario.
package struct SimulationResult: Sendable {
    /// The configuration's name, for people.
    package let schedule: String
    /// Events that failed in the outage; 0 only when a flapping receiver let all of them through.
    package let failures: Int
    /// The failures that arrived before recovery.
    package let arrivedBefore: Int
    /// The time from recovery to arrival of the others, shortest first.
    package let lags: [Duration]
    /// The failures that never arrived.
    package let lost: Int
    /// Retry calls for the endpoint with the outage.
    package let retryCalls: Int
    /// The retry calls by which a failure first reached its receiver.
    package let usefulCalls: Int
    /// Log pages that were requested.
    package let logCalls: Int
    /// Deliveries that reached their receiver more than once.
    package let repeated: Int
    /// The time from failure to arrival at the neighbours, shortest first; empty without neighbours.
    package let neighbourLags: [Duration]
    /// The neighbours' failures that have not arrived when the run ends.
    package let neighboursMissing: Int
    /// How long the run took in virtual time.
    package let virtualDuration: Duration
    /// How long it took in real time: the only figure that the seed does not repeat.
    package let realDuration: Duration

    /// Retry calls that delivered nothing, per failure; 0 without failures.
    package var wastedCallsPerFailure: Double {
        failures == 0 ? 0 : Double(retryCalls - usefulCalls) / Double(failures)
    }

    /// The lag within which this share of the deliveries arrived that arrived after recovery; nil when none did.
    ///
    /// - Parameter share: above 0, at most 1.
    package func lag(within share: Double) -> Duration? {
        Self.percentile(share, of: lags)
    }

    /// The time from failure within which this share of the neighbours' failures arrived; nil when none did.
    ///
    /// - Parameter share: above 0, at most 1.
    package func neighbourLag(within share: Double) -> Duration? {
        Self.percentile(share, of: neighbourLags)
    }

    /// - Parameter durations: sorted, shortest first.
    package static func percentile(_ share: Double, of durations: [Duration]) -> Duration? {
        guard !durations.isEmpty else { return nil }
        let rank = Int((share * Double(durations.count)).rounded(.up))
        return durations[min(max(rank, 1), durations.count) - 1]
    }
}

extension SimulationResult {
    /// - Parameter deliveries: the truth by endpoint; the endpoint with the outage comes first.
    init(
        schedule: String, deliveries: [[SimulatedDelivery]], times: ScenarioTimes, retryCalls: Int, logCalls: Int,
        ended: Duration, took: Duration
    ) {
        let affected = deliveries[0].filter(\.isAffected)
        let neighbours = deliveries.dropFirst().flatMap(\.self).filter(\.hasFailed)
        let arrivals = affected.compactMap(\.arrived)
        let all = deliveries.flatMap(\.self)
        self.schedule = schedule
        failures = affected.count
        arrivedBefore = arrivals.count { $0 < times.recovery }
        lags = arrivals.filter { $0 >= times.recovery }.map { $0 - times.recovery }.sorted()
        lost = affected.count - arrivals.count
        self.retryCalls = retryCalls
        usefulCalls = deliveries[0].count { $0.hasFailed && $0.arrived != nil }
        self.logCalls = logCalls
        repeated = all.count { $0.arrivals > 1 }
        neighbourLags = neighbours.compactMap { delivery in delivery.arrived.map { $0 - delivery.tried } }.sorted()
        neighboursMissing = neighbours.count { $0.arrived == nil }
        virtualDuration = ended
        realDuration = took
    }
}
