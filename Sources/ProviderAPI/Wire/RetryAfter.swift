/// Reads how long the provider asks us to stay away (RFC 9110, 10.2.3).
enum RetryAfter {
    /// Longest wait reported. A longer one is more likely a mistake than a wish, and the next answer repeats it.
    static let limit = Duration.seconds(3600)

    /// From zero to one hour; nil when the header is absent or unreadable.
    ///
    /// A date is taken relative to the answer's own `Date` header, so that a wrong clock on our side does not matter, and
    /// neither does the age of a cached answer; relative to `now` (milliseconds since 1970 UTC) only without one.
    static func duration(in response: HTTPResponse, now: Int64) -> Duration? {
        guard let text = response.header("retry-after") else { return nil }
        if let seconds = seconds(text) { return min(.seconds(seconds), limit) }
        guard let until = HTTPDate.milliseconds(text, now: now) else { return nil }
        let from = response.header("date").flatMap { HTTPDate.milliseconds($0, now: now) } ?? now
        let (wait, overflow) = until.subtractingReportingOverflow(from)
        return overflow ? nil : min(max(.milliseconds(wait), .zero), limit)
    }

    /// Digits only; a fraction, which the standard does not know, is rounded up. Absurdly long numbers become the limit.
    private static func seconds(_ text: String) -> Int? {
        var reader = TextReader(trimming: text)
        guard let digits = reader.digits() else { return nil }
        var extra = 0
        if reader.skip(".") != nil {
            guard let fraction = reader.digits() else { return nil }
            extra = fraction.contains { $0 != Byte.zero } ? 1 : 0
        }
        guard reader.isAtEnd else { return nil }
        let significant = digits.drop { $0 == Byte.zero }
        if significant.count > 9 { return Int(limit.components.seconds) }
        return significant.reduce(0) { $0 * 10 + Int($1 - Byte.zero) } + extra
    }
}
