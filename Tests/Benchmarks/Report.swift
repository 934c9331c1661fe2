import Foundation

/// All figures of a run with the machine that they were taken on, as a table for people and as JSON.
struct Report: Codable, Sendable {
    let version: String
    let finished: String
    let machine: Machine
    let runs: Int
    var figures: [Figure] = []

    /// Lines of a Markdown table, for docs/benchmarks.md.
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

    /// How the rates of the largest number of deliveries stand to those of the smallest: a service must not become slow
    /// with its past. Nothing of a run with one number only.
    var flatness: [Figure] {
        let rates = ["1/s", "rows/s", "calls/s"]
        return named { rates.contains($0.unit) && $0.rows != nil }.compactMap { name, bySize in
            guard let first = bySize.first, let last = bySize.last, bySize.count > 1 else { return nil }
            return Figure(
                "\(name), most ÷ fewest", rows: last.rows, unit: "ratio", [last.median / first.median],
                goal: .atLeast(0.8))
        }
    }

    /// One line for each thing that was measured by stored deliveries, one column for each number of them.
    func table(of sizes: [Int]) -> [String] {
        let sizes = sizes.sorted()
        guard sizes.count > 1 else { return [] }
        let head = [
            "| what | unit |" + sizes.map { " \($0.formatted) |" }.joined(),
            "| --- | --- |" + sizes.map { _ in " ---: |" }.joined(),
        ]
        return head
            + named { sizes.contains($0.rows ?? 0) }.filter { $0.figures.count > 1 }.map { name, bySize in
                let cells = sizes.map { size in bySize.first { $0.rows == size }.map { $0.median.formatted } ?? "" }
                return "| \(name) | \(bySize[0].unit) |" + cells.map { " \($0) |" }.joined()
            }
    }

    /// Figures of one name, by their number of deliveries, in the order in which the names were measured.
    private func named(where isWanted: (Figure) -> Bool) -> [(name: String, figures: [Figure])] {
        var names: [String] = []
        for figure in figures where isWanted(figure) && !names.contains(figure.name) { names.append(figure.name) }
        return names.map { name in
            (name, figures.filter { $0.name == name && isWanted($0) }.sorted { ($0.rows ?? 0) < ($1.rows ?? 0) })
        }
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
