/// Wall time as whole milliseconds since 1970 UTC: what the database stores and every rule compares.
///
/// Callers read the clock once at the start of a turn; neither SQL nor a rule reads one.
package struct Timestamp: Sendable, Hashable, Comparable, Codable {
    package let milliseconds: Int64

    /// - Parameter milliseconds: since 1970-01-01T00:00:00Z; negative values lie before it.
    package init(milliseconds: Int64) {
        self.milliseconds = milliseconds
    }

    package static func < (left: Timestamp, right: Timestamp) -> Bool {
        left.milliseconds < right.milliseconds
    }

    /// Saturates at the ends of the range, so that an absurd configuration or log time cannot trap.
    package static func + (time: Timestamp, duration: Duration) -> Timestamp {
        let (sum, overflow) = time.milliseconds.addingReportingOverflow(duration.wholeMilliseconds)
        guard overflow else { return Timestamp(milliseconds: sum) }
        return Timestamp(milliseconds: duration < .zero ? .min : .max)
    }

    package static func - (time: Timestamp, duration: Duration) -> Timestamp {
        time + (.zero - duration)
    }

    /// The time that passed from `earlier` to `later`; negative when the clock went backwards. Saturates like `+`.
    package static func - (later: Timestamp, earlier: Timestamp) -> Duration {
        let (difference, overflow) = later.milliseconds.subtractingReportingOverflow(earlier.milliseconds)
        guard overflow else { return .milliseconds(difference) }
        return .milliseconds(later < earlier ? Int64.min / 2 : Int64.max / 2)
    }
}

extension Duration {
    /// This duration in milliseconds, rounded towards zero; the unit of every stored time. Saturates at half the range
    /// of `Int64`, before `components` could trap.
    package var wholeMilliseconds: Int64 {
        let limit = Int64.max / 2
        guard self < .milliseconds(limit) else { return limit }
        guard self > .milliseconds(-limit) else { return -limit }
        let (seconds, attoseconds) = components
        return seconds * 1_000 + attoseconds / 1_000_000_000_000_000
    }

    /// This duration in seconds, for metrics and for people.
    package var inSeconds: Double {
        Double(wholeMilliseconds) / 1_000
    }
}
