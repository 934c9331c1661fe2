/// Reads how long the provider asks us to wait (`Retry-After`, RFC 9110, 10.2.3).
enum RetryAfter {
    /// Longest wait that is reported. A longer one is probably a mistake, and the next answer would ask for it again.
    static let limit = Duration.seconds(3600)

    /// The wait, from zero to one hour; nil when the header is absent or unreadable.
    ///
    /// A date counts from the answer's own `Date` header, so that neither a wrong clock of ours nor the age of a cached
    /// answer matters. Without that header it counts from `now` (milliseconds since 1970 UTC).
    static func duration(in response: HTTPResponse, now: Int64) -> Duration? {
        guard let text = response.header("retry-after") else { return nil }
        if let seconds = seconds(text) { return min(.seconds(seconds), limit) }
        guard let until = HTTPDate.milliseconds(text, now: now) else { return nil }
        let from = response.header("date").flatMap { HTTPDate.milliseconds($0, now: now) } ?? now
        let (wait, overflow) = until.subtractingReportingOverflow(from)
        return overflow ? nil : min(max(.milliseconds(wait), .zero), limit)
    }

    /// Seconds, with a fraction rounded up although the standard has none. Ten digits and more count as the limit.
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
        return significant.decimalValue + extra
    }
}
