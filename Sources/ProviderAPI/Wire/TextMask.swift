import Foundation

/// Masks many texts in one pass over an answer.
///
/// Compares bytes: with an accent behind it, a secret is other characters in Swift, but still readable.
struct TextMask {
    /// Texts of up to seven bytes, packed with their length, and all lengths among them.
    private var short: Set<UInt64> = []
    private var shortLengths: Set<Int> = []
    /// Longer texts by their first eight bytes. The longest comes first, because one text may begin like another.
    private var long: [UInt64: [[UInt8]]] = [:]
    /// Whether a text begins with this byte. Most bytes of a long answer need no closer look.
    private var begins = [Bool](repeating: false, count: 256)

    /// Masks each text as it is, as it stands inside JSON strings, and with its accents composed or decomposed. Empty
    /// texts are ignored.
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

    /// The answer with ``Secret/mask`` in place of each text.
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

    /// The length of the text with which `rest` begins; nil when it begins with none.
    private func match(_ rest: ArraySlice<UInt8>, _ lengths: [Int]) -> Int? {
        if rest.count >= 8, let candidates = long[Self.key(rest.prefix(8))],
            let found = candidates.first(where: { rest.starts(with: $0) })
        {
            return found.count
        }
        return lengths.first { $0 <= rest.count && short.contains(Self.key(rest.prefix($0))) }
    }

    /// Up to eight bytes as one number. Fewer than eight carry their length, so that a NUL counts as a byte.
    private static func key(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        bytes.reduce(bytes.count < 8 ? UInt64(bytes.count) : 0) { $0 << 8 | UInt64($1) }
    }

    /// The text itself, and its forms inside a JSON string: as RFC 8259 demands and as Python writes.
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
