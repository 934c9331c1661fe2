import Foundation

/// A metrics file's series by name and labels as they are written.
struct MetricsFile {
    private(set) var values: [String: Double] = [:]
    /// Series that stand in the file more than once; `promtool` does not see them.
    private(set) var duplicates: [String] = []

    init(_ url: URL) throws {
        for line in try String(contentsOf: url, encoding: .utf8).split(separator: "\n") where !line.hasPrefix("#") {
            let parts = line.split(separator: " ")
            let series = parts.dropLast().joined(separator: " ")
            if values[series] != nil { duplicates.append(series) }
            values[series] = Double(parts.last ?? "") ?? .nan
        }
    }

    /// The sum of all series of a name whose labels contain `label`.
    func sum(_ name: String, _ label: String = "") -> Int {
        let wanted = values.filter { series, _ in
            series.prefix { $0 != "{" } == name && (label.isEmpty || series.contains(label))
        }
        return Int(wanted.values.reduce(0, +))
    }
}
