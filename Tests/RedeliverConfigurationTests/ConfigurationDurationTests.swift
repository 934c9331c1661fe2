import Testing

@testable import RedeliverConfiguration

@Suite struct ConfigurationDurationTests {
    @Test(
        arguments: [
            ("250ms", 250), ("30s", 30_000), ("5m", 300_000), ("6h", 21_600_000), ("7d", 604_800_000), ("0s", 0),
            ("0ms", 0), ("1.5h", 5_400_000), ("0.5s", 500), ("1.1s", 1_100), ("0.001s", 1), ("007s", 7_000),
            ("2.50m", 150_000), ("999999999999999999999d", 1_000_000_000_000_000),
        ] as [(String, Int64)])
    func `a number and a unit are a duration`(text: String, milliseconds: Int64) throws {
        #expect(try DurationText.parse(text) == .milliseconds(milliseconds))
    }

    @Test(arguments: ["30", "0", "1.5"]) func `a bare number needs a unit`(text: String) {
        #expect(problem(text) == "\(text) needs a unit, for example 30s")
    }

    @Test(arguments: [
        "", "s", "30 s", " 30s", "30s ", "-5s", "+5s", "1h30m", "30S", "30sec", "1.s", ".5s", "1..5s", "1,5s", "1e3s",
        "0x10s", "∞", "٣s", "1w", "ms", "5m5", "P1D",
    ])
    func `anything else is none`(text: String) {
        #expect(problem(text) == "expected a duration such as 250ms, 30s, 5m, 6h or 7d, found '\(text)'")
    }

    @Test(arguments: ["0.5ms", "0.0001s", "1.0001s"]) func `nothing is finer than a millisecond`(text: String) {
        #expect(problem(text) == "\(text) is finer than a millisecond")
    }

    @Test(
        arguments: [
            (0, "0s"), (1, "1ms"), (999, "999ms"), (1_000, "1s"), (1_500, "1500ms"), (90_000, "90s"), (60_000, "1m"),
            (3_600_000, "1h"), (86_400_000, "1d"), (259_200_000, "3d"), (129_600_000, "36h"),
        ] as [(Int64, String)])
    func `a duration is written in its largest whole unit`(milliseconds: Int64, text: String) throws {
        #expect(DurationText.format(.milliseconds(milliseconds)) == text)
        #expect(try DurationText.parse(text) == .milliseconds(milliseconds))
    }

    private func problem(_ text: String) -> String? {
        do throws(SettingProblem) {
            let duration = try DurationText.parse(text)
            return "accepted as \(duration)"
        } catch {
            return error.text
        }
    }
}
