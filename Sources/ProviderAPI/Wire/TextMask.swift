import Foundation

/// Makes any of many texts unreadable in one pass over an answer, however many there are.
///
/// By bytes: a secret with an accent behind it is other characters in Swift and the same secret to its reader.
struct TextMask {
    /// Texts of up to seven bytes, packed with their length; and the lengths that there are.
    private var short: Set<UInt64> = []
    private var shortLengths: Set<Int> = []
    /// The others by their first eight bytes, the longest first, because one may begin like another.
    private var long: [UInt64: [[UInt8]]] = [:]
    /// Whether any text begins with this byte: most of a long answer need not be looked at any closer.
    private var begins = [Bool](repeating: false, count: 256)

    /// Each is looked for as it is, as it stands inside JSON strings, and in both forms of its accents. Empty ones count
    /// for nothing.
    init(_ texts: some Sequence<String>) {
        var seen: Set<[UInt8]> = []
        for form in texts.lazy.flatMap(Self.forms) where !form.isEmpty && seen.insert(form).inserted {
            begins[Int(form[0])] = true
            if form.count < 8 {
                short.insert(Self.key(form[...]))
                shortLengths.insert(form.count)
            } else {
                long[Self.key(form.prefix(8)), default: []].append(form)
            }
        }
        for key in long.keys { long[key]?.sort { $0.count > $1.count } }
    }

    func applied(to answer: [UInt8]) -> [UInt8] {
        let lengths = shortLengths.sorted(by: >)
        var output: [UInt8] = []
        output.reserveCapacity(answer.count)
        var position = 0
        while position < answer.count {
            if begins[Int(answer[position])], let length = match(answer[position...], lengths) {
                output += Secret.mask.utf8
                position += length
            } else {
                output.append(answer[position])
                position += 1
            }
        }
        return output
    }

    /// How many bytes at the beginning of `rest` are one of the texts; nil: none is.
    private func match(_ rest: ArraySlice<UInt8>, _ lengths: [Int]) -> Int? {
        if rest.count >= 8, let candidates = long[Self.key(rest.prefix(8))],
            let found = candidates.first(where: { rest.starts(with: $0) })
        {
            return found.count
        }
        return lengths.first { $0 <= rest.count && short.contains(Self.key(rest.prefix($0))) }
    }

    /// Up to eight bytes in one number. Shorter ones carry their length, so that a NUL is a byte like any other.
    private static func key(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        bytes.reduce(bytes.count < 8 ? UInt64(bytes.count) : 0) { $0 << 8 | UInt64($1) }
    }

    /// The text, and inside a JSON string as RFC 8259 demands it and as Python writes it.
    private static func forms(of text: String) -> [[UInt8]] {
        let isASCII = text.utf8.allSatisfy { $0 < 0x80 }
        let texts =
            isASCII
            ? [text] : [text, text.precomposedStringWithCanonicalMapping, text.decomposedStringWithCanonicalMapping]
        return texts.flatMap { text in
            let quoted = JSONText.quoted(text)
            let inside = [quoted, PythonJSON.dumps(quoted) ?? quoted].map { Array($0.dropFirst().dropLast()) }
            return [Array(text.utf8)] + inside
        }
    }
}
