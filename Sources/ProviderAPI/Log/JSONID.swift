/// An id from the log. The provider's ids are strings or integers, and a retry must send back the same JSON type, so
/// the raw token is kept beside the readable text.
package struct JSONID: Sendable, Hashable {
    /// Longest id in bytes of JSON, many times the usual 36 of a UUID. An id stands in rows, indexes, logs and tables.
    static let limit = 1_024

    /// The token of the log: `12`, `"12"` or `null`.
    package let json: String
    /// The text for people and keys: `12` for both `12` and `"12"`; empty for `null`.
    package let text: String

    package init(json: String, text: String) {
        self.json = json
        self.text = text
    }

    /// An id from the configuration, which is sent as a JSON string.
    package init(string text: String) {
        self.init(json: String(decoding: JSONText.quoted(text), as: UTF8.self), text: text)
    }

    /// Reads a JSON token; nil when it is neither a string nor an integer, or longer than ``limit``.
    init?(token: ArraySlice<UInt8>) {
        guard token.count <= Self.limit else { return nil }
        if let string = JSONText.string(token) {
            self.init(json: String(decoding: token, as: UTF8.self), text: string)
        } else {
            let digits = token.first == Byte.minus ? token.dropFirst() : token
            guard !digits.isEmpty, digits.allSatisfy(Byte.isDigit) else { return nil }
            let text = String(decoding: token, as: UTF8.self)
            self.init(json: text, text: text)
        }
    }
}
