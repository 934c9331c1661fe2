/// Strings, numbers and the words `true`, `false` and `null`.
extension JSONScanner {
    /// Passes over a string; the current byte is its opening quote.
    mutating func skipString() throws(JSONSyntaxError) {
        position &+= 1
        while position < bytes.count {
            let byte = bytes[position]
            if byte == Byte.quote {
                position &+= 1
                return
            }
            if byte == Byte.backslash {
                try skipEscape()
            } else if byte < 0x20 {
                throw error(.controlCharacter)
            } else if byte < 0x80 {
                position &+= 1
            } else {
                try skipMultibyteCharacter()
            }
        }
        throw error(.unexpectedEnd)
    }

    private mutating func skipEscape() throws(JSONSyntaxError) {
        position &+= 1
        guard position < bytes.count else { throw error(.unexpectedEnd) }
        switch bytes[position] {
        case Byte.quote, Byte.backslash, UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            position &+= 1
        case Byte.smallU:
            for _ in 0..<4 {
                position &+= 1
                guard position < bytes.count else { throw error(.unexpectedEnd) }
                guard Byte.hexValue(bytes[position]) != nil else { throw error(.badEscape) }
            }
            position &+= 1
        default:
            throw error(.badEscape)
        }
    }

    /// Passes over one character of two to four bytes. Accepts the well-formed sequences of Unicode 15, table 3-7, and
    /// so no overlong form, no surrogate and nothing above U+10FFFF.
    private mutating func skipMultibyteCharacter() throws(JSONSyntaxError) {
        let second: ClosedRange<UInt8>
        let length: Int
        switch bytes[position] {
        case 0xC2...0xDF: (length, second) = (2, 0x80...0xBF)
        case 0xE0: (length, second) = (3, 0xA0...0xBF)
        case 0xED: (length, second) = (3, 0x80...0x9F)
        case 0xE1...0xEF: (length, second) = (3, 0x80...0xBF)
        case 0xF0: (length, second) = (4, 0x90...0xBF)
        case 0xF1...0xF3: (length, second) = (4, 0x80...0xBF)
        case 0xF4: (length, second) = (4, 0x80...0x8F)
        default: throw error(.badUTF8)
        }
        guard position + length <= bytes.count, second.contains(bytes[position + 1]) else { throw error(.badUTF8) }
        for index in (position + 2)..<(position + length) where bytes[index] & 0xC0 != 0x80 {
            throw error(.badUTF8)
        }
        position &+= length
    }

    /// Passes over a number of any size; the current byte is its sign or first digit.
    mutating func skipNumber() throws(JSONSyntaxError) {
        if bytes[position] == Byte.minus { position &+= 1 }
        if position < bytes.count, bytes[position] == Byte.zero {
            position &+= 1
        } else {
            try skipDigits()
        }
        if position < bytes.count, bytes[position] == Byte.dot {
            position &+= 1
            try skipDigits()
        }
        if position < bytes.count, bytes[position] | 0x20 == UInt8(ascii: "e") {
            position &+= 1
            if position < bytes.count, bytes[position] == Byte.plus || bytes[position] == Byte.minus {
                position &+= 1
            }
            try skipDigits()
        }
    }

    private mutating func skipDigits() throws(JSONSyntaxError) {
        let start = position
        while position < bytes.count, Byte.isDigit(bytes[position]) { position &+= 1 }
        guard position > start else { throw error(position < bytes.count ? .badNumber : .unexpectedEnd) }
    }

    /// Passes over exactly the bytes of `literal`.
    mutating func skipLiteral(_ literal: StaticString) throws(JSONSyntaxError) {
        for index in 0..<literal.utf8CodeUnitCount {
            guard position < bytes.count else { throw error(.unexpectedEnd) }
            guard bytes[position] == literal.utf8Start[index] else { throw error(.unexpectedByte) }
            position &+= 1
        }
    }
}
