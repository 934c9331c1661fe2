/// Indents JSON for people without changing its values: numbers, escapes and repeated keys stay as they are.
enum JSONIndent {
    /// - Parameter bytes: valid JSON.
    static func text(_ bytes: [UInt8]) -> String {
        var output: [UInt8] = []
        var depth = 0
        var isInString = false
        var isEscaped = false
        var mayBeEmpty = false

        func breakLine() { output += [UInt8(ascii: "\n")] + [UInt8](repeating: UInt8(ascii: " "), count: 2 * depth) }

        for byte in bytes {
            if isInString {
                output.append(byte)
                if !isEscaped, byte == UInt8(ascii: "\"") { isInString = false }
                isEscaped = !isEscaped && byte == UInt8(ascii: "\\")
                continue
            }
            if " \n\r\t".utf8.contains(byte) { continue }
            let closes = byte == UInt8(ascii: "}") || byte == UInt8(ascii: "]")
            if closes { depth -= 1 }
            if mayBeEmpty != closes { breakLine() }
            mayBeEmpty = false
            output.append(byte)
            switch byte {
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                depth += 1
                mayBeEmpty = true
            case UInt8(ascii: ","): breakLine()
            case UInt8(ascii: ":"): output.append(UInt8(ascii: " "))
            case UInt8(ascii: "\""): isInString = true
            default: break
            }
        }
        return String(decoding: output, as: UTF8.self)
    }
}
