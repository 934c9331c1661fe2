import DeliveryQueue

/// Durations as people write them: a whole or decimal number and one of the units ms, s, m, h, d.
package enum DurationText {
    private static let units: [(name: String, milliseconds: Int64)] = [
        ("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000),
    ]
    /// More than any range allows, and far below what a `Double` counts exactly; keeps the conversion from trapping.
    private static let maxMilliseconds = 1e15

    /// - Throws: `SettingProblem` for a missing unit, for any other text, and for fractions of a millisecond.
    static func parse(_ text: String) throws(SettingProblem) -> Duration {
        let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        let unitName = text.dropFirst(digits.count)
        guard let number = DecimalText.parse(String(digits)) else { throw wrong(text) }
        if unitName.isEmpty { throw SettingProblem("\(SettingProblem.shown(text)) needs a unit, for example 30s") }
        guard let unit = units.first(where: { $0.name == unitName }) else { throw wrong(text) }
        let milliseconds = min(number * Double(unit.milliseconds), maxMilliseconds)
        let whole = milliseconds.rounded()
        // Decimal fractions such as 1.1s are not exact in binary, hence the small distance.
        guard abs(milliseconds - whole) < 0.001 else {
            throw SettingProblem("\(SettingProblem.shown(text)) is finer than a millisecond")
        }
        return .milliseconds(Int64(whole))
    }

    /// A duration that is written as in the configuration; nil for any other text.
    package static func duration(_ text: String) -> Duration? {
        try? parse(text)
    }

    /// The duration in the largest unit that gives a whole number, for example `90s` and `3d`.
    package static func format(_ duration: Duration) -> String {
        let milliseconds = duration.wholeMilliseconds
        guard milliseconds != 0 else { return "0s" }
        let unit = units.last { milliseconds % $0.milliseconds == 0 } ?? units[0]
        return "\(milliseconds / unit.milliseconds)\(unit.name)"
    }

    private static func wrong(_ text: String) -> SettingProblem {
        SettingProblem("expected a duration such as 250ms, 30s, 5m, 6h or 7d, found '\(SettingProblem.shown(text))'")
    }
}

/// Plain decimal numbers: digits, at most one point, an optional sign; no exponents, no hexadecimal, no `nan`.
enum DecimalText {
    /// nil when the text is no number. A point needs digits on both sides.
    static func parse(_ text: String) -> Double? {
        let unsigned = text.hasPrefix("-") || text.hasPrefix("+") ? text.dropFirst() : text[...]
        let parts = unsigned.split(separator: ".", omittingEmptySubsequences: false)
        let areDigits = parts.allSatisfy { part in
            !part.isEmpty && part.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        }
        guard areDigits, (1...2).contains(parts.count) else { return nil }
        return Double(text)
    }
}
