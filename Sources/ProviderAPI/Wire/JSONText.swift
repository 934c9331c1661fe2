/// Turns JSON strings into Swift strings and back.
enum JSONText {
    /// The text of a string token's content, the bytes between its quotes. A lone surrogate escape becomes U+FFFD,
    /// because a Swift string cannot hold one.
    ///
    /// - Parameter limit: at most so many Unicode scalars are decoded; the rest is cut off.
    static func decode(_ content: ArraySlice<UInt8>, limit: Int = .max) -> String {
        guard content.contains(Byte.backslash) || content.count > limit else {
            return String(decoding: content, as: UTF8.self)
        }
        var scalars = String.UnicodeScalarView()
        var rest = content
        var count = 0
        while count < limit, let scalar = nextScalar(of: &rest) {
            scalars.append(scalar)
            count += 1
        }
        return String(scalars)
    }

    /// A string token for `text`, quotes included. Escapes only what RFC 8259 demands.
    static func quoted(_ text: String) -> [UInt8] {
        var token = [Byte.quote]
        for byte in text.utf8 {
            switch byte {
            case Byte.quote, Byte.backslash: token += [Byte.backslash, byte]
            case 0..<0x20: token += Array("\\u00".utf8) + [hexByte(byte >> 4), hexByte(byte & 15)]
            default: token.append(byte)
            }
        }
        token.append(Byte.quote)
        return token
    }

    /// The text of a string token, its quotes included; nil for any other token.
    static func string(_ token: ArraySlice<UInt8>, limit: Int = .max) -> String? {
        guard token.first == Byte.quote else { return nil }
        return decode(token.dropFirst().dropLast(), limit: limit)
    }

    private static func hexByte(_ nibble: UInt8) -> UInt8 {
        nibble < 10 ? Byte.zero + nibble : UInt8(ascii: "a") + nibble - 10
    }

    private static func nextScalar(of rest: inout ArraySlice<UInt8>) -> Unicode.Scalar? {
        guard let first = rest.first else { return nil }
        guard first == Byte.backslash else { return plainScalar(of: &rest) }
        rest = rest.dropFirst()
        guard let kind = rest.popFirst() else { return "\u{FFFD}" }
        switch kind {
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case Byte.smallU: return escapedScalar(of: &rest)
        default: return Unicode.Scalar(kind)
        }
    }

    private static func plainScalar(of rest: inout ArraySlice<UInt8>) -> Unicode.Scalar {
        var decoder = UTF8()
        var iterator = rest.makeIterator()
        guard case .scalarValue(let scalar) = decoder.decode(&iterator) else {
            rest = rest.dropFirst()
            return "\u{FFFD}"
        }
        rest = rest.dropFirst(UTF8.width(scalar))
        return scalar
    }

    /// Reads the four digits after `\u`, and the escape behind them when the two form a surrogate pair.
    private static func escapedScalar(of rest: inout ArraySlice<UInt8>) -> Unicode.Scalar {
        guard let high = codeUnit(rest) else { return "\u{FFFD}" }
        rest = rest.dropFirst(4)
        if let scalar = Unicode.Scalar(high) { return scalar }
        guard high < 0xDC00, rest.starts(with: [Byte.backslash, Byte.smallU]),
            let low = codeUnit(rest.dropFirst(2)), (0xDC00...0xDFFF).contains(low),
            let scalar = Unicode.Scalar(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00))
        else { return "\u{FFFD}" }
        rest = rest.dropFirst(6)
        return scalar
    }

    private static func codeUnit(_ digits: ArraySlice<UInt8>) -> UInt32? {
        guard digits.count >= 4 else { return nil }
        var unit: UInt32 = 0
        for byte in digits.prefix(4) {
            guard let digit = Byte.hexValue(byte) else { return nil }
            unit = unit << 4 | digit
        }
        return unit
    }
}
