import DeliveryQueue
import ProviderAPI

/// One value of a row, for people and for CSV.
struct Cell: Sendable, Equatable, ExpressibleByStringInterpolation {
    let text: String
    /// The exact value, for CSV.
    let value: String
    let style: Style

    /// - Parameter text: may come from the provider; control characters are masked.
    init(_ text: String, value: String? = nil, style: Style = .plain) {
        self.text = Printable.text(text)
        self.value = value ?? text
        self.style = style
    }

    init(stringLiteral text: String) {
        self.init(text)
    }

    /// A time with its age; `-` for none.
    init(_ time: Timestamp?, at now: Timestamp, style: Style = .plain) {
        if let time {
            self.init(TimeText.full(time, at: now), value: time.iso8601, style: style)
        } else {
            self.init("-", value: "", style: .faint)
        }
    }

    /// `-` for nil.
    init(ifAny text: String?, style: Style = .plain) {
        if let text {
            self.init(text, style: style)
        } else {
            self.init("-", value: "", style: .faint)
        }
    }
}

/// Rows under a heading, for people or as CSV. A column `event_type` is `EVENT TYPE` for people.
struct Table: Sendable {
    let columns: [String]
    var rows: [[Cell]]
    /// Columns that are left out on a narrow terminal, the least important first.
    private let spare: [String]

    init(_ columns: [String], _ rows: [[Cell]] = [], spare: [String] = []) {
        self.columns = columns
        self.rows = rows
        self.spare = spare
    }

    /// No column is cut below this width; a terminal that is still too narrow wraps the lines.
    private static let narrowest = 8
    private static let gap = "  "

    /// Columns are two spaces apart. On a narrow terminal the widest columns are cut and end in `…`; if that is not
    /// enough, some columns are left out and named below.
    func text(on terminal: Terminal) -> String {
        let leftOut = leftOut(terminal)
        let shown = columns.indices.filter { !leftOut.contains(columns[$0]) }
        let lines = lines.map { line in shown.map { line[$0] } }
        let widths = fitted(Self.widths(lines), terminal)
        let table = lines.map { line(of: $0, widths, terminal) }
        let note = leftOut.isEmpty ? [] : ["not shown: \(leftOut.map(Self.title).joined(separator: ", "))"]
        return (table + note.map { terminal.paint($0, .faint) }).joined(separator: "\n")
    }

    /// The heading and the rows.
    private var lines: [[Cell]] { [columns.map { Cell(Self.title($0), style: .heading) }] + rows }

    private static func title(_ column: String) -> String { column.replacing("_", with: " ").uppercased() }

    private static func widths(_ lines: [[Cell]]) -> [Int] {
        (lines.first ?? []).indices.map { column in lines.map { $0[column].text.count }.max() ?? 0 }
    }

    /// The spare columns that must go, so that the others fit when they are cut.
    private func leftOut(_ terminal: Terminal) -> [String] {
        guard let width = terminal.width else { return [] }
        let least = Dictionary(
            zip(columns, Self.widths(lines).map { min($0, Self.narrowest) + Self.gap.count }), uniquingKeysWith: max)
        var left = least.values.reduce(0, +) - Self.gap.count
        return Array(
            spare.prefix { column in
                guard left > width else { return false }
                left -= least[column] ?? 0
                return true
            })
    }

    /// RFC 4180 with the line ends of Unix. On a terminal control characters are masked.
    ///
    /// - Parameter isRaw: true: every value is exact; false: a text that a spreadsheet would run begins with an
    ///   apostrophe, because ids and event types come from strangers.
    func csv(on terminal: Terminal, isRaw: Bool = false) -> String {
        ([columns] + rows.map { $0.map(\.value) }).map { row in
            row.map { value in
                let value = isRaw ? value : Self.defused(value)
                return Self.quoted(terminal == .plain ? value : Printable.text(value))
            }.joined(separator: ",") + "\n"
        }.joined()
    }

    /// By bytes, as `quoted`. A negative number stays a number.
    private static func defused(_ value: String) -> String {
        guard let first = value.utf8.first, "=+-@\t\r".utf8.contains(first), Double(value) == nil || first == 0x2B
        else {
            return value
        }
        return "'" + value
    }

    private func line(of row: [Cell], _ widths: [Int], _ terminal: Terminal) -> String {
        row.enumerated().map { column, cell in
            let text = cell.text.count > widths[column] ? cell.text.prefix(widths[column] - 1) + "…" : cell.text[...]
            let isLast = column == row.count - 1
            let padding = isLast ? "" : String(repeating: " ", count: widths[column] - text.count)
            return terminal.paint(String(text), cell.style) + padding
        }.joined(separator: Self.gap)
    }

    /// Cuts the widest column until the lines fit.
    private func fitted(_ natural: [Int], _ terminal: Terminal) -> [Int] {
        guard let width = terminal.width else { return natural }
        var widths = natural
        let available = width - Self.gap.count * (widths.count - 1)
        while widths.reduce(0, +) > available, let widest = widths.max(), widest > Self.narrowest,
            let column = widths.lastIndex(of: widest)
        {
            widths[column] -= 1
        }
        return widths
    }

    /// By bytes: a comma or quote before a combining mark is another `Character`, but it counts in CSV.
    private static func quoted(_ value: String) -> String {
        let quote = UInt8(ascii: "\"")
        guard value.utf8.contains(where: { ",\"\n\r".utf8.contains($0) }) else { return value }
        return "\"" + String(decoding: value.utf8.flatMap { $0 == quote ? [quote, quote] : [$0] }, as: UTF8.self) + "\""
    }
}
