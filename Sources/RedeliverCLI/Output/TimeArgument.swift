import ArgumentParser
import DeliveryQueue
import Foundation
import RedeliverConfiguration

/// A moment on the command line: an age (`24h`, `30m`) or a time in UTC (`2026-01-01`, `2026-01-01T08:30`,
/// `2026-01-01T08:30:00Z`).
enum TimeArgument: ExpressibleByArgument, Equatable {
    case age(Duration)
    case time(Timestamp)

    init?(argument: String) {
        if let age = DurationText.duration(argument) {
            self = .age(age)
        } else if let time = Self.time(argument) {
            self = .time(time)
        } else {
            return nil
        }
    }

    func time(at now: Timestamp) -> Timestamp {
        switch self {
        case .age(let age): now - age
        case .time(let time): time
        }
    }

    private static func time(_ text: String) -> Timestamp? {
        let parts = text.split(maxSplits: 1, omittingEmptySubsequences: false) { $0 == "T" || $0 == " " }
        guard let day = parts.first, day.count == 10 else { return nil }
        var clock = parts.count == 2 ? String(parts[1]) : "00:00"
        if clock.hasSuffix("Z") { clock.removeLast() }
        if clock.count == 5 { clock += ":00" }
        let text = "\(day)T\(clock)Z"
        guard let date = try? Date(text, strategy: .iso8601) else { return nil }
        let time = Timestamp(milliseconds: Int64(date.timeIntervalSince1970) * 1_000)
        // The parser reads February 30 as March 2 and ignores text after the time.
        return time.iso8601 == text ? time : nil
    }
}
