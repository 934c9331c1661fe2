/// Walks a JSON text once, checks it strictly and says where each value begins and ends.
///
/// Builds and converts nothing, so a body can be passed on byte for byte: numbers like `1.0` or `1e400`, repeated keys,
/// escapes and inner whitespace survive. Accepts RFC 8259 in valid UTF-8, and with it numbers of any size and lone
/// surrogate escapes. Keeps its own stack: hostile nesting costs one byte per level and never the program's stack.
struct JSONScanner {
    /// Deepest nesting accepted. SQLite's JSON functions, which on-call uses on bodies, stop at 1000.
    static let depthLimit = 512

    /// A place to which ``rewind(to:)`` returns.
    struct Mark {
        fileprivate let position: Int
        fileprivate let depth: Int
    }

    private enum Container: UInt8 {
        case newObject, object, newArray, array
    }

    let bytes: [UInt8]
    var position = 0
    private var open: [Container] = []
    private var key = 0..<0

    /// Begins before the first value. A byte order mark, which some servers send although RFC 8259, 8.1, tells them not
    /// to, is passed over.
    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        if bytes.starts(with: Byte.orderMark) { position = Byte.orderMark.count }
    }

    /// Begins in the middle of a text, before a value that is known to stand there.
    init(_ bytes: [UInt8], at position: Int) {
        self.bytes = bytes
        self.position = position
    }

    /// The current place.
    var mark: Mark { Mark(position: position, depth: open.count) }

    /// Goes back to a mark. The containers around it must still be the ones in which it was taken.
    mutating func rewind(to mark: Mark) {
        position = mark.position
        open.removeLast(open.count - mark.depth)
    }

    /// Passes over whitespace and returns the first byte of the next token; nil at the end of the text.
    mutating func peek() -> UInt8? {
        skipWhitespace()
        return position < bytes.count ? bytes[position] : nil
    }

    /// Passes over one value and returns its range without the whitespace around it.
    ///
    /// - Throws: `tooDeep` for nesting below ``depthLimit``, the containers around the value included.
    mutating func value() throws(JSONSyntaxError) -> Range<Int> {
        skipWhitespace()
        let start = position
        let floor = open.count
        repeat {
            try beginValue()
            while open.count > floor, try !advance() {}
        } while open.count > floor
        return start..<position
    }

    /// Enters an object or array; the next token must be its opening bracket.
    mutating func enter() throws(JSONSyntaxError) {
        skipWhitespace()
        guard position < bytes.count else { throw error(.unexpectedEnd) }
        guard bytes[position] == Byte.openBrace || bytes[position] == Byte.openBracket else {
            throw error(.unexpectedByte)
        }
        try beginValue()
    }

    /// The next key of the entered object as the range between its quotes, escapes not decoded; nil when the object has
    /// ended. The caller reads the value behind the key before it asks for the next one.
    mutating func nextKey() throws(JSONSyntaxError) -> Range<Int>? {
        try advance() ? key : nil
    }

    /// Moves to the next element of the entered array, which the caller reads; false when the array has ended.
    mutating func nextElement() throws(JSONSyntaxError) -> Bool {
        try advance()
    }

    /// Passes over whitespace to the end of the text.
    ///
    /// - Throws: `trailingText` when anything else follows the value.
    mutating func end() throws(JSONSyntaxError) {
        skipWhitespace()
        guard position == bytes.count else { throw error(.trailingText) }
    }

    /// The problem with the current position as its place.
    func error(_ problem: JSONSyntaxError.Problem) -> JSONSyntaxError {
        JSONSyntaxError(problem: problem, offset: position)
    }

    private mutating func skipWhitespace() {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x0A, 0x0D, 0x09: position &+= 1
            default: return
            }
        }
    }

    /// Passes over a whole scalar, or over the opening bracket of a container.
    private mutating func beginValue() throws(JSONSyntaxError) {
        guard position < bytes.count else { throw error(.unexpectedEnd) }
        switch bytes[position] {
        case Byte.quote: try skipString()
        case Byte.openBrace: try push(.newObject)
        case Byte.openBracket: try push(.newArray)
        case Byte.minus, Byte.zero...Byte.nine: try skipNumber()
        case Byte.smallT: try skipLiteral("true")
        case Byte.smallF: try skipLiteral("false")
        case Byte.smallN: try skipLiteral("null")
        default: throw error(.unexpectedByte)
        }
    }

    private mutating func push(_ container: Container) throws(JSONSyntaxError) {
        guard open.count < Self.depthLimit else { throw error(.tooDeep) }
        open.append(container)
        position &+= 1
    }

    /// Moves to the next value of the innermost container and, in an object, over its key. Leaves the container and
    /// returns false at its end.
    private mutating func advance() throws(JSONSyntaxError) -> Bool {
        skipWhitespace()
        guard position < bytes.count else { throw error(.unexpectedEnd) }
        let top = open.count - 1
        let container = open[top]
        let byte = bytes[position]
        let isObject = container == .newObject || container == .object
        if byte == (isObject ? Byte.closeBrace : Byte.closeBracket) {
            position &+= 1
            open.removeLast()
            return false
        }
        switch container {
        case .newObject: open[top] = .object
        case .newArray: open[top] = .array
        case .object, .array:
            guard byte == Byte.comma else { throw error(.unexpectedByte) }
            position &+= 1
            skipWhitespace()
        }
        if isObject { try readKey() }
        return true
    }

    private mutating func readKey() throws(JSONSyntaxError) {
        guard position < bytes.count else { throw error(.unexpectedEnd) }
        guard bytes[position] == Byte.quote else { throw error(.unexpectedByte) }
        let start = position
        try skipString()
        key = (start + 1)..<(position - 1)
        skipWhitespace()
        guard position < bytes.count else { throw error(.unexpectedEnd) }
        guard bytes[position] == Byte.colon else { throw error(.unexpectedByte) }
        position &+= 1
        skipWhitespace()
    }
}
