import DeliveryQueue
import RedeliverConfiguration
import Testing

@testable import DeliverySimulation

/// The plain model that the schedules were first compared with: no polling, no limits, each failure retried on its own
/// clock. The simulation has all of that and comes out near it.
@Suite("The published schedules") struct PublishedScheduleTests {
    struct Row: Sendable {
        let schedule: PublishedSchedule
        let hours: Int
        let p50Minutes: Double
        let p99Minutes: Double
        let wasted: Double
        let lostShare: Double
    }

    /// By the length of the outage.
    static let rows = [
        Row(schedule: .listed, hours: 1, p50Minutes: 25, p99Minutes: 119, wasted: 2.3, lostShare: 0),
        Row(schedule: .doubling, hours: 1, p50Minutes: 8, p99Minutes: 31, wasted: 4.9, lostShare: 0),
        Row(schedule: .listed, hours: 6, p50Minutes: 117, p99Minutes: 294, wasted: 3.4, lostShare: 0),
        Row(schedule: .doubling, hours: 6, p50Minutes: 55, p99Minutes: 251, wasted: 7.5, lostShare: 0),
        Row(schedule: .listed, hours: 72, p50Minutes: 231, p99Minutes: 592, wasted: 6.2, lostShare: 0.6),
        Row(schedule: .doubling, hours: 72, p50Minutes: 161, p99Minutes: 357, wasted: 13.8, lostShare: 0.05),
    ]

    /// Within a quarter or two minutes for the median and a tenth or two minutes for the tail: 100 failures are a
    /// sample, and polls take up to a minute.
    @Test(arguments: Proofs.areLong ? rows : Array(rows.prefix(2)))
    func `they come out near the plain model`(row: Row) async throws {
        let scenario = Scenario(outage: .seconds(3_600 * row.hours), failures: 100)
        let result = try await Simulation(scenario)
            .run(row.schedule.applied(to: try .sample()), as: row.schedule.name)
        let p50 = try #require(result.lag(within: 0.5)).inSeconds / 60
        let p99 = try #require(result.lag(within: 0.99)).inSeconds / 60

        #expect(abs(p50 - row.p50Minutes) <= max(2, row.p50Minutes / 4), "p50 \(p50) min")
        #expect(abs(p99 - row.p99Minutes) <= max(2, row.p99Minutes / 10), "p99 \(p99) min")
        #expect(abs(result.wastedCallsPerFailure - row.wasted) <= row.wasted / 10)
        #expect(abs(Double(result.lost) / 100 - row.lostShare) <= 0.04)
        #expect(result.repeated == 0)
    }

    @Test func `they are what they are called`() throws {
        let listed = PublishedSchedule.listed.applied(to: try .sample()).policies.policy(for: "any").policy
        let doubling = PublishedSchedule.doubling.applied(to: try .sample()).policies.policy(for: "any").policy
        #expect(listed.maxAttempts == 7 && Timetable(listed).span == .seconds(99_305))
        #expect(doubling.maxAttempts == 20 && Timetable(doubling).span == .seconds(30 * 1_023 + 10 * 21_600))
        #expect(listed.jitter == 0 && doubling.jitter == 0)
    }
}
