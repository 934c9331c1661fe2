/// Why a text is not the expected JSON, and at which byte, counted from 0.
struct JSONFault: Error, CustomStringConvertible {
    let reason: String
    let offset: Int

    var description: String { "malformed JSON at byte \(offset): \(reason)" }
}

/// Finds the values in a JSON text as ranges of its bytes, so that each can be passed on byte for byte.
///
/// Checks the grammar of RFC 8259 on its way, and never converts a value.
struct JSONCut {
    /// Deepest nesting. The walk is recursive, so deeper texts are refused.
    static let maximumDepth = 512

    private let bytes: [UInt8]
    private var position = 0
    private var depth = 0

    private init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// The members of the object `bytes` by their names, each with the bytes of its value.
    ///
    /// - Throws: `JSONFault` when the text is not one JSON object, or repeats a name.
    static func members(of bytes: [UInt8]) throws(JSONFault) -> [String: [UInt8]] {
        var cut = JSONCut(bytes)
        var members: [String: [UInt8]] = [:]
        cut.skipSpace()
        try cut.expect(UInt8(ascii: "{"), "an object is expected")
        try cut.walkObject { (name, value) throws(JSONFault) in
            guard members.updateValue(Array(bytes[value]), forKey: name) == nil else {
                throw JSONFault(reason: "the name \(name) appears twice", offset: value.lowerBound)
            }
        }
        cut.skipSpace()
        guard cut.position == bytes.count else { throw cut.fault("text after the object") }
        return members
    }

    /// The bytes of each element of the array `bytes`; nil when the value is not an array.
    ///
    /// - Throws: `JSONFault` when the text begins like an array and is not one.
    static func elements(of bytes: [UInt8]) throws(JSONFault) -> [[UInt8]]? {
        var cut = JSONCut(bytes)
        guard cut.take(UInt8(ascii: "[")) else { return nil }
        var elements: [[UInt8]] = []
        try cut.walkArray { range in elements.append(Array(bytes[range])) }
        guard cut.position == bytes.count else { throw cut.fault("text after the array") }
        return elements
    }

    /// The text of a JSON string; nil when the value is something else. A lone surrogate becomes U+FFFD.
    static func text(of value: [UInt8]) -> String? {
        guard value.count >= 2, value.first == UInt8(ascii: "\""), value.last == UInt8(ascii: "\"") else { return nil }
        var units: [UInt16] = []
        var rest = String(decoding: value.dropFirst().dropLast(), as: UTF8.self).utf16[...]
        while let unit = rest.popFirst() {
            guard unit == 0x5c else {
                units.append(unit)
                continue
            }
            guard let escape = rest.popFirst() else { return nil }
            if escape == 0x75 {
                guard let code = UInt16(String(decoding: rest.prefix(4), as: UTF16.self), radix: 16) else { return nil }
                units.append(code)
                rest = rest.dropFirst(4)
            } else {
                units.append(plain[escape] ?? escape)
            }
        }
        return String(decoding: units, as: UTF16.self)
    }

    /// The control characters of the escapes `\b`, `\f`, `\n`, `\r` and `\t`.
    private static let plain: [UInt16: UInt16] = [0x62: 0x08, 0x66: 0x0c, 0x6e: 0x0a, 0x72: 0x0d, 0x74: 0x09]

    // MARK: Walking

    private mutating func walkValue() throws(JSONFault) {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.maximumDepth else { throw fault("nested too deeply") }
        switch peek() {
        case UInt8(ascii: "{"):
            position += 1
            try walkObject { (_, _) throws(JSONFault) in }
        case UInt8(ascii: "["):
            position += 1
            try walkArray { _ in }
        case UInt8(ascii: "\""): try walkString()
        case UInt8(ascii: "t"): try walkWord("true")
        case UInt8(ascii: "f"): try walkWord("false")
        case UInt8(ascii: "n"): try walkWord("null")
        default: try walkNumber()
        }
    }

    /// Walks the rest of an object behind its opening brace.
    private mutating func walkObject(
        _ visit: (String, Range<Int>) throws(JSONFault) -> Void
    ) throws(JSONFault) {
        skipSpace()
        if take(UInt8(ascii: "}")) { return }
        repeat {
            skipSpace()
            let nameStart = position
            try walkString()
            let name = Self.text(of: Array(bytes[nameStart..<position])) ?? ""
            skipSpace()
            try expect(UInt8(ascii: ":"), "a colon is expected")
            skipSpace()
            let start = position
            try walkValue()
            try visit(name, start..<position)
            skipSpace()
        } while take(UInt8(ascii: ","))
        try expect(UInt8(ascii: "}"), "a comma or } is expected")
    }

    /// Walks the rest of an array behind its opening bracket.
    private mutating func walkArray(_ visit: (Range<Int>) -> Void) throws(JSONFault) {
        skipSpace()
        if take(UInt8(ascii: "]")) { return }
        repeat {
            skipSpace()
            let start = position
            try walkValue()
            visit(start..<position)
            skipSpace()
        } while take(UInt8(ascii: ","))
        try expect(UInt8(ascii: "]"), "a comma or ] is expected")
    }

    private mutating func walkString() throws(JSONFault) {
        try expect(UInt8(ascii: "\""), "a string is expected")
        while let byte = peek() {
            position += 1
            switch byte {
            case UInt8(ascii: "\""): return
            case UInt8(ascii: "\\"): try walkEscape()
            case 0..<0x20: throw fault("a control character in a string")
            default: break
            }
        }
        throw fault("the string does not end")
    }

    private mutating func walkEscape() throws(JSONFault) {
        guard let escape = peek() else { throw fault("the string does not end") }
        position += 1
        if escape == UInt8(ascii: "u") {
            for _ in 0..<4 {
                guard let digit = peek(), Self.isHexDigit(digit) else { throw fault("four digits are expected") }
                position += 1
            }
        } else if !"\"\\/bfnrt".utf8.contains(escape) {
            throw fault("unknown escape")
        }
    }

    private mutating func walkNumber() throws(JSONFault) {
        _ = take(UInt8(ascii: "-"))
        if !take(UInt8(ascii: "0")) { try walkDigits() }
        if take(UInt8(ascii: ".")) { try walkDigits() }
        if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
            if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
            try walkDigits()
        }
    }

    private mutating func walkDigits() throws(JSONFault) {
        let start = position
        while let digit = peek(), Self.isDigit(digit) { position += 1 }
        guard position > start else { throw fault("a value is expected") }
    }

    private mutating func walkWord(_ word: String) throws(JSONFault) {
        guard bytes[position...].starts(with: word.utf8) else { throw fault("a value is expected") }
        position += word.utf8.count
    }

    // MARK: Single bytes

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    private static func isHexDigit(_ byte: UInt8) -> Bool {
        isDigit(byte) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte | 0x20)
    }

    private func peek() -> UInt8? {
        position < bytes.count ? bytes[position] : nil
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard peek() == byte else { return false }
        position += 1
        return true
    }

    private mutating func expect(_ byte: UInt8, _ reason: String) throws(JSONFault) {
        guard take(byte) else { throw fault(reason) }
    }

    private mutating func skipSpace() {
        while let byte = peek(), [0x20, 0x09, 0x0a, 0x0d].contains(byte) { position += 1 }
    }

    private func fault(_ reason: String) -> JSONFault {
        JSONFault(reason: reason, offset: position)
    }
}
