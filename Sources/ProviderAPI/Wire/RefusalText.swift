/// The start of an answer that refuses a call, made fit for people. Such an answer may repeat anything that was sent,
/// even the token and the body.
enum RefusalText {
    /// Longest text, in characters.
    static let limit = 300
    /// Answers and sent bodies above these sizes, in bytes, are not searched for values, and the answer is not shown.
    private static let answerLimit = 16 << 10
    private static let bodyLimit = 64 << 10
    /// Shortest value, in characters, that is hidden. Shorter ones, such as `TR`, tell nothing and occur in any text.
    private static let shortestValue = 3

    /// The answer's start on one line without control characters; nil when nothing is left.
    static func excerpt(_ answer: [UInt8]) -> String? {
        let text = String(decoding: answer.prefix(limit * 8), as: UTF8.self)
        let words = text.replacingDisplayControls(with: " ").split(separator: " ").joined(separator: " ")
        return words.isEmpty ? nil : String(words.prefix(limit))
    }

    /// The excerpt of a refused retry, with the sent body and every text and number in it hidden; nil also when the
    /// answer or the body is too large to search.
    static func excerpt(_ answer: [UInt8], hidingValuesOf body: [UInt8]) -> String? {
        guard answer.count <= answerLimit, body.count <= bodyLimit else { return nil }
        var values = Set<String>()
        collectValues(of: body, into: &values)
        let hidden = values.filter { $0.count >= shortestValue }
        return excerpt(mask([String(decoding: body, as: UTF8.self)] + hidden, in: answer))
    }

    /// The answer with the texts `hidden` masked, also where they stand inside JSON strings. Mask an answer before it
    /// is shortened: half a secret is still too much.
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
}
