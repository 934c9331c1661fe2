import DeliveryQueue
import Testing

@testable import RedeliverCLI

@Suite struct CallPaceTests {
    private let now = Timestamp(milliseconds: 1_767_225_600_000)

    /// Readings of the counter, by seconds after `now`.
    private func rate(_ readings: (second: Double, calls: Int64)...) -> CallPace {
        readings.reduce(into: CallPace()) { $0.note($1.calls, at: now + .milliseconds(Int64($1.second * 1_000))) }
    }

    @Test func `one reading is no rate`() {
        #expect(rate().current == nil && rate().lately == nil)
        #expect(rate((0, 1_000)).current == nil && rate((0, 1_000)).lately == nil)
    }

    @Test func `the current rate is that between the last two readings`() {
        let rate = rate((0, 100), (1, 110), (3, 111))

        #expect(rate.current == 0.5)
        #expect(rate.lately?.calls == 11 && rate.lately?.over == .seconds(3))
    }

    @Test func `the rate of the last minute forgets what was before it`() {
        var rate = rate((0, 0), (1, 6_000))
        for second in 2...120 {
            rate.note(6_000 + Int64(second) * 2, at: now + .seconds(second))
        }

        #expect(rate.lately?.over == .seconds(60))
        #expect(rate.lately?.calls == 120 && rate.lately?.perSecond == 2)
    }

    @Test func `readings far apart still make a rate`() {
        let rate = rate((0, 0), (600, 60))

        #expect(rate.current == 0.1 && rate.lately?.over == .seconds(600))
    }

    @Test func `a clock that went back or another database begins anew`() {
        #expect(rate((10, 5), (5, 9)).current == nil)
        #expect(rate((0, 5), (0, 9)).current == nil)
        #expect(rate((0, 500), (1, 3)).current == nil)
        #expect(rate((0, 500), (1, 3), (2, 8)).current == 5)
    }
}
