/// Writes JSON numbers as Python does after reading them: an `int` of any size, or a `float`.
enum PythonNumber {
    /// The text that Python prints for a JSON number token.
    static func text(of token: ArraySlice<UInt8>) -> [UInt8] {
        let isFloat = token.contains { $0 == Byte.dot || $0 | 0x20 == UInt8(ascii: "e") }
        if isFloat { return Array(repr(Double(String(decoding: token, as: UTF8.self)) ?? .nan).utf8) }
        // A Python int has no negative zero.
        return token.elementsEqual([Byte.minus, Byte.zero]) ? [Byte.zero] : Array(token)
    }

    /// Python's `float.__repr__`, and `NaN`, `Infinity` or `-Infinity` as its JSON writer has them.
    ///
    /// Both Python and Swift print the shortest digits that read back as the same number. Python uses the exponent form
    /// below 1e-04 and from 1e+16 on, with at least two digits (`Python/pystrtod.c`, format `r`).
    static func repr(_ value: Double) -> String {
        guard value.isFinite else { return value.isNaN ? "NaN" : value < 0 ? "-Infinity" : "Infinity" }
        let sign = value.sign == .minus ? "-" : ""
        guard value != 0 else { return sign + "0.0" }
        let (digits, exponent) = decimal(of: value.magnitude)
        return sign + (-4..<16 ~= exponent ? plain(digits, exponent) : scientific(digits, exponent))
    }

    /// The shortest digits, without leading and trailing zeros, and the power of ten of the first one.
    private static func decimal(of value: Double) -> (digits: Substring, exponent: Int) {
        let parts = value.description.split(separator: "e")
        let mantissa = parts[0].split(separator: ".", omittingEmptySubsequences: false)
        let fraction = mantissa.count > 1 ? mantissa[1] : ""
        let all = mantissa[0] + fraction
        let digits = all.drop { $0 == "0" }
        let point = mantissa[0].count - (all.count - digits.count)
        let trailing = digits.reversed().prefix { $0 == "0" }.count
        return (digits.dropLast(trailing), point - 1 + (parts.count > 1 ? Int(parts[1]) ?? 0 : 0))
    }

    private static func plain(_ digits: Substring, _ exponent: Int) -> String {
        if exponent < 0 { return "0." + String(repeating: "0", count: -exponent - 1) + digits }
        let padding = String(repeating: "0", count: max(0, exponent + 1 - digits.count))
        let fraction = digits.dropFirst(exponent + 1)
        return "\(digits.prefix(exponent + 1))\(padding).\(fraction.isEmpty ? "0" : fraction)"
    }

    private static func scientific(_ digits: Substring, _ exponent: Int) -> String {
        let fraction = digits.count > 1 ? ".\(digits.dropFirst())" : ""
        let power = exponent.magnitude < 10 ? "0\(exponent.magnitude)" : "\(exponent.magnitude)"
        return "\(digits.prefix(1))\(fraction)e\(exponent < 0 ? "-" : "+")\(power)"
    }
}
