/// What is odd about a body that a log shows as a JSON string. Whoever receives it will hardly be able to read it.
package enum BodyForm: Sendable, Equatable {
    /// The string holds no JSON.
    case text
    /// The string looks like Python's `repr`, such as `{'a': None}`: the provider wrote a value without making JSON of
    /// it.
    case python

    /// What is odd about a body; nil: nothing, it is no string, or one that holds JSON.
    package static func oddness(of body: [UInt8]) -> BodyForm? {
        guard let text = JSONText.string(body[...].trimmingSpaces) else { return nil }
        var scanner = JSONScanner(Array(text.utf8))
        do throws(JSONSyntaxError) {
            _ = try scanner.value()
            try scanner.end()
            return nil
        } catch {
            return looksPython(text) ? .python : .text
        }
    }

    /// Whether a text that is not JSON begins like a container of Python's and has words or quotes that only Python
    /// writes.
    private static func looksPython(_ text: String) -> Bool {
        guard let first = text.utf8.first(where: { $0 > 0x20 }), [0x7B, 0x5B, 0x28].contains(first) else {
            return false
        }
        return text.utf8.contains(UInt8(ascii: "'")) || ["None", "True", "False"].contains { text.contains($0) }
    }
}
