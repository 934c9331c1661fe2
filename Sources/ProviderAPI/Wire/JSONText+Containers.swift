/// Whole objects and arrays, for small answers and for files that people write.
extension JSONText {
    /// The members of the object that is the whole of `bytes`, in order, repeated keys included; nil for any other value.
    static func members(of bytes: [UInt8]) throws(JSONSyntaxError) -> [(name: String, value: [UInt8])]? {
        var scanner = JSONScanner(bytes)
        guard scanner.peek() == Byte.openBrace else { return try whole(bytes) }
        var members: [(name: String, value: [UInt8])] = []
        try scanner.enter()
        while let key = try scanner.nextKey() {
            let name = decode(bytes[key])
            members.append((name, Array(bytes[try scanner.value()])))
        }
        try scanner.end()
        return members
    }

    /// The elements of the array that is the whole of `bytes`; nil for any other value.
    static func elements(of bytes: [UInt8]) throws(JSONSyntaxError) -> [[UInt8]]? {
        var scanner = JSONScanner(bytes)
        guard scanner.peek() == Byte.openBracket else { return try whole(bytes) }
        var elements: [[UInt8]] = []
        try scanner.enter()
        while try scanner.nextElement() { elements.append(Array(bytes[try scanner.value()])) }
        try scanner.end()
        return elements
    }

    /// nil for the container that was asked for: `bytes` is another value, but one value.
    private static func whole<Container>(_ bytes: [UInt8]) throws(JSONSyntaxError) -> Container? {
        var scanner = JSONScanner(bytes)
        _ = try scanner.value()
        try scanner.end()
        return nil
    }
}
