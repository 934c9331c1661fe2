import Foundation

/// Whether a soak's figures level off: what is typical of its last quarter against that of its second one. The
/// first quarter, in which everything fills for the first time, is told and not judged.
struct SoakVerdict {
    struct Line {
        let figure: SoakFigure
        /// Of each quarter.
        let typical: [Double]
        let highest: Double

        /// What the last quarter may have.
        var limit: Double { typical[1] * (1 + figure.mayGrow.share) + figure.mayGrow.plus }
        var levelsOff: Bool { typical[3] <= limit }
    }

    let lines: [Line]
    private let quarters: [[SoakSample]]

    /// - Parameter length: seconds, of the whole soak; samples of its end, when nothing new comes in, are left out.
    init(_ samples: [SoakSample], length: Double) {
        let quarters = (0..<4).map { quarter in
            samples.filter { $0.second < length && Int($0.second / length * 4) == quarter }
        }
        self.quarters = quarters
        lines = SoakFigure.allCases.map { figure in
            let values = quarters.map { $0.compactMap { $0.values[figure] }.sorted() }
            return Line(
                figure: figure, typical: values.map(figure.typical),
                highest: values.joined().max() ?? .nan)
        }
    }

    /// What goes on growing, or was not measured; empty is the good end.
    var faults: [String] {
        lines.filter { !$0.levelsOff }.map { line in
            let (second, last) = (Self.text(line.typical[1]), Self.text(line.typical[3]))
            return "\(line.figure.rawValue): \(second) became \(last), at most \(Self.text(line.limit)) is allowed"
        }
    }

    /// Everything that was measured, for people.
    var table: String {
        let head = Self.row("typical of quarter", ["1", "2", "3", "4", "highest", "limit", ""])
        let rows = lines.map { line in
            let numbers = (line.typical + [line.highest, line.limit]).map(Self.text)
            return Self.row(line.figure.rawValue, numbers + [line.levelsOff ? "levels off" : "GROWS"])
        }
        return ([head] + rows + [Self.row("processor, % of one", processorShares)]).joined(separator: "\n")
    }

    /// Told, not judged: it is also the machine's.
    private var processorShares: [String] {
        quarters.map { samples in
            guard let first = samples.first, let last = samples.last, last.second > first.second else { return "-" }
            return Self.text(
                100 * (last.processorSeconds - first.processorSeconds) / (last.second - first.second))
        }
    }

    private static func row(_ name: String, _ cells: [String]) -> String {
        let name = name.padding(toLength: 22, withPad: " ", startingAt: 0)
        return name + cells.map { String(repeating: " ", count: max(1, 10 - $0.count)) + $0 }.joined()
    }

    private static func text(_ value: Double) -> String {
        String(format: "%.1f", value)
    }
}
