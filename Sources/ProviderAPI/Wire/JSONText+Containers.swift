/// Whole objects and arrays: small answers, files that people write, and what a call sends.
extension JSONText {
    /// A member of an object: its decoded name and the bytes of its value.
    typealias Member = (name: String, value: [UInt8])

    /// The members of the object `bytes`, in order, repeated keys included; nil when `bytes` is another JSON value.
    static func members(of bytes: [UInt8]) throws(JSONSyntaxError) -> [Member]? {
        var scanner = JSONScanner(bytes)
        guard scanner.peek() == Byte.openBrace else { return try whole(bytes) }
        var members: [Member] = []
        try scanner.enter()
        while let key = try scanner.nextKey() {
            let name = decode(bytes[key])
            members.append((name, Array(bytes[try scanner.value()])))
        }
        try scanner.end()
        return members
    }

    /// The member `name` of the object `bytes`; the last one when the key is repeated. nil when there is none, and when
    /// `bytes` is not a JSON object.
    static func member(_ name: String, of bytes: [UInt8]) -> [UInt8]? {
        (try? members(of: bytes))?.last { $0.name == name }?.value
    }

    /// Whether `bytes` is one JSON value and nothing else.
    static func isValue(_ bytes: [UInt8]) -> Bool {
        var scanner = JSONScanner(bytes)
        do throws(JSONSyntaxError) {
            _ = try scanner.value()
            try scanner.end()
            return true
        } catch {
            return false
        }
    }

    /// The elements of the array `bytes`; nil when `bytes` is another JSON value.
    static func elements(of bytes: [UInt8]) throws(JSONSyntaxError) -> [[UInt8]]? {
        var scanner = JSONScanner(bytes)
        guard scanner.peek() == Byte.openBracket else { return try whole(bytes) }
        var elements: [[UInt8]] = []
        try scanner.enter()
        while try scanner.nextElement() { elements.append(Array(bytes[try scanner.value()])) }
        try scanner.end()
        return elements
    }

    /// Checks that `bytes` is one JSON value, and returns nil in place of the container that was asked for.
    private static func whole<Container>(_ bytes: [UInt8]) throws(JSONSyntaxError) -> Container? {
        var scanner = JSONScanner(bytes)
        _ = try scanner.value()
        try scanner.end()
        return nil
    }

    /// An object of these members, in this order. The values are JSON already and stay the bytes they are.
    static func object(_ members: [Member]) -> [UInt8] {
        var bytes = [Byte.openBrace]
        bytes.reserveCapacity(members.reduce(2) { $0 + $1.name.utf8.count + $1.value.count + 6 })
        for (index, member) in members.enumerated() {
            if index > 0 { bytes += ", ".utf8 }
            bytes += quoted(member.name)
            bytes += ": ".utf8
            bytes += member.value
        }
        bytes.append(Byte.closeBrace)
        return bytes
    }

    /// An object whose values are all strings.
    static func object(ofTexts pairs: [(name: String, value: String)]) -> [UInt8] {
        object(pairs.map { ($0.name, quoted($0.value)) })
    }
}
