import Testing

@testable import DeliveryQueue

@Suite struct TimestampTests {
    @Test func `adding and subtracting durations counts whole milliseconds`() {
        let time = Timestamp(milliseconds: 1_000)

        #expect((time + .milliseconds(1)).milliseconds == 1_001)
        #expect((time - .seconds(2)).milliseconds == -1_000)
        #expect((time + .microseconds(1_999)).milliseconds == 1_001)
        #expect(time - Timestamp(milliseconds: 400) == .milliseconds(600))
        #expect(Timestamp(milliseconds: 400) - time == .milliseconds(-600))
    }

    @Test(arguments: [Int64.min, -1, 0, 1, Int64.max])
    func `no time and no duration overflows`(milliseconds: Int64) {
        let time = Timestamp(milliseconds: milliseconds)
        let durations: [Duration] = [
            .seconds(Int64.max), .seconds(Int64.min), .zero,
            Duration(secondsComponent: 9_223_372_036_854_775, attosecondsComponent: 900_000_000_000_000_000),
            Duration(secondsComponent: -9_223_372_036_854_775, attosecondsComponent: -900_000_000_000_000_000),
        ]

        for duration in durations {
            #expect(duration < .zero || time + duration >= time)
            #expect(duration > .zero || time + duration <= time)
        }
        #expect(time - Timestamp(milliseconds: .max) <= .zero)
        #expect(time - Timestamp(milliseconds: .min) >= .zero)
    }
}
