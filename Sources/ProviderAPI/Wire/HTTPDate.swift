extension HTTPResponse {
    /// The server's clock from the `Date` header, in milliseconds since 1970 UTC, whole seconds only. nil without a
    /// readable date, and for an answer out of a cache (`Age`, RFC 9111, 5.1), whose date is old.
    ///
    /// - Parameter now: our own clock, which places two-digit years; see ``HTTPDate``.
    package func serverTime(now: Int64) -> Int64? {
        guard header("age") == nil else { return nil }
        return header("date").flatMap { HTTPDate.milliseconds($0, now: now) }
    }
}

/// Reads the three forms of a date in HTTP (RFC 9110, 5.6.7).
enum HTTPDate {
    private static let months = [
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
    ]
    private static let weekdays = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]

    /// Milliseconds since 1970 UTC; nil when the text is no such date. A two-digit year (RFC 850) that would lie more
    /// than 50 years after `now` belongs to the past century.
    static func milliseconds(_ text: String, now: Int64) -> Int64? {
        var reader = TextReader(trimming: text)
        guard weekday(&reader) != nil else { return nil }
        if reader.skip(",") != nil { return fixdate(reader) }
        if reader.skip(" ") != nil { return asctime(reader) }
        return rfc850(reader, now: now)
    }

    /// `Sun, 06 Nov 1994 08:49:37 GMT`, from after the comma.
    private static func fixdate(_ start: TextReader) -> Int64? {
        var reader = start
        guard reader.skip(" ") != nil, let day = reader.number(digits: 2), reader.skip(" ") != nil,
            let month = month(&reader), reader.skip(" ") != nil,
            let year = reader.number(digits: 4), reader.skip(" ") != nil,
            let time = timeOfDay(&reader), reader.skip(word: " gmt"), reader.isAtEnd
        else { return nil }
        return milliseconds(year, month, day, time)
    }

    /// `Sunday, 06-Nov-94 08:49:37 GMT`, from after `Sun`.
    private static func rfc850(_ start: TextReader, now: Int64) -> Int64? {
        var reader = start
        guard ["day", "sday", "nesday", "rsday", "urday"].contains(where: { reader.skip(word: $0) }),
            reader.skip(",") != nil, reader.skip(" ") != nil,
            let day = reader.number(digits: 2), reader.skip("-") != nil,
            let month = month(&reader), reader.skip("-") != nil,
            let shortYear = reader.number(digits: 2), reader.skip(" ") != nil,
            let time = timeOfDay(&reader), reader.skip(word: " gmt"), reader.isAtEnd
        else { return nil }
        let fiftyYears: Int64 = 50 * 31_557_600_000
        guard let date = milliseconds(2000 + shortYear, month, day, time) else { return nil }
        return date - now > fiftyYears ? milliseconds(1900 + shortYear, month, day, time) : date
    }

    /// `Sun Nov  6 08:49:37 1994`, from after the first space.
    private static func asctime(_ start: TextReader) -> Int64? {
        var reader = start
        guard let month = month(&reader), reader.skip(" ") != nil else { return nil }
        let day = reader.skip(" ") != nil ? reader.number(digits: 1) : reader.number(digits: 2)
        guard let day, reader.skip(" ") != nil, let time = timeOfDay(&reader), reader.skip(" ") != nil,
            let year = reader.number(digits: 4), reader.isAtEnd
        else { return nil }
        return milliseconds(year, month, day, time)
    }

    /// Passes over a weekday's three letters: 0 for Monday to 6 for Sunday; nil when something else follows.
    static func weekday(_ reader: inout TextReader) -> Int? {
        weekdays.firstIndex { reader.skip(word: $0) }
    }

    /// Passes over a month's three letters: 1 to 12; nil when something else follows.
    static func month(_ reader: inout TextReader) -> Int? {
        months.firstIndex { reader.skip(word: $0) }.map { $0 + 1 }
    }

    private static func timeOfDay(_ reader: inout TextReader) -> (hour: Int, minute: Int, second: Int)? {
        guard let hour = reader.number(digits: 2), reader.skip(":") != nil,
            let minute = reader.number(digits: 2), reader.skip(":") != nil,
            let second = reader.number(digits: 2)
        else { return nil }
        return (hour, minute, second)
    }

    private static func milliseconds(
        _ year: Int, _ month: Int, _ day: Int, _ time: (hour: Int, minute: Int, second: Int)
    ) -> Int64? {
        CivilTime.milliseconds(
            year: year, month: month, day: day, hour: time.hour, minute: time.minute, second: time.second)
    }
}
