import DeliveryQueue
import ProviderAPI
import Testing

@testable import DeliveryWorker
@testable import RedeliverConfiguration

/// When an endpoint's log is read again.
@Suite struct PollPaceTests {
    private func pace(_ interval: Double, overlap: Double = 900) -> PollPace {
        PollPace(.init(interval: .seconds(interval), overlap: .seconds(overlap), initialLookback: .seconds(3_600)))
    }

    @Test func `a long interval is cut short when the overlap is to be read again`() {
        var pace = pace(3_600)
        pace.polled(at: .noon, untilDeep: .zero)

        #expect(pace.rest(.seconds(3_600), untilDeep: .seconds(299)) == .seconds(299))
        #expect(pace.wait(.seconds(3_600), untilDeep: .seconds(100), at: .noon(200)) == .seconds(100))
        pace.polled(at: .noon(10), untilDeep: .seconds(290))
        #expect(pace.wait(.seconds(3_600), untilDeep: .zero, at: .noon(300)) == .zero)
    }

    @Test func `a reading of the overlap that does not come to its end is not repeated at once`() {
        var pace = pace(3_600)
        pace.polled(at: .noon, untilDeep: .zero)

        #expect(pace.wait(.seconds(60), untilDeep: .zero, at: .noon(1)) == .seconds(59))
        #expect(pace.wait(.seconds(3_600), untilDeep: .zero, at: .noon(1)) == .seconds(299))
        #expect(pace.rest(.seconds(3_600), untilDeep: .zero) == .seconds(300))
    }

    @Test func `without an overlap the interval alone counts`() {
        var pace = pace(3_600, overlap: 0)
        #expect(pace.wait(.seconds(3_600), untilDeep: .zero, at: .noon) == .zero)
        pace.polled(at: .noon, untilDeep: .zero)

        #expect(pace.wait(.seconds(3_600), untilDeep: .zero, at: .noon(400)) == .seconds(3_200))
        #expect(pace.rest(.seconds(3_600), untilDeep: .zero) == .seconds(3_600))
        #expect(pace.wait(.seconds(3_600), untilDeep: .zero, at: .noon(-1)) == .zero)
    }

    /// Polls once an hour, and the row is ten minutes old when it is logged.
    @Test(arguments: [60.0, 240, 3_600]) func `a row that is logged late is found within five minutes`(
        interval: Double
    ) async throws {
        let bench = try await Workbench()
        let fake = FakeProvider(time: bench.time, confirmation: .sameTaskID)
        for number in 0..<3 { await fake.add(LogLine("s\(number)", "success", at: .noon(Double(-number) * 10))) }
        var configuration = WorkerConfiguration.for(bench)
        configuration.poll.interval = .seconds(interval)
        var logged: Timestamp?
        var found: Timestamp?
        try await VirtualDaemon(bench, configuration, fake).run { now in
            if logged == nil, now > .noon(2) {
                logged = now
                await fake.add(LogLine("late", at: .noon(-600)))
            }
            if try bench.number("SELECT COUNT(*) FROM delivery") == 1 { found = now }
            return found != nil || now > .noon(4_000)
        }
        let took = try #require(found) - (try #require(logged))
        #expect(took <= .seconds(300), "\(took)")
    }
}
