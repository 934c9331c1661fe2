/// Reads `Link` headers (RFC 8288, 3).
enum LinkHeader {
    /// The target of the first link whose relation types include `next`; nil without one. Skips links with an `anchor`,
    /// which are about another resource.
    static func next(in values: [String]) -> String? {
        for value in values {
            var rest = Array(value.utf8)[...]
            while let link = link(&rest) {
                let relations = link.parameters.first { $0.name == "rel" }?.value.lowercased() ?? ""
                let isOther = link.parameters.contains { $0.name == "anchor" }
                if !isOther, relations.split(separator: " ").contains("next") { return link.target }
            }
        }
        return nil
    }

    private struct Link {
        let target: String
        var parameters: [(name: String, value: String)] = []
    }

    /// Reads the next `<target>; name=value; …`; nil at the end of the text and where the text is malformed.
    private static func link(_ rest: inout ArraySlice<UInt8>) -> Link? {
        rest = rest.drop { isBlank($0) || $0 == Byte.comma }
        guard rest.popFirst() == UInt8(ascii: "<"), let end = rest.firstIndex(of: UInt8(ascii: ">")) else { return nil }
        var link = Link(target: String(decoding: rest[..<end], as: UTF8.self))
        rest = rest[(end + 1)...]
        while true {
            rest = rest.drop(while: isBlank)
            guard rest.first == UInt8(ascii: ";") else { break }
            rest = rest.dropFirst().drop(while: isBlank)
            if let parameter = parameter(&rest) { link.parameters.append(parameter) }
        }
        // The rest before the next comma is not a parameter.
        rest = rest.drop { $0 != Byte.comma }
        return link
    }

    private static func parameter(_ rest: inout ArraySlice<UInt8>) -> (name: String, value: String)? {
        let name = rest.prefix { !isBlank($0) && !"=;,".utf8.contains($0) }
        rest = rest.dropFirst(name.count).drop(while: isBlank)
        let lowercased = String(decoding: name, as: UTF8.self).lowercased()
        guard rest.first == UInt8(ascii: "=") else { return name.isEmpty ? nil : (lowercased, "") }
        rest = rest.dropFirst().drop(while: isBlank)
        guard rest.first == Byte.quote else {
            let value = rest.prefix { !isBlank($0) && !";,".utf8.contains($0) }
            rest = rest.dropFirst(value.count)
            return (lowercased, String(decoding: value, as: UTF8.self))
        }
        rest = rest.dropFirst()
        return (lowercased, quotedValue(&rest))
    }

    /// Reads up to the closing quote. Commas and semicolons before it belong to the value.
    private static func quotedValue(_ rest: inout ArraySlice<UInt8>) -> String {
        var value: [UInt8] = []
        while let byte = rest.popFirst(), byte != Byte.quote {
            if byte == Byte.backslash, let escaped = rest.popFirst() {
                value.append(escaped)
            } else {
                value.append(byte)
            }
        }
        return String(decoding: value, as: UTF8.self)
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }
}
