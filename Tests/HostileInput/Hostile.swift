package import DeliverySimulation

/// Texts and numbers at which programs fail, and mutations that turn good input into bad. Everything comes from the
/// given generator, so a seed repeats it.
package enum Hostile {
    /// Texts that the provider may send as an event type, an endpoint's name or an error text.
    package static let texts: [String] = [
        "", " ", "\n", "a\nb", "a\r\nb", "\r\u{301}", "\t", "\u{0}", "a\u{0}b", "\u{7}", "\u{8}\u{8}\u{8}", "\u{7F}",
        "\u{1B}[2J\u{1B}[H", "\u{1B}]0;title\u{7}", "\u{1B}[31mred", "\u{1B}(0", "\u{9B}31m", "\u{85}", "\u{90}q\u{9C}",
        "\u{202E}gnp.exe", "\u{2066}x\u{2069}", "\u{200B}", "\u{FEFF}", "\u{2028}", "\u{2029}", "\u{AD}", "\u{E0001}",
        "\"", "\\", "\\\"", "\"\u{301}", ",\u{301}", "a,b", "a\"b\"c", "'", "`", "$(id)", "%s%n", "{}",
        "}\n# TYPE x gauge",
        "redeliver: forged\n2026-01-01T00:00:00+0000 error redeliver: forged", "é", "e\u{301}", "\u{301}",
        "\u{1F469}\u{200D}\u{1F680}",
        "\u{10FFFF}", "\u{FFFD}", "\u{FFFE}", "\u{E000}", "ﷺ", "Z\u{334}\u{321}a\u{338}", "null", "true", "-1", "1e400",
        "../../etc/passwd", "%00", "%2e%2e%2f", "tok-5ecret-1", "b0dy-5ecret-2", "pa55-w0rd-3",
    ]

    /// Numbers at the limits of every type that could hold them and beyond. Some are not JSON.
    static let numbers = [
        "0", "-0", "1", "-1", "9007199254740993", "9223372036854775807", "9223372036854775808", "-9223372036854775809",
        "18446744073709551616", "2147483648", "1e308", "1e309", "1e400", "-1e400", "1e-400", "0.1", "1.0", "1E+2",
        "253402300799999", "253402300800000", "99999999999", "100000000000", "1e15", "1.7976931348623157e308", "01",
        "+1",
        "1.", ".5", "0x10", "NaN", "Infinity", "-Infinity", "1e", "1e+", "--1", "123456789012345678901234567890",
        "1_000",
        "3600", "3601", "0.0001", "86400000", "999999999999999999999999999999", "5e-324",
    ]

    package static func text(_ random: inout SeededGenerator) -> String {
        let first = pick(texts, &random)
        return chance(1, in: 3, &random) ? first + pick(texts, &random) : first
    }

    static func pick<Element>(_ list: [Element], _ random: inout SeededGenerator) -> Element {
        list[Int.random(in: 0..<list.count, using: &random)]
    }

    static func chance(_ wanted: Int, in all: Int, _ random: inout SeededGenerator) -> Bool {
        Int.random(in: 0..<all, using: &random) < wanted
    }
}

/// Mutations of bytes.
extension Hostile {
    /// Changes the bytes in one to four places.
    ///
    /// - Parameter others: good inputs from which pieces are taken.
    static func mutate(_ bytes: inout [UInt8], with others: [[UInt8]], _ random: inout SeededGenerator) {
        for _ in 0..<Int.random(in: 1...4, using: &random) { mutateOnce(&bytes, others, &random) }
    }

    private static func mutateOnce(_ bytes: inout [UInt8], _ others: [[UInt8]], _ random: inout SeededGenerator) {
        let place = Int.random(in: 0...bytes.count, using: &random)
        let end = min(bytes.count, place + Int.random(in: 1...16, using: &random))
        switch Int.random(in: 0..<11, using: &random) {
        case 0 where place < bytes.count: bytes[place] ^= 1 << UInt8.random(in: 0...7, using: &random)
        case 1 where place < bytes.count: bytes[place] = UInt8.random(in: 0...255, using: &random)
        case 2: bytes.removeSubrange(place..<end)
        case 3: bytes.insert(contentsOf: bytes[place..<end], at: place)
        case 4: bytes.removeSubrange(place...)
        case 5: splice(&bytes, at: place, pick(others, &random), &random)
        case 6: bytes.insert(contentsOf: pick(numbers, &random).utf8, at: place)
        case 7: bytes.insert(contentsOf: pick(fragments, &random), at: place)
        case 8: replaceNumber(in: &bytes, from: place, by: Array(pick(numbers, &random).utf8))
        case 9: bytes.insert(contentsOf: text(&random).utf8, at: place)
        default: bytes.insert(pick(signs, &random), at: place)
        }
    }

    /// Invalid UTF-8, cut or lone escapes, byte order marks and other encodings.
    private static let fragments: [[UInt8]] = [
        [0], [0xFF], [0xC0, 0xAF], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xE2, 0x82], [0x80],
        [0xEF, 0xBB, 0xBF],
        [0xFF, 0xFE], [0xFE, 0xFF], [0x0C], [0x0B], [0xC2, 0xA0], Array("\\u0000".utf8), Array("\\ud800".utf8),
        Array("\\udc00\\ud800".utf8), Array("\\u12".utf8), Array("\\x41".utf8), Array("\\".utf8), Array("//".utf8),
        Array("\r\n\r\n".utf8), Array("[[[[[[[[".utf8), Array("]]]]".utf8), Array("\"\"".utf8), Array("{}".utf8),
        Array("\\u0062".utf8), Array("\\ud834\\udd1e".utf8),
    ]
    private static let signs = Array(#"{}[]",:\/?#@%&=+-.;<>*!|' "#.utf8)

    private static func splice(
        _ bytes: inout [UInt8], at place: Int, _ other: [UInt8], _ random: inout SeededGenerator
    ) {
        guard !other.isEmpty else { return }
        let from = Int.random(in: 0..<other.count, using: &random)
        let piece = other[from..<min(other.count, from + Int.random(in: 1...40, using: &random))]
        bytes.replaceSubrange(place..<min(bytes.count, place + (place % 2) * piece.count), with: piece)
    }

    private static func replaceNumber(in bytes: inout [UInt8], from place: Int, by number: [UInt8]) {
        func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
        guard let start = bytes[place...].firstIndex(where: isDigit) else { return }
        let end = bytes[start...].firstIndex { !isDigit($0) } ?? bytes.count
        bytes.replaceSubrange(start..<end, with: number)
    }
}
