/// Reads the times of a log entry.
///
/// Source: docs/provider-api.md, "Assumed: the shape of a logs answer". A time is Unix seconds or milliseconds (a
/// number or a string of digits) or ISO 8601, in UTC unless it names a zone.
enum LogTime {
    /// Numbers from here on are milliseconds. As seconds this would be the year 5138, as milliseconds it is 1973.
    static let firstMilliseconds = 100_000_000_000

    /// Milliseconds since 1970 UTC of a JSON token; nil when it is not a time between 1970 and 9999.
    static func milliseconds(_ token: ArraySlice<UInt8>) -> Int64? {
        guard token.first == Byte.quote else { return unix(token) }
        // A time holds no escapes, so the raw bytes are the text.
        let text = token.dropFirst().dropLast().trimmingSpaces
        return unix(text) ?? iso8601(text)
    }

    /// Seconds or milliseconds with an optional fraction or exponent. Fractions of a millisecond are cut off.
    private static func unix(_ text: ArraySlice<UInt8>) -> Int64? {
        var reader = TextReader(text)
        guard let digits = reader.digits() else { return nil }
        var fraction: ArraySlice<UInt8> = []
        if reader.skip(".") != nil {
            guard let found = reader.digits() else { return nil }
            fraction = found
        }
        guard reader.isAtEnd else { return unixWithExponent(text) }
        guard digits.count <= 18 else { return nil }
        let whole = digits.decimalValue
        if whole >= firstMilliseconds { return inRange(Int64(whole)) }
        return inRange(Int64(whole) * 1000 + Int64(milliseconds(ofFraction: fraction)))
    }

    private static func unixWithExponent(_ text: ArraySlice<UInt8>) -> Int64? {
        // `Double` would also read "inf", "nan" and hexadecimal digits.
        guard text.count <= 30, text.allSatisfy({ Byte.isDigit($0) || "+-.eE".utf8.contains($0) }),
            let number = Double(String(decoding: text, as: UTF8.self)),
            number >= 0, number <= Double(CivilTime.latest)
        else { return nil }
        return inRange(Int64(number >= Double(firstMilliseconds) ? number : number * 1000))
    }

    /// `YYYY-MM-DD`, `T` or a space, `hh:mm`, optionally `:ss` and a fraction, optionally a zone.
    private static func iso8601(_ text: ArraySlice<UInt8>) -> Int64? {
        var reader = TextReader(text)
        guard let year = reader.number(digits: 4), reader.skip("-") != nil,
            let month = reader.number(digits: 2), reader.skip("-") != nil,
            let day = reader.number(digits: 2), reader.skip("Tt ") != nil,
            let hour = reader.number(digits: 2), reader.skip(":") != nil,
            let minute = reader.number(digits: 2)
        else { return nil }
        var second = 0
        var fraction: ArraySlice<UInt8> = []
        if reader.skip(":") != nil {
            guard let found = reader.number(digits: 2) else { return nil }
            second = found
            if reader.skip(".,") != nil {
                guard let found = reader.digits() else { return nil }
                fraction = found
            }
        }
        guard let offset = zoneMinutes(&reader), reader.isAtEnd else { return nil }
        let local = CivilTime.milliseconds(
            year: year, month: month, day: day, hour: hour, minute: minute, second: second,
            millisecond: milliseconds(ofFraction: fraction))
        return local.flatMap { inRange($0 - Int64(offset) * 60_000) }
    }

    /// Minutes east of UTC: nothing, `Z`, `UTC`, `+03`, `+0300` or `+03:00`, after an optional space.
    private static func zoneMinutes(_ reader: inout TextReader) -> Int? {
        _ = reader.skip(" ")
        if reader.isAtEnd || reader.skip("Zz") != nil || reader.skip(word: "utc") { return 0 }
        guard let sign = reader.skip("+-"), let hours = reader.number(digits: 2), hours <= 23 else { return nil }
        var minutes = 0
        if !reader.isAtEnd {
            _ = reader.skip(":")
            guard let found = reader.number(digits: 2), found <= 59 else { return nil }
            minutes = found
        }
        return (hours * 60 + minutes) * (sign == Byte.minus ? -1 : 1)
    }

    private static func milliseconds(ofFraction digits: ArraySlice<UInt8>) -> Int {
        digits.prefix(3).decimalValue * [1000, 100, 10, 1][min(digits.count, 3)]
    }

    private static func inRange(_ milliseconds: Int64) -> Int64? {
        (0...CivilTime.latest).contains(milliseconds) ? milliseconds : nil
    }
}
