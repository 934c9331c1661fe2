/// The start of what the provider answers when it refuses a call, as people may see it: the answer may repeat anything
/// that was sent, the token and the body included.
enum RefusalText {
    /// Longest text, in characters.
    static let limit = 300
    /// Larger answers and bodies are not searched for each other; nothing of such an answer is shown. In bytes.
    private static let answerLimit = 16 << 10
    private static let bodyLimit = 64 << 10
    /// Shorter values, such as `TR`, tell nothing and stand in any text.
    private static let shortestValue = 3

    /// On one line and without control characters; nil when there is none.
    static func excerpt(_ answer: [UInt8]) -> String? {
        let text = String(decoding: answer.prefix(limit * 8), as: UTF8.self)
        let line = String(String.UnicodeScalarView(text.unicodeScalars.map { isControl($0) ? " " : $0 }))
        let words = line.split(separator: " ").joined(separator: " ")
        return words.isEmpty ? nil : String(words.prefix(limit))
    }

    /// The excerpt of a refused retry without anything of the body that was sent, neither whole nor any text or number
    /// of it; nil also when that would be too much to search for.
    static func excerpt(_ answer: [UInt8], hidingValuesOf body: [UInt8]) -> String? {
        guard answer.count <= answerLimit, body.count <= bodyLimit else { return nil }
        var values = Set<String>()
        collectValues(of: body, into: &values)
        let hidden = values.filter { $0.count >= shortestValue }
        return excerpt(mask([String(decoding: body, as: UTF8.self)] + hidden, in: answer))
    }

    /// The answer with `hidden` made unreadable, as it is and as it stands inside JSON strings. To be done before an
    /// answer is shortened: half a secret is still too much.
    static func mask(_ hidden: [String], in answer: [UInt8]) -> [UInt8] {
        TextMask(hidden).applied(to: answer)
    }

    /// Every string and number in a JSON value.
    private static func collectValues(of json: [UInt8], into values: inout Set<String>) {
        if let members = try? JSONText.members(of: json) {
            for member in members { collectValues(of: member.value, into: &values) }
        } else if let elements = try? JSONText.elements(of: json) {
            for element in elements { collectValues(of: element, into: &values) }
        } else if let text = JSONText.string(json[...]) {
            values.insert(text)
        } else if json != Array("true".utf8), json != Array("false".utf8), json != Array("null".utf8) {
            values.insert(String(decoding: json, as: UTF8.self))
        }
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator: true
        default: false
        }
    }
}
