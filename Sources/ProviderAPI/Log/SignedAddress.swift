/// Addresses that are signed, for a file in a store for example, have another query each time they are made.
package enum SignedAddress {
    /// The JSON without the queries of the addresses in its strings, so that it is the same each time it is read.
    package static func cut(from json: [UInt8]) -> [UInt8] {
        var kept: [UInt8] = []
        kept.reserveCapacity(json.count)
        var (isInString, isAddress, index) = (false, false, 0)
        while index < json.count {
            let byte = json[index]
            if isAddress, byte == UInt8(ascii: "?") {
                index = endOfQuery(in: json, from: index)
                isAddress = false
                continue
            }
            // An address ends there.
            if byte <= 0x20 { isAddress = false }
            if byte == Byte.quote { (isInString, isAddress) = (!isInString, false) }
            if byte == Byte.colon, isInString { isAddress = isAddress || isScheme(json[(index + 1)...]) }
            kept.append(byte)
            index += 1
            // What is escaped is no quote. But it ends an address, as it ends a query.
            if byte == Byte.backslash, index < json.count {
                if json[index] == Byte.quote { isAddress = false }
                kept.append(json[index])
                index += 1
            }
        }
        return kept
    }

    /// Whether `//` follows, with or without escapes.
    private static func isScheme(_ rest: ArraySlice<UInt8>) -> Bool {
        rest.prefix(4).filter { $0 != Byte.backslash }.starts(with: "//".utf8)
    }

    /// A query goes on to a blank or a quote, also to one that is escaped.
    private static func endOfQuery(in json: [UInt8], from start: Int) -> Int {
        var index = start
        while index < json.count, json[index] > 0x20, json[index] != Byte.quote {
            let isEscape = json[index] == Byte.backslash
            if isEscape, index + 1 < json.count, json[index + 1] == Byte.quote { break }
            // What is escaped begins no other escape.
            index += isEscape ? 2 : 1
        }
        return min(index, json.count)
    }
}
