import Testing

@testable import ProviderAPI

@Suite("Times of log entries")
struct LogTimeTests {
    @Test(
        arguments: [
            ("1700000000", 1_700_000_000_000), ("1700000000123", 1_700_000_000_123),
            ("1700000000.25", 1_700_000_000_250),
            ("1700000000.1239", 1_700_000_000_123), ("1700000000123.9", 1_700_000_000_123),
            ("1.7e9", 1_700_000_000_000),
            ("17E8", 1_700_000_000_000), ("0", 0), ("99999999999", 99_999_999_999_000),
            ("100000000000", 100_000_000_000),
            (#""1700000000""#, 1_700_000_000_000), (#""1700000000123""#, 1_700_000_000_123),
            (#"" 1700000000.5 ""#, 1_700_000_000_500),
            (#""2024-05-01T12:34:56Z""#, 1_714_566_896_000), (#""2024-05-01T12:34:56""#, 1_714_566_896_000),
            (#""2024-05-01 12:34:56""#, 1_714_566_896_000), (#""2024-05-01t12:34:56z""#, 1_714_566_896_000),
            (#""2024-05-01T12:34:56.123456Z""#, 1_714_566_896_123), (#""2024-05-01T12:34:56,5Z""#, 1_714_566_896_500),
            (#""2024-05-01T15:34:56+03:00""#, 1_714_566_896_000), (#""2024-05-01T15:34:56+0300""#, 1_714_566_896_000),
            (#""2024-05-01T15:34:56+03""#, 1_714_566_896_000), (#""2024-05-01T07:04:56-05:30""#, 1_714_566_896_000),
            (#""2024-05-01 12:34:56 UTC""#, 1_714_566_896_000), (#""2024-05-01 15:34:56.0 +03:00""#, 1_714_566_896_000),
            (#""2024-05-01T12:34Z""#, 1_714_566_840_000), (#""2024-02-29T00:00:00Z""#, 1_709_164_800_000),
            (#""1970-01-01T00:00:00Z""#, 0), (#""2000-03-01T00:00:00Z""#, 951_868_800_000),
            ("1700000000123456", 1_700_000_000_123), ("1700000000123456789", 1_700_000_000_123),
            ("1000000000000000", 1_000_000_000_000), ("4102444799999999", 4_102_444_799_999),
            (#""1700000000123456""#, 1_700_000_000_123), ("1.700000000123456e18", 1_700_000_000_123),
            ("253402300799999", 253_402_300_799_999),
            (#""2024-05-01 12:34:56 GMT""#, 1_714_566_896_000), (#""2024-05-01T12:34:56gmt""#, 1_714_566_896_000),
            (#""2024-05-01T15:34:56+3:00""#, 1_714_566_896_000), (#""2024-05-01T07:04:56 -5:30""#, 1_714_566_896_000),
            (#""Wed, 01 May 2024 12:34:56 GMT""#, 1_714_566_896_000), (#""1 May 2024 12:34 UT""#, 1_714_566_840_000),
            (#""wed, 1 may 2024 15:34:56 +0300""#, 1_714_566_896_000),
            (#""Wed, 01 May 2024 12:34:56 UTC""#, 1_714_566_896_000),
            (#""Thu, 01 Jan 1970 00:00:00 -0000""#, 0),
            (#""9999-12-31T23:59:59.999Z""#, 253_402_300_799_999), (#""2016-12-31T23:59:60Z""#, 1_483_228_800_000),
        ] as [(String, Int64)]) func `a time is read`(_ token: String, _ milliseconds: Int64)
    {
        #expect(LogTime.milliseconds(Array(token.utf8)[...]) == milliseconds)
    }

    @Test(arguments: [
        "-1", "-1700000000", "1e400", "1e-400e", "99999999999999999999", "true", "{}", "[1]",
        #""""#, #"" ""#,
        #""now""#, #""2024-05-01""#, #""2024-13-01T00:00:00Z""#, #""2024-02-30T00:00:00Z""#, #""2023-02-29T00:00:00Z""#,
        #""1900-02-29T00:00:00Z""#, #""2024-05-01T24:00:00Z""#, #""2024-05-01T12:60:00Z""#, #""2024-05-01T12:34:61Z""#,
        #""2024-05-01T12:34:56.Z""#, #""2024-05-01T12:34:56+3""#, #""2024-05-01T12:34:56+25:00""#,
        #""2024-05-01T12:34:56Zx""#,
        #""24-05-01T12:34:56Z""#, #""2024/05/01 12:34:56""#, #""1969-12-31T23:59:59Z""#, #""1.""#, #"".5""#, #""nan""#,
        #""inf""#,
        // Ticks since the year 1 and since 1601, microseconds since 1601, and what would be 1978 or 2100.
        "638500000000000000", "133500000000000000", "13350000000000000", "253402300800000", "4102444800000000",
        "999999999999999", "999999999999999999", "4102444800000000000", "9999999999999999999",
        #""2024-05-01T12:34:56+300""#, #""2024-05-01T12:34:56+3:0""#, #""2024-05-01T12:34:56 GMT+3""#,
        #""Thu, 01 May 2024 12:34:56 GMT""#, #""Wed, 01 May 2024 12:34:56""#, #""Wed, 01 May 2024 12:34:56 EST""#,
        #""Wed, 01 May 24 12:34:56 GMT""#, #""Wed 01 May 2024 12:34:56 GMT""#, #""Wed May  1 12:34:56 2024""#,
        #""Wed, 31 Apr 2024 12:34:56 GMT""#, #""Wed, 001 May 2024 12:34:56 GMT""#,
        #""Wed, 01 May 2024 12:34:56 +3:00""#,
        #""0x10""#, #""-5""#, #""2024-05-01T12:34:56 Europe/Berlin""#, #""9999-12-31T23:59:59-01:00""#,
    ]) func `anything else is no time`(_ token: String) {
        #expect(LogTime.milliseconds(Array(token.utf8)[...]) == nil)
    }

    @Test(
        arguments: [
            ("+03:00", "2024-05-01T15:34:56", 1_714_566_896_000), ("-05:30", "2024-05-01 07:04:56", 1_714_566_896_000),
            ("UTC", "2024-05-01T12:34:56", 1_714_566_896_000),
            ("Europe/Istanbul", "2024-05-01T15:34:56", 1_714_566_896_000),
            // Summer and winter.
            ("Europe/Berlin", "2024-05-01T14:34:56", 1_714_566_896_000),
            ("Europe/Berlin", "2024-01-01T13:00:00", 1_704_110_400_000),
            // The hour that comes twice is the later one; that which never comes counts by the offset before it.
            ("Europe/Berlin", "2024-10-27T02:30:00", 1_729_992_600_000),
            ("America/New_York", "2024-11-03T01:30:00", 1_730_615_400_000),
            ("Europe/Berlin", "2024-03-31T02:30:00", 1_711_848_600_000),
            // A time that names its zone, or is a number, does not go by the configured one.
            ("+03:00", "2024-05-01T12:34:56Z", 1_714_566_896_000), ("+03:00", "1714566896", 1_714_566_896_000),
            ("+03:00", "2024-05-01T14:34:56 +02:00", 1_714_566_896_000),
        ] as [(String, String, Int64)]) func `a time without a zone is of the configured one`(
            _ zone: String, _ time: String, _ milliseconds: Int64
        ) throws
    {
        let zone = try #require(LogZone(zone))
        #expect(LogTime.milliseconds(Array("\"\(time)\"".utf8)[...], in: zone) == milliseconds)
    }

    @Test(arguments: ["", "local", "+3", "+25:00", "EST", "Europe/Nowhere", "Berlin", "GMT+3"])
    func `a zone that nobody knows is none`(_ text: String) {
        #expect(LogZone(text) == nil)
    }

    @Test func `every day of 400 years follows the one before`() {
        var expected: Int64 = -6_106_060_800_000 / 86_400_000 * 86_400_000
        for year in 1776..<2176 {
            for month in 1...12 {
                for day in 1...31 {
                    guard
                        let time = CivilTime.milliseconds(
                            year: year, month: month, day: day, hour: 0, minute: 0, second: 0)
                    else { continue }
                    if year == 1776, month == 1, day == 1 { expected = time }
                    #expect(time == expected)
                    expected += 86_400_000
                }
            }
        }
        #expect(expected == CivilTime.milliseconds(year: 2176, month: 1, day: 1, hour: 0, minute: 0, second: 0))
    }
}

@Suite("HTTP dates and Retry-After")
struct RetryAfterTests {
    @Test(
        arguments: [
            ("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777_000), ("Sunday, 06-Nov-94 08:49:37 GMT", 784_111_777_000),
            ("Sun Nov  6 08:49:37 1994", 784_111_777_000), ("Wed, 31 Dec 2025 23:59:59 GMT", 1_767_225_599_000),
            ("Wednesday, 31-Dec-25 23:59:59 GMT", 1_767_225_599_000), ("Wed Dec 31 23:59:59 2025", 1_767_225_599_000),
            (" Sun, 06 Nov 1994 08:49:37 GMT ", 784_111_777_000), ("Saturday, 01-Jan-77 00:00:00 GMT", 220_924_800_000),
            ("Tuesday, 01-Jan-75 00:00:00 GMT", 3_313_526_400_000),
        ] as [(String, Int64)]) func `the three forms of an HTTP date are read`(_ text: String, _ milliseconds: Int64)
    {
        #expect(HTTPDate.milliseconds(text, now: testNow) == milliseconds)
    }

    @Test(arguments: [
        "", "soon", "2024-05-01", "Sun, 06 Nov 1994 08:49:37", "Sun, 31 Feb 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 25:49:37 GMT",
        "Sun, 06 Foo 1994 08:49:37 GMT", "Sun, 6 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 GMT+1", "Sun",
        "Sunday 06-Nov-94 08:49:37 GMT", "Sun Nov 6 08:49:37 1994 GMT",
    ]) func `anything else is no HTTP date`(_ text: String) {
        #expect(HTTPDate.milliseconds(text, now: testNow) == nil)
    }

    @Test(
        arguments: [
            ("120", nil, .seconds(120)), ("0", nil, .zero), (" 7 ", nil, .seconds(7)), ("1.2", nil, .seconds(2)),
            ("99999999999999999999999999", nil, .seconds(3600)), ("86400", nil, .seconds(3600)), ("-5", nil, nil),
            ("soon", nil, nil),
            ("", nil, nil), ("1e3", nil, nil), ("Thu, 01 Jan 2026 00:02:00 GMT", nil, .seconds(120)),
            ("Thu, 01 Jan 2026 00:02:00 GMT", "Thu, 01 Jan 2026 00:01:00 GMT", .seconds(60)),
            ("Thu, 01 Jan 2026 00:02:00 GMT", "garbage", .seconds(120)), ("Wed, 31 Dec 2025 23:00:00 GMT", nil, .zero),
            ("Fri, 31 Dec 9999 23:59:59 GMT", nil, .seconds(3600)),
        ] as [(String, String?, Duration?)]) func `Retry-After is read as a bounded wait`(
            _ value: String, _ date: String?, _ wait: Duration?
        )
    {
        let headers = [HTTPHeader("RETRY-AFTER", value)] + (date.map { [HTTPHeader("date", $0)] } ?? [])
        #expect(RetryAfter.duration(in: HTTPResponse(503, headers: headers), now: testNow) == wait)
    }

    @Test func `without the header there is no wait`() {
        #expect(RetryAfter.duration(in: HTTPResponse(503), now: testNow) == nil)
    }

    @Test func `the age of a cached answer does not move the wait off its own date`() {
        let headers = [
            HTTPHeader("Retry-After", "Sun, 06 Nov 1994 08:50:37 GMT"), HTTPHeader("Age", "30"),
            HTTPHeader("Date", "Sun, 06 Nov 1994 08:49:37 GMT"),
        ]
        #expect(RetryAfter.duration(in: HTTPResponse(503, headers: headers), now: testNow) == .seconds(60))
    }
}
