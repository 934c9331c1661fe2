/// SplitMix64. The same seed and stream name give the same values on every machine, so a run can be repeated.
///
/// Each use has its own stream, so that one more value drawn in one place does not change all the others.
struct SeededGenerator: RandomNumberGenerator, Sendable {
    private var state: UInt64

    init(seed: UInt64, stream: String) {
        var mixed: UInt64 = seed ^ 0xcbf2_9ce4_8422_2325
        for byte in stream.utf8 {
            mixed = (mixed ^ UInt64(byte)) &* 0x0000_0100_0000_01b3
        }
        self.state = mixed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        return Self.mix(state)
    }

    /// The last step of SplitMix64, which alone is a hash that spreads neighbouring numbers.
    static func mix(_ value: UInt64) -> UInt64 {
        var mixed = value
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }

    /// True with the given probability from 0 to 1.
    mutating func chance(_ probability: Double) -> Bool {
        Double.random(in: 0..<1, using: &self) < probability
    }

    /// A version 4 UUID in lower case.
    mutating func uuid() -> String {
        let digits = Array(hex(bytes: 16).utf8)
        var text = ""
        for (index, digit) in digits.enumerated() {
            if [8, 12, 16, 20].contains(index) { text += "-" }
            switch index {
            case 12: text += "4"
            case 16: text += ["8", "9", "a", "b"][Int(digit) % 4]
            default: text.unicodeScalars.append(Unicode.Scalar(digit))
            }
        }
        return text
    }

    /// Random bytes as lower-case hexadecimal digits, two for each byte.
    mutating func hex(bytes: Int) -> String {
        Hex.text(of: (0..<bytes).map { _ in UInt8.random(in: 0...255, using: &self) })
    }
}

/// Hexadecimal text for hashes and tokens.
enum Hex {
    /// Two lower-case digits for each byte.
    static func text(of bytes: some Sequence<UInt8>) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
