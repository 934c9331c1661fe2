/// The JSON cutter: walks a text once, checks it strictly and says where each value begins and ends.
///
/// Values stay the bytes they were: nothing is built, converted or normalised, which is the only way to hand a body
/// on unchanged (numbers like `1.0` or `1e400`, duplicate keys, escapes and inner whitespace survive). Strict RFC 8259
/// with UTF-8 checked; numbers of any size and lone surrogate escapes are accepted, since the grammar allows them.
/// The walk keeps its own stack, so hostile nesting costs one byte a level and never the program's stack.
struct JSONScanner {
    /// Deepest nesting accepted by default. SQLite's JSON functions, which on-call uses on the same bodies, stop at 1000.
    static let depthLimit = 512

    /// A place to return to with ``rewind(to:)``.
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

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    var mark: Mark { Mark(position: position, depth: open.count) }

    /// Only backwards, to a mark taken while the containers around it were the same as now.
    mutating func rewind(to mark: Mark) {
        position = mark.position
        open.removeLast(open.count - mark.depth)
    }

    /// The first byte of the next token; nil at the end of the text.
    mutating func peek() -> UInt8? {
        skipWhitespace()
        return position < bytes.count ? bytes[position] : nil
    }

    /// Passes over one value and returns its range, without surrounding whitespace.
    ///
    /// `depthLimit` counts the containers around the value as well.
    mutating func value(depthLimit: Int = Self.depthLimit) throws(JSONSyntaxError) -> Range<Int> {
        skipWhitespace()
        let start = position
        let floor = open.count
        repeat {
            try beginValue(depthLimit: depthLimit)
            while open.count > floor, try !advance() {}
        } while open.count > floor
        return start..<position
    }

    /// Enters an object or array whose opening bracket is the next token.
    mutating func enter() throws(JSONSyntaxError) {
        skipWhitespace()
        guard position < bytes.count else { throw error(.unexpectedEnd) }
        guard bytes[position] == Byte.openBrace || bytes[position] == Byte.openBracket else {
            throw error(.unexpectedByte)
        }
        try beginValue(depthLimit: Self.depthLimit)
    }

    /// The next key of the entered object, as the range between its quotes, escapes still in place; nil when the
    /// object has ended. The value that follows must be read before the next call.
    mutating func nextKey() throws(JSONSyntaxError) -> Range<Int>? {
        try advance() ? key : nil
    }

    /// Moves to the next element of the entered array; false when the array has ended.
    mutating func nextElement() throws(JSONSyntaxError) -> Bool {
        try advance()
    }

    /// Refuses anything but whitespace after the value.
    mutating func end() throws(JSONSyntaxError) {
        skipWhitespace()
        guard position == bytes.count else { throw error(.trailingText) }
    }

    func error(_ problem: JSONSyntaxError.Problem) -> JSONSyntaxError {
        JSONSyntaxError(problem: problem, offset: position)
    }

    mutating func skipWhitespace() {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x0A, 0x0D, 0x09: position &+= 1
            default: return
            }
        }
    }

    /// Reads a scalar whole, or the opening bracket of a container.
    private mutating func beginValue(depthLimit: Int) throws(JSONSyntaxError) {
        guard position < bytes.count else { throw error(.unexpectedEnd) }
        switch bytes[position] {
        case Byte.quote: try skipString()
        case Byte.openBrace: try push(.newObject, depthLimit: depthLimit)
        case Byte.openBracket: try push(.newArray, depthLimit: depthLimit)
        case Byte.minus, Byte.zero...Byte.nine: try skipNumber()
        case Byte.smallT: try skipLiteral("true")
        case Byte.smallF: try skipLiteral("false")
        case Byte.smallN: try skipLiteral("null")
        default: throw error(.unexpectedByte)
        }
    }

    private mutating func push(_ container: Container, depthLimit: Int) throws(JSONSyntaxError) {
        guard open.count < depthLimit else { throw error(.tooDeep) }
        open.append(container)
        position &+= 1
    }

    /// Moves to the next value of the innermost container, reading its key in an object; false when the container
    /// has ended and was left.
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
