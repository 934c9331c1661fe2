/// Sizes for people.
package enum ByteText {
    /// `512 B`, `12 KiB`, `3.4 GiB`.
    package static func of(_ bytes: Int64) -> String {
        var value = Double(bytes)
        var unit = "B"
        for next in ["KiB", "MiB", "GiB", "TiB"] where value >= 1_024 {
            value /= 1_024
            unit = next
        }
        let isRound = unit == "B" || value >= 10
        return isRound
            ? "\(Int64(value.rounded())) \(unit)" : "\(Double((value * 10).rounded()) / 10) \(unit)"
    }
}
