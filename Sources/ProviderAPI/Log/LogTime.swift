/// Reads the times of a log entry.
///
/// Source: docs/provider-api.md, "Assumed: the shape of a logs answer". A time is Unix time (a number or a string of
/// digits), ISO 8601, in UTC or the configured zone unless it names one, or an RFC 1123 date.
enum LogTime {
    /// Numbers from here on are milliseconds. As seconds this would be the year 5138, as milliseconds it is 1973.
    static let firstMilliseconds = 100_000_000_000
    /// Microseconds and nanoseconds count from 2001-09-09 to 2099 only. Other clocks write numbers of the same lengths
    /// that lie outside: ticks since the year 1 or 1601, and microseconds since 1601.
    private static let fineSeconds = 1_000_000_000..<4_102_444_800

    /// Milliseconds since 1970 UTC of a JSON token; nil when it is not a time between 1970 and 9999.
    ///
    /// - Parameter zone: of an ISO 8601 time that names none.
    static func milliseconds(_ token: ArraySlice<UInt8>, in zone: LogZone = .utc) -> Int64? {
        guard token.first == Byte.quote else { return unix(token) }
        // A time holds no escapes, so the raw bytes are the text.
        let text = token.dropFirst().dropLast().trimmingSpaces
        return unix(text) ?? iso8601(text, zone) ?? rfc1123(text)
    }

    /// A Unix time with an optional fraction or exponent. Fractions of a millisecond are cut off.
    private static func unix(_ text: ArraySlice<UInt8>) -> Int64? {
        var reader = TextReader(text)
        guard let digits = reader.digits() else { return nil }
        var fraction: ArraySlice<UInt8> = []
        if reader.skip(".") != nil {
            guard let found = reader.digits() else { return nil }
            fraction = found
        }
        guard reader.isAtEnd else { return unixWithExponent(text) }
        guard digits.count <= 19, let whole = Int(String(decoding: digits, as: UTF8.self)) else { return nil }
        if whole >= firstMilliseconds { return fine(whole) }
        return inRange(Int64(whole) * 1000 + Int64(milliseconds(ofFraction: fraction)))
    }

    private static func unixWithExponent(_ text: ArraySlice<UInt8>) -> Int64? {
        // `Double` would also read "inf", "nan" and hexadecimal digits.
        guard text.count <= 30, text.allSatisfy({ Byte.isDigit($0) || "+-.eE".utf8.contains($0) }),
            let number = Double(String(decoding: text, as: UTF8.self)), number >= 0, number < 9e18
        else { return nil }
        return number >= Double(firstMilliseconds) ? fine(Int(number)) : inRange(Int64(number * 1000))
    }

    /// A Unix time in milliseconds, microseconds or nanoseconds, told apart by its size.
    private static func fine(_ number: Int) -> Int64? {
        if let time = inRange(Int64(number)) { return time }
        for perMillisecond in [1_000, 1_000_000] {
            let milliseconds = number / perMillisecond
            if fineSeconds.contains(milliseconds / 1000) { return Int64(milliseconds) }
        }
        return nil
    }

    /// `YYYY-MM-DD`, `T` or a space, `hh:mm`, optionally `:ss` and a fraction, optionally a zone.
    private static func iso8601(_ text: ArraySlice<UInt8>, _ zone: LogZone) -> Int64? {
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
        _ = reader.skip(" ")
        let isLocal = reader.isAtEnd
        guard let offset = isLocal ? 0 : zoneMinutes(&reader), reader.isAtEnd else { return nil }
        let local = CivilTime.milliseconds(
            year: year, month: month, day: day, hour: hour, minute: minute, second: second,
            millisecond: milliseconds(ofFraction: fraction))
        return local.flatMap { inRange(isLocal ? zone.universal($0) : $0 - Int64(offset) * 60_000) }
    }

    /// Minutes east of UTC: `Z`, `UTC`, `GMT`, `+03`, `+0300`, `+03:00` or `+3:00`.
    static func zoneMinutes(_ reader: inout TextReader) -> Int? {
        if reader.skip("Zz") != nil || isUniversal(&reader) { return 0 }
        return offsetMinutes(&reader)
    }

    private static func isUniversal(_ reader: inout TextReader) -> Bool {
        reader.skip(word: "utc") || reader.skip(word: "gmt")
    }

    /// `+03`, `+0300`, `+03:00` or `+3:00`. One digit needs the colon: `+3` and `+300` may be cut.
    private static func offsetMinutes(_ reader: inout TextReader) -> Int? {
        guard let sign = reader.skip("+-"), let digits = reader.digits() else { return nil }
        var (hours, minutes) = (digits.prefix(2).decimalValue, 0)
        if digits.count <= 2, reader.skip(":") != nil {
            guard let found = reader.number(digits: 2) else { return nil }
            minutes = found
        } else if digits.count == 4 {
            minutes = digits.suffix(2).decimalValue
        } else if digits.count != 2 {
            return nil
        }
        guard hours <= 23, minutes <= 59 else { return nil }
        hours = sign == Byte.minus ? -hours : hours
        return hours * 60 + (sign == Byte.minus ? -minutes : minutes)
    }

    /// `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 822, 5, with the year of RFC 1123). The weekday and the seconds may be
    /// absent, the day may have one digit, and the zone must be `GMT`, `UTC`, `UT`, `Z` or four digits. A weekday that
    /// is not the date's makes it no time, and neither two digits of a year nor a zone's letters are guessed.
    private static func rfc1123(_ text: ArraySlice<UInt8>) -> Int64? {
        var reader = TextReader(text)
        let weekday = HTTPDate.weekday(&reader)
        if weekday != nil, reader.skip(",") == nil || reader.skip(" ") == nil { return nil }
        guard let day = reader.digits(), day.count <= 2, reader.skip(" ") != nil,
            let month = HTTPDate.month(&reader), reader.skip(" ") != nil,
            let year = reader.number(digits: 4), reader.skip(" ") != nil,
            let hour = reader.number(digits: 2), reader.skip(":") != nil, let minute = reader.number(digits: 2)
        else { return nil }
        var second = 0
        if reader.skip(":") != nil {
            guard let found = reader.number(digits: 2) else { return nil }
            second = found
        }
        guard reader.skip(" ") != nil, let offset = namedZoneMinutes(&reader), reader.isAtEnd,
            let local = CivilTime.milliseconds(
                year: year, month: month, day: day.decimalValue, hour: hour, minute: minute, second: second),
            weekday == nil || weekday == CivilTime.weekday(ofMilliseconds: local)
        else { return nil }
        return inRange(local - Int64(offset) * 60_000)
    }

    private static func namedZoneMinutes(_ reader: inout TextReader) -> Int? {
        if isUniversal(&reader) || reader.skip(word: "ut") || reader.skip("Zz") != nil { return 0 }
        let isOffset = reader.rest.count == 5 && reader.rest.dropFirst().allSatisfy(Byte.isDigit)
        return isOffset ? offsetMinutes(&reader) : nil
    }

    private static func milliseconds(ofFraction digits: ArraySlice<UInt8>) -> Int {
        digits.prefix(3).decimalValue * [1000, 100, 10, 1][min(digits.count, 3)]
    }

    private static func inRange(_ milliseconds: Int64) -> Int64? {
        (0...CivilTime.latest).contains(milliseconds) ? milliseconds : nil
    }
}
