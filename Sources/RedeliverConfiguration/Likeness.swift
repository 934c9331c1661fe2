import Foundation

/// Which texts people take for one, although their characters differ.
enum Likeness {
    /// The same for texts that look alike: without differences of case and of Unicode form.
    static func of(_ text: String) -> [Unicode.Scalar] {
        visible(folded(String(String.UnicodeScalarView(visible(text)))))
    }

    /// In what two texts of one likeness differ.
    static func difference(between one: String, _ other: String) -> String {
        let form = "Unicode form (composed, wide or invisible characters)"
        if Array(folded(one).unicodeScalars) == Array(folded(other).unicodeScalars) { return "upper and lower case" }
        return visible(one) == visible(other) ? form : "upper and lower case and in \(form)"
    }

    /// Composed, with the plain character in the place of a wide or otherwise special one, and without those that no
    /// display shows.
    private static func visible(_ text: String) -> [Unicode.Scalar] {
        let seen = text.precomposedStringWithCompatibilityMapping.unicodeScalars.filter {
            !$0.properties.isDefaultIgnorableCodePoint
        }
        return Array(String(String.UnicodeScalarView(seen)).precomposedStringWithCompatibilityMapping.unicodeScalars)
    }

    /// Upper case first: it makes two letters of a German sharp s.
    private static func folded(_ text: String) -> String { text.uppercased().lowercased() }
}
