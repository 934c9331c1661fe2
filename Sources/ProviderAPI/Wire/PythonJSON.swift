/// Writes JSON as Python's `json.dumps(json.loads(text))` does, byte for byte. The vendor's sample signs this form.
///
/// Python writes ASCII only, separates with `", "` and `": "` and keeps the order of keys; a repeated key keeps its
/// first place and takes its last value. Strings are written UTF-16 unit by unit, so surrogates, paired or lone, need
/// no rule of their own, and two keys are equal when their written forms are.
package struct PythonJSON {
    private var scanner: JSONScanner
    private var output: [UInt8] = []

    /// The text as Python writes it; nil when it cannot be read here.
    ///
    /// Reads RFC 8259 in UTF-8 without a byte order mark, down to ``JSONScanner/depthLimit`` levels, and Python's
    /// `NaN`, `Infinity` and `-Infinity`. Python reads more (UTF-16, deeper nesting); such bodies have a raw form only.
    package static func dumps(_ text: [UInt8]) -> [UInt8]? {
        guard !text.starts(with: Byte.orderMark) else { return nil }
        var writer = PythonJSON(scanner: JSONScanner(text))
        writer.output.reserveCapacity(text.count)
        do throws(JSONSyntaxError) {
            try writer.writeValue()
            try writer.scanner.end()
        } catch {
            return nil
        }
        return writer.output
    }

    private init(scanner: JSONScanner) {
        self.scanner = scanner
    }

    /// Calls itself for each level. The scanner's depth limit bounds the program's stack.
    private mutating func writeValue() throws(JSONSyntaxError) {
        switch scanner.peek() {
        case Byte.openBrace: try writeObject()
        case Byte.openBracket: try writeArray()
        default:
            if let constant = skipConstant() { return output += constant }
            writeScalar(scanner.bytes[try scanner.value()])
        }
    }

    /// Passes over `NaN` or an infinity, which Python reads and writes although JSON has none; nil when the next token
    /// is something else. The scanner itself stays strict, because it reads log pages too.
    private mutating func skipConstant() -> [UInt8]? {
        let rest = scanner.bytes[scanner.position...]
        guard let constant = Self.constants.first(where: { rest.starts(with: $0) }) else { return nil }
        scanner.position += constant.count
        return constant
    }

    private mutating func writeObject() throws(JSONSyntaxError) {
        let start = output.count
        // The place of each member in the output, in the order in which the keys first appear.
        var members: [Range<Int>] = []
        var places: [ArraySlice<UInt8>: Int] = [:]
        var hasRepeatedKey = false
        try scanner.enter()
        output.append(Byte.openBrace)
        while let key = try scanner.nextKey() {
            if !members.isEmpty { output += Self.comma }
            let first = output.count
            writeString(scanner.bytes[key])
            // A copy of the name. A slice of the output would make the next append copy the whole output.
            let name = Array(output[first...])[...]
            output += Self.colon
            try writeValue()
            if let place = places[name] {
                members[place] = first..<output.count
                hasRepeatedKey = true
            } else {
                places[name] = members.count
                members.append(first..<output.count)
            }
        }
        if hasRepeatedKey {
            let kept = members.map { output[$0] }.joined(separator: Self.comma)
            output.replaceSubrange((start + 1)..., with: Array(kept))
        }
        output.append(Byte.closeBrace)
    }

    private mutating func writeArray() throws(JSONSyntaxError) {
        try scanner.enter()
        output.append(Byte.openBracket)
        var isFirst = true
        while try scanner.nextElement() {
            if !isFirst { output += Self.comma }
            isFirst = false
            try writeValue()
        }
        output.append(Byte.closeBracket)
    }

    private mutating func writeScalar(_ token: ArraySlice<UInt8>) {
        switch token.first {
        case Byte.quote: writeString(token.dropFirst().dropLast())
        case Byte.minus, .some(Byte.zero...Byte.nine): output += PythonNumber.text(of: token)
        default: output += token
        }
    }

    /// Writes a string token's content. The scanner has checked it: each escape is whole.
    private mutating func writeString(_ content: ArraySlice<UInt8>) {
        output.append(Byte.quote)
        // Escapes are ASCII, so they look the same in UTF-16.
        var units = String(decoding: content, as: UTF8.self).utf16.makeIterator()
        while let unit = units.next() {
            write(unit: unit == UInt16(Byte.backslash) ? Self.escapedUnit(&units) : unit)
        }
        output.append(Byte.quote)
    }

    /// The UTF-16 unit that an escape stands for; `units` is past its backslash.
    private static func escapedUnit(_ units: inout String.UTF16View.Iterator) -> UInt16 {
        guard let kind = units.next() else { return UInt16(Byte.backslash) }
        switch UInt8(truncatingIfNeeded: kind) {
        case UInt8(ascii: "b"): return 0x08
        case UInt8(ascii: "t"): return 0x09
        case UInt8(ascii: "n"): return 0x0A
        case UInt8(ascii: "f"): return 0x0C
        case UInt8(ascii: "r"): return 0x0D
        case Byte.smallU:
            return (0..<4).reduce(0) { value, _ in
                let digit = units.next().flatMap { Byte.hexValue(UInt8(truncatingIfNeeded: $0)) }
                return value << 4 | UInt16(digit ?? 0)
            }
        default: return kind
        }
    }

    private mutating func write(unit: UInt16) {
        switch unit {
        case UInt16(Byte.quote), UInt16(Byte.backslash): output += [Byte.backslash, UInt8(unit)]
        case 0x20...0x7E: output.append(UInt8(unit))
        case 0x08: output += [Byte.backslash, UInt8(ascii: "b")]
        case 0x09: output += [Byte.backslash, UInt8(ascii: "t")]
        case 0x0A: output += [Byte.backslash, UInt8(ascii: "n")]
        case 0x0C: output += [Byte.backslash, UInt8(ascii: "f")]
        case 0x0D: output += [Byte.backslash, UInt8(ascii: "r")]
        default:
            output += [Byte.backslash, Byte.smallU]
            output += stride(from: 12, through: 0, by: -4).map { Self.hexDigits[Int(unit >> UInt16($0) & 15)] }
        }
    }

    private static let constants = ["NaN", "Infinity", "-Infinity"].map { Array($0.utf8) }
    private static let comma = Array(", ".utf8)
    private static let colon = Array(": ".utf8)
    private static let hexDigits = Array("0123456789abcdef".utf8)
}
