import Foundation

/// All figures of a run with the machine that they were taken on, as a table for people and as JSON.
struct Report: Codable, Sendable {
    let version: String
    let finished: String
    let machine: Machine
    let runs: Int
    var figures: [Figure] = []

    /// Lines of a Markdown table, for the README.
    static let head = [
        "| what | deliveries | median | unit | lowest to highest | must reach |",
        "| --- | ---: | ---: | --- | --- | --- |",
    ]

    static func line(_ figure: Figure) -> String {
        let rows = figure.rows.map { $0.formatted } ?? ""
        let spread = "\((figure.values.min() ?? 0).formatted) to \((figure.values.max() ?? 0).formatted)"
        let goal =
            switch figure.goal {
            case .atLeast(let limit): "≥ \(limit.formatted)\(figure.isMet == true ? "" : " **missed**")"
            case .atMost(let limit): "≤ \(limit.formatted)\(figure.isMet == true ? "" : " **missed**")"
            case nil: ""
            }
        let name = figure.note.map { "\(figure.name) (\($0))" } ?? figure.name
        return "| \(name) | \(rows) | \(figure.median.formatted) | \(figure.unit) | \(spread) | \(goal) |"
    }

    var title: String {
        "\(machine.processor), \(machine.cores) cores, \(machine.memoryMB) MB, \(machine.system), \(machine.fileSystem), "
            + "SQLite \(machine.sqlite), \(machine.syncMilliseconds.formatted) ms a sync; medians of \(runs)"
    }

    func write(to path: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        try encoder.encode(self).write(to: URL(filePath: path))
    }
}

extension Double {
    /// With three digits that say something.
    fileprivate var formatted: String {
        switch abs(self) {
        case 1_000...: Int(rounded()).formatted
        case 100...: String(format: "%.0f", self)
        case 10...: String(format: "%.1f", self)
        case 1...: String(format: "%.2f", self)
        case 0: "0"
        default: String(format: "%.3f", self)
        }
    }
}

extension Int {
    /// With a comma between thousands.
    fileprivate var formatted: String {
        let digits = Array(String(magnitude))
        let groups = stride(from: digits.count, to: 0, by: -3).map { String(digits[Swift.max(0, $0 - 3)..<$0]) }
        return (self < 0 ? "-" : "") + groups.reversed().joined(separator: ",")
    }
}
