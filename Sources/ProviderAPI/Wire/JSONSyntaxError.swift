/// Why a text is not JSON (RFC 8259), and at which byte.
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
    /// The place in the received text, counted in bytes from 0.
    let offset: Int

    var description: String { "\(problem.rawValue) at byte \(offset)" }

    /// Why this answer of the provider cannot be read, with a question that leads to the usual cause.
    ///
    /// - Parameter answer: the whole body in which the fault was found.
    func cause(in answer: [UInt8]) -> String {
        let text = answer.starts(with: Byte.orderMark) ? answer.dropFirst(Byte.orderMark.count) : answer[...]
        return switch text.first(where: { !" \n\r\t".utf8.contains($0) }) {
        case nil: "the answer is empty: is base_url right?"
        case UInt8(ascii: "<"): "the answer is HTML, not JSON: is base_url right?"
        default: "the answer is not JSON: \(self): was it cut on its way, or is base_url wrong?"
        }
    }
}
