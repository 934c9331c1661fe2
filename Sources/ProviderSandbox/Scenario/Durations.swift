import Foundation

/// Wall time in whole milliseconds since 1970 UTC, or a span of it.
typealias Milliseconds = Int64

/// The machine's clock.
enum WallTime {
    /// The current time, rounded down.
    static func now() -> Milliseconds {
        Milliseconds((Date().timeIntervalSince1970 * 1000).rounded(.down))
    }

    /// ISO 8601 in UTC with three decimals.
    static func iso(_ time: Milliseconds) -> String {
        let date = Date(timeIntervalSince1970: Double(time) / 1000)
        return date.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
    }

    /// The date of RFC 1123 and of HTTP (RFC 9110, 5.6.7), in whole seconds.
    static func rfc1123(_ time: Milliseconds) -> String {
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.timeZone = TimeZone(secondsFromGMT: 0)
        formatter.dateFormat = "EEE, dd MMM yyyy HH:mm:ss 'GMT'"
        return formatter.string(from: Date(timeIntervalSince1970: Double(time) / 1000))
    }
}

extension Duration {
    private static let units = [("ms", 1.0), ("s", 1000.0), ("m", 60_000.0), ("h", 3_600_000.0), ("d", 86_400_000.0)]

    /// Reads a number with one of the units ms, s, m, h and d. A plain 0 needs no unit.
    init(parsing text: String) throws(Unreadable) {
        if text == "0" {
            self = .zero
            return
        }
        let number = text.prefix { $0.isNumber || $0 == "." }
        guard let factor = Self.units.first(where: { $0.0 == text.dropFirst(number.count) })?.1,
            let value = Double(number), value * factor < 1e13
        else { throw Unreadable("'\(text)' is not a duration (a number and ms, s, m, h or d)") }
        self = .milliseconds(Int64(value * factor))
    }

    /// Whole milliseconds, rounded down.
    var milliseconds: Milliseconds {
        let (seconds, attoseconds) = components
        return seconds * 1000 + attoseconds / 1_000_000_000_000_000
    }
}
