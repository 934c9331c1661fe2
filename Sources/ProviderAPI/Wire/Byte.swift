/// The bytes and classes of ASCII that the readers of JSON, addresses, dates and headers have in common.
enum Byte {
    static let quote = UInt8(ascii: "\"")
    static let backslash = UInt8(ascii: "\\")
    static let openBrace = UInt8(ascii: "{")
    static let closeBrace = UInt8(ascii: "}")
    static let openBracket = UInt8(ascii: "[")
    static let closeBracket = UInt8(ascii: "]")
    static let comma = UInt8(ascii: ",")
    static let colon = UInt8(ascii: ":")
    static let minus = UInt8(ascii: "-")
    static let plus = UInt8(ascii: "+")
    static let dot = UInt8(ascii: ".")
    static let zero = UInt8(ascii: "0")
    static let nine = UInt8(ascii: "9")
    static let smallT = UInt8(ascii: "t")
    static let smallF = UInt8(ascii: "f")
    static let smallN = UInt8(ascii: "n")
    static let smallU = UInt8(ascii: "u")
    /// The byte order mark in UTF-8, U+FEFF.
    static let orderMark: [UInt8] = [0xEF, 0xBB, 0xBF]

    static func isDigit(_ byte: UInt8) -> Bool { byte >= zero && byte <= nine }

    /// A to Z in either case.
    static func isLetter(_ byte: UInt8) -> Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) }

    /// What stands between JSON values (RFC 8259, 2).
    static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0A).contains(byte) || byte == 0x0D }

    /// ASCII without spaces and control characters.
    static func isVisible(_ byte: UInt8) -> Bool { byte > 0x20 && byte < 0x7F }

    /// 0 to 15; nil for a byte that is no hexadecimal digit.
    static func hexValue(_ byte: UInt8) -> UInt32? {
        switch byte {
        case zero...nine: UInt32(byte - zero)
        case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt32(byte - UInt8(ascii: "a")) + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt32(byte - UInt8(ascii: "A")) + 10
        default: nil
        }
    }
}

extension FixedWidthInteger {
    /// The number that `text` writes in ASCII digits alone; nil for any other text and for a number that does not fit.
    /// Swift's own `Int("+1")` takes signs, which no port, address or id has.
    package init?(digits text: some StringProtocol) {
        guard text.utf8.allSatisfy(Byte.isDigit) else { return nil }
        self.init(text)
    }
}

extension ArraySlice<UInt8> {
    /// The text without the spaces (U+0020 only) at its ends.
    var trimmingSpaces: ArraySlice<UInt8> {
        var rest = drop { $0 == 0x20 }
        while rest.last == 0x20 { rest.removeLast() }
        return rest
    }

    /// The number that these digits write. The caller makes sure that there are only digits, at most 18.
    var decimalValue: Int { reduce(0) { $0 * 10 + Int($1 - Byte.zero) } }
}
