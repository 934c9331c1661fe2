/// Why a text is not JSON as RFC 8259 defines it, and at which byte.
struct JSONSyntaxError: Error, Equatable, CustomStringConvertible {
    enum Problem: String {
        case unexpectedEnd = "the text ends too early"
        case unexpectedByte = "unexpected byte"
        case badEscape = "unknown escape in a string"
        case controlCharacter = "bare control character in a string"
        case badUTF8 = "invalid UTF-8"
        case badNumber = "malformed number"
        case tooDeep = "nested too deep"
        case trailingText = "text after the value"
    }

    let problem: Problem
    /// Counted from 0 in the text as it was received.
    let offset: Int

    var description: String { "\(problem.rawValue) at byte \(offset)" }

    /// Why an answer whose whole text this is about cannot be used: a web page is the usual reason.
    func cause(in answer: [UInt8]) -> String {
        switch answer.first(where: { !" \n\r\t".utf8.contains($0) }) {
        case nil: "the answer is empty: is base_url right?"
        case UInt8(ascii: "<"): "the answer is HTML, not JSON: is base_url right?"
        default: "the answer is not JSON: \(self): is it cut on its way, or base_url wrong?"
        }
    }
}
