/// Turns a date and time of day in UTC into milliseconds since 1970, without Foundation.
enum CivilTime {
    /// The last millisecond of the year 9999, the largest time that ISO 8601 and HTTP dates can write.
    static let latest: Int64 = 253_402_300_799_999

    /// Milliseconds since 1970 UTC; nil for a date or time of day that does not exist. A leap second (60) counts as the
    /// first second of the next minute.
    static func milliseconds(
        year: Int, month: Int, day: Int, hour: Int, minute: Int, second: Int, millisecond: Int = 0
    ) -> Int64? {
        guard (1...12).contains(month), day >= 1, day <= days(inMonth: month, of: year),
            (0...23).contains(hour), (0...59).contains(minute), (0...60).contains(second)
        else { return nil }
        let days = daysFromCivil(year: year, month: month, day: day)
        let seconds = ((days * 24 + hour) * 60 + minute) * 60 + second
        return Int64(seconds) * 1000 + Int64(millisecond)
    }

    /// The weekday of a time in UTC: 0 for Monday to 6 for Sunday.
    static func weekday(ofMilliseconds time: Int64) -> Int {
        // 1970-01-01 was a Thursday.
        let days = Int((Double(time) / 86_400_000).rounded(.down))
        return ((days + 3) % 7 + 7) % 7
    }

    private static func days(inMonth month: Int, of year: Int) -> Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// Days since 1970-01-01 in the proleptic Gregorian calendar. Years begin in March here: the leap day then ends a
    /// year and needs no special case.
    private static func daysFromCivil(year: Int, month: Int, day: Int) -> Int {
        let shifted = month <= 2 ? year - 1 : year
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }
}

/// Reads a short ASCII text from left to right. Each step returns nil when the text does not go on as expected.
struct TextReader {
    private(set) var rest: ArraySlice<UInt8>

    init(_ text: ArraySlice<UInt8>) {
        rest = text
    }

    /// Reads the text without the spaces around it.
    init(trimming text: String) {
        rest = Array(text.utf8)[...].trimmingSpaces
    }

    var isAtEnd: Bool { rest.isEmpty }

    /// Reads exactly `count` digits, at most 18.
    mutating func number(digits count: Int) -> Int? {
        guard rest.count >= count, rest.prefix(count).allSatisfy(Byte.isDigit) else { return nil }
        defer { rest = rest.dropFirst(count) }
        return rest.prefix(count).decimalValue
    }

    /// Reads all digits that follow, at least one.
    mutating func digits() -> ArraySlice<UInt8>? {
        let found = rest.prefix(while: Byte.isDigit)
        rest = rest.dropFirst(found.count)
        return found.isEmpty ? nil : found
    }

    /// Passes over one byte that is among `bytes`, and returns it.
    mutating func skip(_ bytes: String) -> UInt8? {
        guard let byte = rest.first, bytes.utf8.contains(byte) else { return nil }
        rest = rest.dropFirst()
        return byte
    }

    /// Passes over `word` in any ASCII case; false when another text follows.
    mutating func skip(word: String) -> Bool {
        let found = rest.prefix(word.utf8.count)
        guard found.elementsEqual(word.utf8, by: { $0 | 0x20 == $1 | 0x20 }) else { return false }
        rest = rest.dropFirst(found.count)
        return true
    }
}
