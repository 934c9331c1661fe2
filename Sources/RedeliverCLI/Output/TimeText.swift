import DeliveryQueue
import Foundation

/// Times for people: UTC with the age, so that nobody has to subtract at 3 a.m.
enum TimeText {
    /// `2026-01-01T00:00:00Z (5 min ago)`.
    static func full(_ time: Timestamp, at now: Timestamp) -> String {
        "\(time.iso8601) (\(relative(time, at: now)))"
    }

    /// `12 s ago`, `in 3 min`, `now`.
    static func relative(_ time: Timestamp, at now: Timestamp) -> String {
        let difference = time - now
        if abs(difference.inSeconds) < 0.5 { return "now" }
        return difference > .zero ? "in \(duration(difference))" : "\(duration(difference)) ago"
    }

    /// `99 s`, `5 min`, `3 h`, `2 d`: one unit, without a sign.
    static func duration(_ duration: Duration) -> String {
        let seconds = abs(duration.inSeconds)
        return switch seconds {
        case ..<99.5: "\(Int(seconds.rounded())) s"
        case ..<6_000: "\(Int((seconds / 60).rounded())) min"
        case ..<172_800: "\(Int((seconds / 3_600).rounded())) h"
        default: "\(Int((seconds / 86_400).rounded())) d"
        }
    }
}

extension Timestamp {
    /// `2026-01-01T00:00:00Z`: whole seconds, UTC.
    var iso8601: String {
        Date(timeIntervalSince1970: Double(milliseconds) / 1_000).formatted(.iso8601)
    }

    /// Unix seconds with milliseconds as the fraction, as in all our JSON.
    var seconds: Double { Double(milliseconds) / 1_000 }
}
