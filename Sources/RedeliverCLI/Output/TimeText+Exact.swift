import DeliveryQueue

extension TimeText {
    /// `1 min 30 s`, `65 h 3 min`, `250 ms`: the two largest units, rounded, without a sign. Days begin at 100 h.
    static func exact(_ duration: Duration) -> String {
        let milliseconds = abs(duration.wholeMilliseconds)
        guard milliseconds > 0 else { return "0 s" }
        let units: [(name: String, size: Int64)] = [
            ("d", 86_400_000), ("h", 3_600_000), ("min", 60_000), ("s", 1_000), ("ms", 1),
        ]
        let first = milliseconds >= 100 * 3_600_000 ? 0 : units[1...].firstIndex { $0.size <= milliseconds } ?? 4
        let finest = units[min(first + 1, units.count - 1)].size
        let rounded = (milliseconds + finest / 2) / finest * finest
        let (large, small) = (rounded / units[first].size, rounded % units[first].size / finest)
        let rest = small > 0 && first + 1 < units.count ? " \(small) \(units[first + 1].name)" : ""
        return "\(large) \(units[first].name)\(rest)"
    }
}
