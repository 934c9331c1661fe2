/// Reads a logs answer: a list of entries, bare or inside an object, in one pass over its bytes.
struct LogPageDecoder: Sendable {
    /// Why a whole answer cannot be used.
    enum Fault: Error, Equatable {
        case syntax(JSONSyntaxError)
        /// Valid JSON, but no list where ``FieldNames/entries`` says.
        case noList
        /// The next page is given, but not as a string.
        case badNext(field: String)
    }

    struct Page: Equatable {
        var items: [LogPage.Item]
        /// As it stands in the answer; nil when absent, null or empty.
        var next: String?
    }

    private let fields: FieldNames
    private let entryDecoder: LogEntryDecoder

    init(fields: FieldNames) {
        self.fields = fields
        entryDecoder = LogEntryDecoder(fields)
    }

    func page(_ bytes: [UInt8]) throws(Fault) -> Page {
        var scanner = JSONScanner(bytes)
        var envelope = Envelope()
        do throws(JSONSyntaxError) {
            switch scanner.peek() {
            case Byte.openBracket: envelope.lists[0] = try items(&scanner)
            case Byte.openBrace: try readObject(&scanner, path: "", into: &envelope)
            default: _ = try scanner.value()
            }
            try scanner.end()
        } catch {
            throw .syntax(error)
        }
        guard let items = envelope.lists.min(by: { $0.key < $1.key })?.value else { throw .noList }
        return Page(items: items, next: try next(envelope))
    }

    /// What was found on the way through the answer, by rank of its name. An empty next page counts as none.
    private struct Envelope {
        var lists: [Int: [LogPage.Item]] = [:]
        var next: [Int: Next] = [:]
    }

    private enum Next {
        case none
        case text(String)
        case unusable
    }

    /// `path` is the dotted way to this object, ending in a dot. Descends only where a configured name leads, so the
    /// depth is bounded by the configuration.
    private func readObject(
        _ scanner: inout JSONScanner, path: String, into envelope: inout Envelope
    ) throws(JSONSyntaxError) {
        try scanner.enter()
        while let key = try scanner.nextKey() {
            let name = path + JSONText.decode(scanner.bytes[key], limit: 200)
            let first = scanner.peek()
            if let rank = fields.entries.firstIndex(of: name), first == Byte.openBracket {
                envelope.lists[rank] = try items(&scanner)
            } else if first == Byte.openBrace, leadsOn(name) {
                try readObject(&scanner, path: name + ".", into: &envelope)
            } else {
                try readScalar(&scanner, name: name, into: &envelope)
            }
        }
    }

    private func readScalar(
        _ scanner: inout JSONScanner, name: String, into envelope: inout Envelope
    ) throws(JSONSyntaxError) {
        let token = scanner.bytes[try scanner.value(depthLimit: .max)]
        if let rank = fields.next.firstIndex(of: name) { envelope.next[rank] = Self.next(token) }
        // Some servers write an empty list as null.
        if let rank = fields.entries.firstIndex(of: name), token.first == Byte.smallN { envelope.lists[rank] = [] }
    }

    private func leadsOn(_ name: String) -> Bool {
        (fields.entries + fields.next).contains { $0.hasPrefix(name + ".") }
    }

    private func items(_ scanner: inout JSONScanner) throws(JSONSyntaxError) -> [LogPage.Item] {
        var items: [LogPage.Item] = []
        try scanner.enter()
        while try scanner.nextElement() { items.append(try entryDecoder.item(from: &scanner)) }
        return items
    }

    private static func next(_ token: ArraySlice<UInt8>) -> Next {
        if token.first == Byte.smallN || token.first == Byte.smallF { return .none }
        guard let text = JSONText.string(token) else { return .unusable }
        return text.isEmpty ? .none : .text(text)
    }

    private func next(_ envelope: Envelope) throws(Fault) -> String? {
        for (rank, next) in envelope.next.sorted(by: { $0.key < $1.key }) {
            switch next {
            case .none: continue
            case .text(let text): return text
            case .unusable: throw .badNext(field: fields.next[rank])
            }
        }
        return nil
    }
}
