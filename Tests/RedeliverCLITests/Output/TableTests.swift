import DeliveryQueue
import Foundation
import ProviderAPI
import Testing

@testable import RedeliverCLI

@Suite struct TableTests {
    private let now = Timestamp(milliseconds: 1_767_225_600_000)

    private var table: Table {
        Table(
            ["task_id", "failed_at", "last_error"],
            [
                ["t-1", Cell(now - .seconds(300), at: now), "connection refused"],
                ["t-22", Cell(nil as Timestamp?, at: now), Cell("says \"no\", twice\u{1B}[2J")],
            ])
    }

    @Test func `columns are aligned and nothing is cut where nobody looks through a window`() {
        #expect(
            table.text(on: .plain)
                == """
                TASK ID  FAILED AT                         LAST ERROR
                t-1      2025-12-31T23:55:00Z (5 min ago)  connection refused
                t-22     -                                 says "no", twice�[2J
                """)
    }

    @Test(arguments: [30, 40, 50, 60]) func `lines fit the terminal`(width: Int) {
        let text = table.text(on: Terminal(width: width, hasColours: false))
        #expect(text.split(separator: "\n").allSatisfy { $0.count <= width })
        #expect(text.contains("…"))
    }

    @Test func `colours come on a terminal only, and do not count as width`() {
        let red = Table(["state", "reason"], [[Cell("dead", style: .bad), "attempts"]])
        #expect(red.text(on: .plain) == "STATE  REASON\ndead   attempts")
        let lines = red.text(on: Terminal(width: 40, hasColours: true)).split(separator: "\n")
        #expect(lines[1] == "\u{1B}[31mdead\u{1B}[0m   attempts")
    }

    @Test func `CSV has exact values and quotes what needs it`() {
        #expect(
            table.csv(on: .plain) == """
                task_id,failed_at,last_error
                t-1,2025-12-31T23:55:00Z,connection refused
                t-22,,"says ""no"", twice\u{1B}[2J"

                """)
    }

    @Test func `on a terminal nothing in CSV steers it`() {
        let table = Table(["a"], [[Cell("x\u{1B}[2J\u{9B}31m, two\nlines")]])
        let csv = table.csv(on: Terminal(width: 80, hasColours: true))
        #expect(csv == "a\n\"x\u{FFFD}[2J\u{FFFD}31m, two\u{FFFD}lines\"\n")
    }

    @Test(arguments: [
        ("a,\u{301}b", "\"a,\u{301}b\""), ("a\"\u{301}b", "\"a\"\"\u{301}b\""), ("a\r\nb", "\"a\r\nb\""),
        ("a\rb", "\"a\rb\""),
    ]) func `CSV quotes a comma, quote or line break also where a combining mark follows`(value: String, csv: String) {
        #expect(Table(["v"], [[Cell(value)]]).csv(on: .plain) == "v\n\(csv)\n")
    }

    /// Ids and event types come from strangers, and the CSV goes into spreadsheets.
    @Test(arguments: [
        ("=HYPERLINK(1)", "'=HYPERLINK(1)"), ("+1", "'+1"), ("@SUM", "'@SUM"), ("-1+2", "'-1+2"), ("\tx", "'\tx"),
        ("\rx", "\"'\rx\""), ("=\u{301}1", "'=\u{301}1"), ("-5", "-5"), ("-0.25", "-0.25"), ("a=1", "a=1"), ("", ""),
    ]) func `a text that a spreadsheet would run is defused, except in raw CSV`(value: String, csv: String) {
        let table = Table(["v"], [[Cell(value)]])
        #expect(table.csv(on: .plain) == "v\n\(csv)\n")
        let exact = value.contains("\r") ? "\"\(value)\"" : value
        #expect(table.csv(on: .plain, isRaw: true) == "v\n\(exact)\n")
    }

    @Test func `where cut columns do not fit, the least important are left out and named`() {
        let columns = ["first", "second", "third"]
        let table = Table(
            columns, [columns.map { Cell("\($0) long value") }, ["1", "2", "3"]], spare: ["second", "third"])
        func text(_ width: Int?) -> String { table.text(on: Terminal(width: width, hasColours: false)) }

        #expect(text(28) == "FIRST     SECOND    THIRD\nfirst l…  second …  third l…\n1         2         3")
        #expect(text(27) == "FIRST          THIRD\nfirst long v…  third long …\n1              3\nnot shown: SECOND")
        #expect(text(9) == "FIRST\nfirst lo…\n1\nnot shown: SECOND, THIRD")
        #expect(!text(nil).contains("not shown"))
    }
}

@Suite struct TimeTextTests {
    private let now = Timestamp(milliseconds: 1_767_225_600_000)

    @Test(arguments: [
        (0.2, "now"), (-12, "12 s ago"), (180, "in 3 min"), (-7_300, "2 h ago"), (200_000, "in 2 d"),
        (-99.4, "99 s ago"), (-99.6, "2 min ago"), (-5_999, "100 min ago"), (-172_799, "48 h ago"),
    ]) func `an age has one unit`(seconds: Double, text: String) {
        #expect(TimeText.relative(now + .milliseconds(Int64(seconds * 1_000)), at: now) == text)
    }
}

@Suite struct JSONOutputTests {
    @Test func `what would steer a terminal is escaped and means the same`() throws {
        let texts = ["\u{9B}31m\u{7F}\u{1B}[0m", "a\u{202E}b\u{2028}", "👩\u{200D}🔬\u{E0001}", "ş, \"quoted\""]

        for json in [try JSONOutput.text(texts), try JSONOutput.line(texts)] {
            #expect(!json.unicodeScalars.contains { $0 != "\n" && $0.steersDisplay }, "\(json)")
            #expect(try JSONDecoder().decode([String].self, from: Data(json.utf8)) == texts)
            #expect(json.contains("ş") && json.contains("👩"))
        }
    }
}
