/// Finds aliases before the text is read as YAML. Yams replaces each alias by a copy without any limit, so nine lines
/// of aliases to aliases make a billion values. No configuration needs aliases.
enum YAMLAliases {
    /// The fault of the first alias; nil when there is none.
    ///
    /// Comments and quoted texts are searched too. A false alarm there needs `&name` and `*name` with the same name,
    /// each at the beginning of a word.
    static func fault(in text: String) -> ConfigurationFault? {
        let anchors = Set(marked(by: "&", in: text).map(\.name))
        guard !anchors.isEmpty else { return nil }
        guard let alias = marked(by: "*", in: text).first(where: { anchors.contains($0.name) }) else { return nil }
        return ConfigurationFault(
            line: alias.line, column: alias.column, key: "",
            problem: "YAML aliases are not supported; write the value in place of this *, and remove the &")
    }

    /// Every name that follows `sign` where a YAML value can begin.
    private static func marked(by sign: Unicode.Scalar, in text: String) -> [(name: String, line: Int, column: Int)] {
        var found: [(name: String, line: Int, column: Int)] = []
        var line = 1
        var column = 0
        var previous: Unicode.Scalar = "\n"
        let scalars = Array(text.unicodeScalars)
        for (index, scalar) in scalars.enumerated() {
            column += 1
            if scalar == sign, canPrecedeValue(previous) {
                let name = scalars[(index + 1)...].prefix(while: isNameScalar)
                if !name.isEmpty { found.append((String(String.UnicodeScalarView(name)), line, column)) }
            }
            if scalar == "\n" { (line, column) = (line + 1, 0) }
            previous = scalar
        }
        return found
    }

    /// Spaces, line breaks and the signs that end a token.
    private static func canPrecedeValue(_ scalar: Unicode.Scalar) -> Bool {
        scalar.properties.isWhitespace || "[]{},:?-\"'\u{FEFF}".unicodeScalars.contains(scalar)
    }

    /// libyaml's names for anchors.
    private static func isNameScalar(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "a"..."z", "A"..."Z", "0"..."9", "_", "-": true
        default: false
        }
    }
}
