import Testing

@testable import ProviderAPI

private let failure = #"{"task_id": "t1", "event_type": "e", "body": {}, "status": "failure"}"#

@Suite("Log page: rows that are not JSON")
struct DamagedRowTests {
    /// Each beside ten good rows; what is wrong stands in the field `x`.
    private static let damages: [(value: [UInt8], detail: String)] = [
        (Array("NaN".utf8), "x: unexpected byte, at byte 36 of the entry"),
        (Array("-Infinity".utf8), "x: malformed number, at byte 37 of the entry"),
        (Array("\"M\u{9}ller\"".utf8), "x: bare control character in a string, at byte 38 of the entry"),
        (Array("\"\u{1F}\"".utf8), "x: bare control character in a string, at byte 37 of the entry"),
        (Array(#""\x41""#.utf8), "x: unknown escape in a string, at byte 38 of the entry"),
        (Array(#""\u12""#.utf8), "x: unknown escape in a string, at byte 41 of the entry"),
        ([0x22, 0x4D, 0xFC, 0x22], "x: invalid UTF-8, at byte 38 of the entry"),
        (Array("[1, 2,, 3]".utf8), "x: unexpected byte, at byte 42 of the entry"),
        (Array("{a: 1}".utf8), "x: unexpected byte, at byte 37 of the entry"),
        (Array("'a'".utf8), "x: unexpected byte, at byte 36 of the entry"),
        (Array("01".utf8), "unexpected byte, at byte 37 of the entry"),
        (Array(#""he said "no" to it""#.utf8), "unexpected byte, at byte 46 of the entry"),
        (Array("1 /* one */".utf8), "unexpected byte, at byte 38 of the entry"),
        (Array("1,".utf8), "unexpected byte, at byte 38 of the entry"),
    ]

    @Test(arguments: damages.indices) func `one row that is not JSON is kept as bytes and the ten others are used`(
        _ index: Int
    ) throws {
        let (value, detail) = Self.damages[index]
        let bad = Array(#"{"task_id":"bad","created_at":9,"x":"#.utf8) + value + [Byte.closeBrace]
        for (before, after) in [(10, 0), (5, 5), (0, 10)] {
            let good = { (count: Int) in (0..<count).map { Array(failure.replacing("t1", with: "t\($0)").utf8) } }
            let rows = good(before) + [bad] + good(after)
            let page = try LogPageDecoder(fields: .standard).page(
                Array(#"{"next": "/p2", "results": ["#.utf8) + rows.joined(separator: [Byte.comma])
                    + Array("], \"z\": 1}".utf8))
            #expect(page.items.count == 11 && page.next == "/p2")
            for (place, item) in page.items.enumerated() {
                switch item {
                case .entry(let entry): #expect(place != before && entry.body == Array("{}".utf8))
                case .unreadable(let entry):
                    #expect(place == before && entry.raw == bad && entry.loggedAt == 9_000)
                    #expect(entry.reason == .badJSON && entry.detail == detail)
                }
            }
        }
    }

    @Test func `a value of the envelope that is not JSON spoils nothing`() throws {
        let page = try decode(
            "{\"count\": NaN, \"meta\": {\"x\": [Infinity, '\\x']}, \"data\": [\(failure)], \"note\": \"\u{1}\"}")
        #expect(page.items.count == 1)
        #expect(try decode(#"{"next": "/p\x32", "results": [1]}"#).badNext == "next")
        #expect(throws: LogPageDecoder.Fault.noList) { try decode(#"{"results": NaN}"#) }
    }

    @Test(arguments: [
        "[\(failure), {\"id\": NaN, \(failure)]", "[{\"id\": NaN}}, \(failure)]", "[\(failure), {\"id\": \"NaN}]",
        "[NaN", "[NaN}", "[\(failure) NaN]", "[NaN, , \(failure)]", "[{\"id\": NaN} \(failure)]", "[\(failure)] NaN",
    ]) func `a page whose structure is lost is given up`(_ text: String) {
        #expect(throws: LogPageDecoder.Fault.self) { try decode(text) }
    }

    @Test func `a name that is not JSON is no name, and a long one is cut in the reason`() throws {
        let entry = try readUnreadable(#"{"task_id": "t", "st\xatus": "ok"}"#)
        #expect(entry?.detail == "unknown escape in a string, at byte 21 of the entry")
        let long = try readUnreadable(#"{"\#(String(repeating: "n", count: 99))\u0007": NaN}"#)
        #expect(long?.detail == "\(String(repeating: "n", count: 40)): unexpected byte, at byte 110 of the entry")
    }
}
