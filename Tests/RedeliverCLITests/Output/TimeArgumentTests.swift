import DeliveryQueue
import Testing

@testable import RedeliverCLI

@Suite struct TimeArgumentTests {
    private let now = DeliverySample.now

    @Test(arguments: [("24h", 86_400), ("30m", 1_800), ("7d", 604_800), ("1.5h", 5_400), ("0s", 0)])
    func `an age is counted back from now`(text: String, seconds: Int) throws {
        let argument = try #require(TimeArgument(argument: text))
        #expect(argument.time(at: now) == now - .seconds(seconds))
    }

    @Test(arguments: [
        ("2026-01-01", 0), ("2025-12-31", -86_400), ("2026-01-01T08:30", 30_600), ("2026-01-01 08:30", 30_600),
        ("2026-01-01T08:30Z", 30_600), ("2026-01-01T08:30:15", 30_615), ("2026-01-01T08:30:15Z", 30_615),
        ("2024-02-29", -58_060_800), ("1969-12-31", -1_767_312_000),
    ]) func `a time is UTC, whole or to the minute or second`(text: String, seconds: Int) throws {
        let argument = try #require(TimeArgument(argument: text))
        #expect(argument.time(at: now) == now + .seconds(seconds))
        #expect(argument.time(at: now + .seconds(9)) == now + .seconds(seconds))
    }

    @Test(arguments: [
        "", "yesterday", "24", "24 h", "h", "2026", "2026-01", "2026-1-1", "01.01.2026", "2026-13-01", "2026-02-30",
        "2025-02-29", "2026-01-01T", "2026-01-01T8:30", "2026-01-01T25:00", "2026-01-01T08:60", "2026-01-01T08:30:60",
        "2026-01-01T08:30:00+02:00", "2026-01-01T08:30:00.5Z", "2026-01-01T08:30:00ZZ", "2026-01-01T08:30 later",
        "2026-01-01Z", "2026-01-01T08:30:00Z x",
    ]) func `anything else is refused, other zones too`(text: String) {
        #expect(TimeArgument(argument: text) == nil)
    }
}
