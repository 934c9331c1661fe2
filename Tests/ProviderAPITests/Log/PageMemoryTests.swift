import Testing

@testable import ProviderAPI

@Suite("Log page: rows beyond what is kept as values")
struct PageMemoryTests {
    /// A page whose rows are far smaller than their values.
    private static let small =
        "[" + Array(repeating: #"{"id":7,"state":"ok"}"#, count: 50_000).joined(separator: ",") + "]"

    @Test func `small rows are all read, each time anew`() throws {
        let page = try decode(Self.small)
        #expect(page.items.count == 50_000)
        for _ in 1...2 {
            let ids = page.items.compactMap { item in
                if case .entry(let entry) = item { entry.taskID.text } else { nil }
            }
            #expect(ids.count == 50_000 && Set(ids) == ["7"])
        }
    }

    @Test func `order and rows stay the same where the kept ones end`() throws {
        let rows = (0..<2_000).map { index in
            index % 3 == 0 ? "NaN" : #"{"id":\#(index),"success":true}"#
        }
        let page = try decode(#"{"next":"/p2","data":[\#(rows.joined(separator: " , "))],"z":1}"#)
        let found = page.items.map { item in
            switch item {
            case .entry(let entry): entry.taskID.text
            case .unreadable(let entry): String(decoding: entry.raw, as: UTF8.self)
            }
        }
        #expect(found == (0..<2_000).map { $0 % 3 == 0 ? "NaN" : "\($0)" })
        #expect(page.next == "/p2" && page.items.leftOut == 0)
    }

    @Test func `of many unreadable rows ten thousand are given, and the readable ones among them all`() throws {
        let rows = (0..<30_000).map { $0 % 10 == 0 ? #"{"id":\#($0),"success":true}"# : "1" }
        let page = try decode("[\(rows.joined(separator: ","))]")
        #expect(page.items.count == 30_000 && page.items.leftOut == 17_000)
        let entries = page.items.count { if case .entry = $0 { true } else { false } }
        #expect(entries == 3_000)
        #expect(page.items.count { _ in true } == 13_000)
    }

    @Test func `a page of the same rows equals another one`() throws {
        #expect(try decode(Self.small).items == decode(Self.small).items)
        #expect(try decode(Self.small).items != decode("[]").items)
    }
}

@Suite("Log page: limits of ids and event types")
struct IdentifierLimitTests {
    private static let long = String(repeating: "x", count: JSONID.limit - 1)

    private static func row(_ members: String) -> String {
        #"{"task_id":"t","event_type":"e","body":{},"status":"failure",\#(members)}"#
    }

    @Test(arguments: [
        ("task_id", #"{"task_id":"\#(long)","id":1,"status":"ok"}"#),
        ("task_id", #"{"task_id":\#(String(repeating: "9", count: 1_025)),"status":"ok"}"#),
        ("customer_id", row(#""customer_id":"\#(long)""#)), ("profile_id", row(#""profile_id":"\#(long)""#)),
        ("webhook", row(#""webhook_id":null,"webhook":"\#(long)""#)),
        ("event", #"{"task_id":"t","event":"\#(long)","body":{},"status":"ok"}"#),
    ]) func `an id or event type over the limit is unreadable, and the reason names it`(
        _ field: String, _ text: String
    ) throws {
        let entry = try readUnreadable(text)
        #expect(entry?.reason == .tooLong)
        #expect(entry?.detail == "\(field): 1025 bytes, the limit is 1024")
        #expect(entry?.raw == Array(text.utf8) && entry?.length == text.utf8.count)
    }

    @Test func `such an entry is cut short`() throws {
        let text = #"{"task_id":"\#(String(repeating: "x", count: 1 << 20))","status":"ok","created_at":9}"#
        let entry = try readUnreadable(text)
        #expect(entry?.raw == Array(text.utf8.prefix(4_096)) && entry?.length == text.utf8.count)
        #expect(entry?.loggedAt == 9_000)
    }

    @Test(arguments: [
        #"{"task_id":"\#(long.dropFirst())","event":"\#(long.dropFirst())","status":"ok"}"#,
        #"{"task_id":"t","event_type":"e","event":"\#(long)","id":"\#(long)","status":"ok"}"#,
        #"{"task_id":["\#(long)"],"id":1,"status":"ok"}"#,
    ]) func `a long value of a field that does not count, or at the limit, does no harm`(_ text: String) throws {
        #expect(try readEntry(text) != nil)
    }

    @Test func `a long name, number or address of the next page is none`() throws {
        let name = String(repeating: #"\u0069"#, count: 1 << 18)
        #expect(try readEntry(#"{"\#(name)":1,"id":2,"status":"ok"}"#)?.taskID.text == "2")
        let number = String(repeating: "2", count: 1 << 20)
        #expect(try readUnreadable(#"{"id":1,"status":\#(number)}"#)?.reason == .noOutcome)
        let page = try decode(#"{"next":"/\#(String(repeating: "p", count: 8_192))","results":[]}"#)
        #expect(page.next == nil && page.badNext == "next")
    }

    @Test func `no id of an answer is longer`() {
        let answer = HTTPResponse(200, #"{"task_id":"\#(Self.long)"}"#)
        #expect(RetryAnswer(answer, toRetryOf: [], now: testNow).namedTaskID == nil)
    }
}
