import GRDB
import Testing

@testable import DeliveryQueue
@testable import QueueFixtures

/// Short ways to open an endpoint's circuit, try it and look at it.
extension QueueFixture {
    /// Its circuit opens after three; trials wait 30 s, 1 m, 5 m.
    static func circuitRules(maxHold: Duration = .days(14), ramp: Int? = 8) -> RetryRules {
        .exact(
            circuit: CircuitSettings(
                openAfter: 3, trialDelays: [.seconds(30), .minutes(1), .minutes(5)], maxHold: maxHold, rampLimit: ramp))
    }

    /// `count` deliveries `t0`, `t1` … of the first endpoint fail, one a second from `start` on, read at `now` or when
    /// they fail.
    func fail(_ count: Int, at now: Timestamp) async throws {
        for index in 0..<count {
            let time = start + .seconds(index)
            try await ingest(.failure("t\(index)", at: time), at: max(now, time))
        }
    }

    func phase() async throws -> EndpointCircuit.Phase {
        try await store.read("look") { try EndpointCircuit.fetch($0, endpointID: Self.endpoint).phase }
    }

    /// The one delivery that may be called, as a trial.
    func trial(at now: Timestamp) async throws -> ClaimedDelivery {
        let claimed = try await claimOne(at: now)
        #expect(try await delivery(claimed.taskID).isTrial)
        return claimed
    }

    /// A trial that the provider accepts and the receiver fails.
    func failTrial(at now: Timestamp) async throws -> String {
        let claimed = try await trial(at: now)
        try await record(claimed, .accepted, at: now)
        try await ingest(.failure(claimed.taskID, at: now + .seconds(1)), at: now + .seconds(2))
        return claimed.taskID
    }
}
