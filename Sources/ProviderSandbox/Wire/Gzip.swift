/// Compresses to gzip (RFC 1952) with the fixed codes of deflate, so that compressed answers need no further package.
struct Gzip {
    private static let window = 32_768
    private static let shortestMatch = 4
    private static let longestMatch = 258

    private var output: [UInt8] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]
    private var held: UInt64 = 0
    private var heldBits: UInt64 = 0

    /// The input as one gzip member.
    static func compress(_ input: [UInt8]) -> [UInt8] {
        var gzip = Gzip()
        gzip.output.reserveCapacity(input.count / 3 + 32)
        gzip.put(0b011, bits: 3)  // last block, fixed codes
        gzip.deflate(input)
        gzip.putSymbol(256)
        gzip.put(0, bits: (8 - gzip.heldBits % 8) % 8)
        gzip.putLittleEndian(checksum(input))
        gzip.putLittleEndian(UInt32(truncatingIfNeeded: input.count))
        return gzip.output
    }

    private mutating func deflate(_ input: [UInt8]) {
        var lastSeen = [Int](repeating: -1, count: 1 << 15)
        var position = 0
        while position < input.count {
            var length = 0
            var distance = 0
            if position + Self.shortestMatch <= input.count {
                let slot = Self.slot(of: input, at: position)
                let candidate = lastSeen[slot]
                lastSeen[slot] = position
                if candidate >= 0, position - candidate <= Self.window {
                    length = Self.matchLength(input, candidate, position)
                    distance = position - candidate
                }
            }
            if length >= Self.shortestMatch {
                putMatch(length: length, distance: distance)
                position += length
            } else {
                putSymbol(Int(input[position]))
                position += 1
            }
        }
    }

    private static func slot(of input: [UInt8], at position: Int) -> Int {
        var word: UInt32 = 0
        for offset in 0..<shortestMatch {
            word = word << 8 | UInt32(input[position + offset])
        }
        return Int((word &* 2_654_435_761) >> 17)
    }

    private static func matchLength(_ input: [UInt8], _ earlier: Int, _ position: Int) -> Int {
        var length = 0
        while length < longestMatch, position + length < input.count,
            input[earlier + length] == input[position + length]
        {
            length += 1
        }
        return length
    }

    // MARK: Codes of RFC 1951, section 3.2.5 and 3.2.6

    private static let lengthBases = [
        3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227,
        258,
    ]
    private static let lengthExtra: [UInt64] = [
        0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0,
    ]

    private mutating func putMatch(length: Int, distance: Int) {
        let code = (Self.lengthBases.firstIndex { $0 > length } ?? Self.lengthBases.count) - 1
        putSymbol(257 + code)
        put(UInt64(length - Self.lengthBases[code]), bits: Self.lengthExtra[code])
        // Distance codes come in pairs. From code 4 on, each pair has one more extra bit.
        var base = 1
        var distanceCode = 0
        while true {
            let extra = distanceCode < 4 ? 0 : distanceCode / 2 - 1
            if distance < base + (1 << extra) {
                put(Self.reversed(UInt64(distanceCode), bits: 5), bits: 5)
                put(UInt64(distance - base), bits: UInt64(extra))
                return
            }
            base += 1 << extra
            distanceCode += 1
        }
    }

    private mutating func putSymbol(_ symbol: Int) {
        switch symbol {
        case ..<144: put(Self.reversed(UInt64(0x30 + symbol), bits: 8), bits: 8)
        case ..<256: put(Self.reversed(UInt64(0x190 + symbol - 144), bits: 9), bits: 9)
        case ..<280: put(Self.reversed(UInt64(symbol - 256), bits: 7), bits: 7)
        default: put(Self.reversed(UInt64(0xc0 + symbol - 280), bits: 8), bits: 8)
        }
    }

    private static func reversed(_ code: UInt64, bits: UInt64) -> UInt64 {
        (0..<bits).reduce(0) { result, bit in result << 1 | (code >> bit & 1) }
    }

    private mutating func put(_ value: UInt64, bits: UInt64) {
        held |= value << heldBits
        heldBits += bits
        while heldBits >= 8 {
            output.append(UInt8(truncatingIfNeeded: held))
            held >>= 8
            heldBits -= 8
        }
    }

    private mutating func putLittleEndian(_ value: UInt32) {
        for shift in [0, 8, 16, 24] as [UInt32] {
            output.append(UInt8(truncatingIfNeeded: value >> shift))
        }
    }

    // MARK: CRC-32

    private static let crcTable: [UInt32] = (0..<256 as Range<UInt32>).map { start in
        (0..<8).reduce(start) { crc, _ in crc & 1 == 1 ? crc >> 1 ^ 0xedb8_8320 : crc >> 1 }
    }

    private static func checksum(_ input: [UInt8]) -> UInt32 {
        ~input.reduce(UInt32.max) { crc, byte in crc >> 8 ^ crcTable[Int(UInt8(truncatingIfNeeded: crc) ^ byte)] }
    }
}
