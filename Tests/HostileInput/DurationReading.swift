import RedeliverConfiguration

enum DurationReading {
    static let samples: [[UInt8]] = [
        "250ms", "30s", "1.5m", "6h", "7d", "0s", "1.0005s", "1e3s", "99999999999999999d", "s",
    ]
    .map { Array($0.utf8) }

    static func check(_ text: String) throws {
        guard let duration = DurationText.duration(text) else { return }
        try Violation.unless(
            .zero...Duration.milliseconds(1_000_000_000_000_000) ~= duration || text.hasPrefix("-"), text)
        let written = DurationText.format(duration)
        try Violation.unless(DurationText.duration(written) == duration, "\(text) is written as \(written)")
    }
}
