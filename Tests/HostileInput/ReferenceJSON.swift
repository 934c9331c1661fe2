/// A second reader of RFC 8259, written from the grammar and independent of the product's. It builds a tree, and keeps
/// its own stack.
package struct ReferenceJSON {
    package enum Kind: Equatable {
        case object, array, string, number, word
    }

    package struct Node {
        package let kind: Kind
        /// The bytes of the value within the whole text.
        package fileprivate(set) var range: Range<Int>
        /// The decoded keys of an object; empty for other values.
        package fileprivate(set) var keys: [String] = []
        /// The indexes of the children in `nodes`.
        package fileprivate(set) var children: [Int] = []
    }

    package private(set) var nodes: [Node] = []
    /// The deepest nesting of containers; 0 for a lone scalar.
    package private(set) var depth = 0
    private let bytes: [UInt8]
    private var position = 0

    private enum Expected {
        case value, valueOrEnd, keyOrEnd, key, separatorOrEnd
    }

    private struct Invalid: Error {}

    /// Reads a text; nil when it is not one JSON value in UTF-8. A byte order mark before it is passed over.
    package init?(_ bytes: [UInt8]) {
        self.bytes = bytes
        position = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
        guard (try? read()) != nil else { return nil }
    }

    package var root: Node { nodes[0] }

    /// The last member of that name; nil when there is none or `node` is not an object.
    package func member(_ name: String, of node: Node) -> Node? {
        node.keys.lastIndex { Array($0.utf8) == Array(name.utf8) }.map { nodes[node.children[$0]] }
    }

    package func text(of node: Node) -> [UInt8] { Array(bytes[node.range]) }

    /// The decoded text of a string; nil for other values.
    package func string(_ node: Node) -> String? {
        node.kind == .string ? decoded((node.range.lowerBound + 1)..<(node.range.upperBound - 1)) : nil
    }

    private mutating func read() throws(Invalid) {
        var open: [Int] = []
        var expected = Expected.value
        repeat {
            skipBlanks()
            switch (expected, position < bytes.count ? bytes[position] : nil) {
            case (_, nil): throw Invalid()
            case (.valueOrEnd, UInt8(ascii: "]")), (.keyOrEnd, UInt8(ascii: "}")): try close(&open, &expected)
            case (.separatorOrEnd, UInt8(ascii: ",")):
                position += 1
                expected = nodes[open[open.count - 1]].kind == .object ? .key : .value
            case (.separatorOrEnd, _): try close(&open, &expected)
            case (.key, _), (.keyOrEnd, _):
                let key = try string()
                nodes[open[open.count - 1]].keys.append(decoded((key.lowerBound + 1)..<(key.upperBound - 1)))
                skipBlanks()
                guard position < bytes.count, bytes[position] == UInt8(ascii: ":") else { throw Invalid() }
                position += 1
                expected = .value
            case (.value, _), (.valueOrEnd, _): try begin(&open, &expected)
            }
        } while !open.isEmpty
        skipBlanks()
        guard position == bytes.count else { throw Invalid() }
    }

    private mutating func begin(_ open: inout [Int], _ expected: inout Expected) throws(Invalid) {
        let start = position
        let place = nodes.count
        if let parent = open.last { nodes[parent].children.append(place) }
        switch bytes[position] {
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            let isObject = bytes[position] == UInt8(ascii: "{")
            position += 1
            nodes.append(Node(kind: isObject ? .object : .array, range: start..<position))
            open.append(place)
            depth = max(depth, open.count)
            expected = isObject ? .keyOrEnd : .valueOrEnd
        case UInt8(ascii: "\""):
            nodes.append(Node(kind: .string, range: try string()))
            expected = .separatorOrEnd
        case UInt8(ascii: "t"), UInt8(ascii: "f"), UInt8(ascii: "n"):
            guard let word = ["true", "false", "null"].first(where: { bytes[position...].starts(with: $0.utf8) }) else {
                throw Invalid()
            }
            position += word.utf8.count
            nodes.append(Node(kind: .word, range: start..<position))
            expected = .separatorOrEnd
        default:
            try number()
            nodes.append(Node(kind: .number, range: start..<position))
            expected = .separatorOrEnd
        }
    }

    private mutating func close(_ open: inout [Int], _ expected: inout Expected) throws(Invalid) {
        guard let number = open.popLast() else { throw Invalid() }
        let end = nodes[number].kind == .object ? UInt8(ascii: "}") : UInt8(ascii: "]")
        guard bytes[position] == end else { throw Invalid() }
        position += 1
        nodes[number].range = nodes[number].range.lowerBound..<position
        expected = .separatorOrEnd
    }

    private mutating func skipBlanks() {
        while position < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[position]) { position += 1 }
    }

    /// `-? (0 | [1-9][0-9]*) ('.' [0-9]+)? ([eE] [+-]? [0-9]+)?`
    private mutating func number() throws(Invalid) {
        func next() -> UInt8 { position < bytes.count ? bytes[position] : 0 }
        func isDigit() -> Bool { next() >= 0x30 && next() <= 0x39 }
        func digits() throws(Invalid) {
            guard isDigit() else { throw Invalid() }
            while isDigit() { position += 1 }
        }
        if next() == UInt8(ascii: "-") { position += 1 }
        if next() == UInt8(ascii: "0") { position += 1 } else { try digits() }
        if next() == UInt8(ascii: ".") {
            position += 1
            try digits()
        }
        if next() == UInt8(ascii: "e") || next() == UInt8(ascii: "E") {
            position += 1
            if next() == UInt8(ascii: "+") || next() == UInt8(ascii: "-") { position += 1 }
            try digits()
        }
    }

    private mutating func string() throws(Invalid) -> Range<Int> {
        let start = position
        guard bytes[position] == UInt8(ascii: "\"") else { throw Invalid() }
        position += 1
        while position < bytes.count, bytes[position] != UInt8(ascii: "\"") {
            guard bytes[position] >= 0x20 else { throw Invalid() }
            if bytes[position] == UInt8(ascii: "\\") {
                position += 1
                guard position < bytes.count, "\"\\/bfnrtu".utf8.contains(bytes[position]) else { throw Invalid() }
                if bytes[position] == UInt8(ascii: "u") {
                    let digits = bytes[(position + 1)...].prefix(4)
                    guard digits.count == 4, digits.allSatisfy({ "0123456789abcdefABCDEF".utf8.contains($0) }) else {
                        throw Invalid()
                    }
                }
            }
            position += 1
        }
        guard position < bytes.count else { throw Invalid() }
        position += 1
        guard String(validating: bytes[start..<position], as: UTF8.self) != nil else { throw Invalid() }
        return start..<position
    }

    private func decoded(_ content: Range<Int>) -> String {
        guard bytes[content].contains(UInt8(ascii: "\\")) else {
            return String(decoding: bytes[content], as: UTF8.self)
        }
        var units: [UInt16] = []
        var rest = Array(String(decoding: bytes[content], as: UTF8.self).utf16)[...]
        let plain: [UInt16: UInt16] = [0x62: 8, 0x66: 12, 0x6E: 10, 0x72: 13, 0x74: 9]
        while let unit = rest.popFirst() {
            guard unit == 0x5C, let kind = rest.popFirst() else {
                units.append(unit)
                continue
            }
            if kind == 0x75 {
                units.append(UInt16(String(decoding: rest.prefix(4), as: UTF16.self), radix: 16) ?? 0)
                rest = rest.dropFirst(4)
            } else {
                units.append(plain[kind] ?? kind)
            }
        }
        return String(decoding: units, as: UTF16.self)
    }
}
