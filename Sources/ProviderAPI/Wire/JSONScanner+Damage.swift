/// Text that is not JSON, whose parts can still be told from one another.
extension JSONScanner {
    /// Passes over one value, sound or not, and returns its range and what is wrong with it.
    ///
    /// - Throws: the fault of the value when not even its end can be found.
    mutating func anyValue() throws(JSONSyntaxError) -> (range: Range<Int>, fault: JSONSyntaxError?) {
        let mark = mark
        do throws(JSONSyntaxError) {
            return (try value(), nil)
        } catch {
            return (try roughValue(from: mark, because: error), error)
        }
    }

    /// Goes back to a mark before a value in which a fault was found, and passes over that value by its quotes and
    /// brackets alone, whatever else stands in it.
    ///
    /// An object or array ends where as many brackets are closed as were opened, of whichever kind. Anything else ends
    /// before the next comma or closing bracket. Needs no memory for the nesting.
    ///
    /// - Throws: the fault when the value is empty, or does not end before the text does.
    mutating func roughValue(from mark: Mark, because fault: JSONSyntaxError) throws(JSONSyntaxError) -> Range<Int> {
        rewind(to: mark)
        let first = peek()
        let start = position
        let isContainer = first == Byte.openBrace || first == Byte.openBracket
        var depth = 0
        loop: while position < bytes.count {
            switch bytes[position] {
            case Byte.quote: skipRoughString()
            case Byte.openBrace, Byte.openBracket:
                depth += 1
                position += 1
            case Byte.closeBrace, Byte.closeBracket:
                guard depth > 0 else { break loop }
                depth -= 1
                position += 1
                if depth == 0, isContainer { return start..<position }
            case Byte.comma where depth == 0: break loop
            default: position += 1
            }
        }
        guard position > start, position < bytes.count else { throw fault }
        // It begins with no blank, so that one byte at least is left.
        var end = position
        while bytes[end - 1] <= 0x20, end > start + 1 { end -= 1 }
        return start..<end
    }

    /// Passes over a string to its closing quote, or to the end of the text.
    private mutating func skipRoughString() {
        position += 1
        while position < bytes.count, bytes[position] != Byte.quote {
            position += bytes[position] == Byte.backslash ? 2 : 1
        }
        position = min(position + 1, bytes.count)
    }
}
