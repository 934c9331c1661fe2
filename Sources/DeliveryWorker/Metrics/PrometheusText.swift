/// A page of metrics in the text exposition format 0.0.4: families in order, one HELP and TYPE each, no timestamps.
struct PrometheusText: Sendable {
    enum Kind: String, Sendable {
        case counter, gauge, histogram
    }

    private(set) var text = ""
    private var family = ""

    /// Begins a family; its samples follow.
    mutating func family(_ name: String, _ kind: Kind, help: String) {
        family = name
        text += "# HELP \(name) \(Self.escaped(help))\n# TYPE \(name) \(kind.rawValue)\n"
    }

    /// One sample of the family. Labels keep the order in which they are given; their values are escaped here and
    /// nowhere else.
    ///
    /// - Parameter suffix: the end of a histogram's name.
    mutating func sample(_ labels: KeyValuePairs<String, String>, _ value: Double, suffix: String = "") {
        text += family + suffix
        if !labels.isEmpty {
            let pairs = labels.map { "\($0.key)=\"\(Self.escapedLabel($0.value))\"" }
            text += "{" + pairs.joined(separator: ",") + "}"
        }
        text += " \(Self.number(value))\n"
    }

    /// Whole numbers without a fraction, so that counters read as counts.
    static func number(_ value: Double) -> String {
        guard value.isFinite else { return value.isNaN ? "NaN" : value < 0 ? "-Inf" : "+Inf" }
        return value == value.rounded() && abs(value) < 1e15 ? String(Int64(value)) : String(value)
    }

    private static func escaped(_ text: String) -> String {
        escaped(text, ["\\": "\\\\", "\n": "\\n"])
    }

    private static func escapedLabel(_ text: String) -> String {
        escaped(text, ["\\": "\\\\", "\n": "\\n", "\"": "\\\""])
    }

    /// By Unicode scalar, as Prometheus reads it. A line break after a carriage return, or a quote with an accent, is
    /// one `Character` in Swift and would not be escaped.
    private static func escaped(_ text: String, _ escapes: [Unicode.Scalar: String]) -> String {
        var escaped = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            if let escape = escapes[scalar] {
                escaped.append(contentsOf: escape.unicodeScalars)
            } else {
                escaped.append(scalar)
            }
        }
        return String(escaped)
    }
}
