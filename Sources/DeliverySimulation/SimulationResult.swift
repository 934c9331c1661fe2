/// How a configuration did in a scenario.
package struct SimulationResult: Sendable {
    /// Which configuration, for people.
    package let schedule: String
    /// Events that failed in the outage; 0 only where a flapping receiver let all of them through.
    package let failures: Int
    /// Of them, those that arrived before recovery.
    package let arrivedBefore: Int
    /// Of the others, from recovery to arrival, shortest first.
    package let lags: [Duration]
    /// Of the failures, those that never arrived.
    package let lost: Int
    /// Retry calls that were begun for the endpoint with the outage.
    package let retryCalls: Int
    /// Of them, those by which a failure reached its receiver for the first time.
    package let usefulCalls: Int
    /// Pages of logs that were asked for.
    package let logCalls: Int
    /// Deliveries that reached their receiver more than once.
    package let repeated: Int
    /// From failure to arrival at the endpoints beside, shortest first; empty where there are none.
    package let neighbourLags: [Duration]
    /// Of the failures at the endpoints beside, those that have not arrived when the run ends.
    package let neighboursMissing: Int
    /// How long the run was in its own world.
    package let virtualDuration: Duration
    /// How long it was in ours: the only figure that the seed does not repeat.
    package let realDuration: Duration

    /// Retry calls that delivered nothing, for each failure; 0 where nothing failed.
    package var wastedCallsPerFailure: Double {
        failures == 0 ? 0 : Double(retryCalls - usefulCalls) / Double(failures)
    }

    /// The lag within which `share` of the deliveries arrived that arrived after recovery at all; nil when none did.
    ///
    /// - Parameter share: above 0, at most 1.
    package func lag(within share: Double) -> Duration? {
        Self.percentile(share, of: lags)
    }

    /// From failure to arrival at the endpoints beside: the time within which `share` of their failures arrived; nil when none
    /// did, or there are no such endpoints.
    ///
    /// - Parameter share: above 0, at most 1.
    package func neighbourLag(within share: Double) -> Duration? {
        Self.percentile(share, of: neighbourLags)
    }

    /// - Parameter durations: in order.
    package static func percentile(_ share: Double, of durations: [Duration]) -> Duration? {
        guard !durations.isEmpty else { return nil }
        let rank = Int((share * Double(durations.count)).rounded(.up))
        return durations[min(max(rank, 1), durations.count) - 1]
    }
}

extension SimulationResult {
    /// - Parameter deliveries: the truth by endpoint, the one with the outage first.
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
