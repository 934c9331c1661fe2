import DeliverySimulation
import Foundation

/// Shows how many of a run's failures have arrived as time passes after recovery: a line of blocks per run, all on one
/// axis. The axis is logarithmic, because one schedule takes minutes and another takes hours.
struct ArrivalChart {
    private let results: [SimulationResult]

    private static let blocks: [Character] = [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"]
    /// The marks of the axis.
    private static let marks: [(name: String, seconds: Double)] = [
        ("30 s", 30), ("2 min", 120), ("10 min", 600), ("1 h", 3_600), ("6 h", 21_600), ("24 h", 86_400),
    ]
    private static let longestName = 30
    /// The columns of the chart.
    private static let widths = 24...60

    init(_ results: [SimulationResult]) {
        self.results = results
    }

    /// nil when the terminal is too narrow.
    func text(on terminal: Terminal) -> String? {
        let names = results.map { String($0.schedule.prefix(Self.longestName)) }
        let margin = (names.map(\.count).max() ?? 0) + 2
        let width = min((terminal.width ?? 80) - margin, Self.widths.upperBound)
        guard width >= Self.widths.lowerBound else { return nil }
        let lines = zip(names, results).enumerated().map { index, run in
            run.0 + String(repeating: " ", count: margin - run.0.count)
                + terminal.paint(Self.blocks(of: run.1, width), index == 0 ? .good : .plain)
        }
        let heading = terminal.paint("ARRIVED SINCE RECOVERY", .heading)
        return ([heading] + lines + [String(repeating: " ", count: margin) + Self.axis(width)]).joined(separator: "\n")
    }

    /// A block's height is the share of failures that have arrived by the end of its column; the smallest means "some".
    private static func blocks(of result: SimulationResult, _ width: Int) -> String {
        let total = max(1, result.failures)
        return String(
            (0..<width).map { column in
                let end = seconds(atColumn: column + 1, width)
                let arrived = result.arrivedBefore + result.lags.count { $0 <= .seconds(end) }
                let height = arrived * (blocks.count - 1) / total
                return blocks[max(height, arrived > 0 ? 1 : 0)]
            })
    }

    private static func axis(_ width: Int) -> String {
        var line = ""
        for mark in marks {
            // The last mark ends where the chart does.
            let start = min(column(of: mark.seconds, width), width - mark.name.count)
            guard line.isEmpty || start > line.count else { continue }
            line += String(repeating: " ", count: start - line.count) + mark.name
        }
        return line
    }

    private static let first = 15.0
    private static let last = 86_400.0

    private static func seconds(atColumn column: Int, _ width: Int) -> Double {
        first * pow(last / first, Double(column) / Double(width))
    }

    private static func column(of seconds: Double, _ width: Int) -> Int {
        // The first column that ends at this time or later.
        (0..<width).first { Self.seconds(atColumn: $0 + 1, width) >= seconds * 0.999 } ?? width - 1
    }
}
