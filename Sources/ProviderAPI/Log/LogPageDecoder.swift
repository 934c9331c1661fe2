/// Reads a logs answer, a list of entries that stands alone or inside an object, in one pass over its bytes.
struct LogPageDecoder: Sendable {
    /// Why a whole answer cannot be used.
    enum Fault: Error, Equatable {
        case syntax(JSONSyntaxError)
        /// The answer is JSON, but holds no list under any of ``FieldNames/entries``.
        case noList
    }

    struct Page: Equatable {
        var items: LogPage.Items
        /// The link in the answer; nil when absent, null, false or empty.
        var next: String?
        /// The field that gives a next page, but not as a string that can be an address; nil when ``next`` has one, and
        /// without such a field.
        var badNext: String?
        /// How many entries the whole log has; nil when the answer does not say.
        var count: Int?
    }

    /// Names for the number of entries in the whole log, beside the list, as Django's pages have them.
    private static let countNames: Set = ["count", "total", "total_count"]

    private let fields: FieldNames
    private let entryDecoder: LogEntryDecoder

    init(fields: FieldNames) {
        self.fields = fields
        entryDecoder = LogEntryDecoder(fields)
    }

    /// Reads a whole answer. Entries that cannot be understood are items of the page, not faults. Nor is a value of the
    /// envelope that is not JSON, as long as the text around it is: a fault is that the structure is lost.
    func page(_ bytes: [UInt8]) throws(Fault) -> Page {
        var scanner = JSONScanner(bytes)
        var envelope = Envelope()
        do throws(JSONSyntaxError) {
            switch scanner.peek() {
            case Byte.openBracket: envelope.lists[0] = try LogPage.Items(from: &scanner, entryDecoder)
            case Byte.openBrace: try readObject(&scanner, path: "", into: &envelope)
            default: _ = try scanner.value()
            }
            try scanner.end()
        } catch {
            throw .syntax(error)
        }
        guard let items = envelope.lists.min(by: { $0.key < $1.key })?.value else { throw .noList }
        let links = envelope.next.sorted { $0.key < $1.key }
        let next = links.lazy.compactMap { if case .text(let text) = $0.value { text } else { nil } }.first
        let bad = links.first { if case .unusable = $0.value { true } else { false } }
        return Page(
            items: items, next: next, badNext: next == nil ? bad.map { fields.next[$0.key] } : nil,
            count: envelope.count)
    }

    /// What the answer holds, by the rank of its name in the configured list.
    private struct Envelope {
        var lists: [Int: LogPage.Items] = [:]
        var next: [Int: Next] = [:]
        var count: Int?
    }

    private enum Next {
        case none
        case text(String)
        case unusable
    }

    /// Descends only where a configured name leads, so the configuration bounds the depth.
    ///
    /// - Parameter path: the dotted path to this object with a dot at its end; empty for the answer itself.
    private func readObject(
        _ scanner: inout JSONScanner, path: String, into envelope: inout Envelope
    ) throws(JSONSyntaxError) {
        try scanner.enter()
        while let key = try scanner.nextKey() {
            let name = path + JSONText.decode(scanner.bytes[key], limit: 200)
            let first = scanner.peek()
            if let rank = fields.entries.firstIndex(of: name), first == Byte.openBracket {
                envelope.lists[rank] = try LogPage.Items(from: &scanner, entryDecoder)
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
        let (range, fault) = try scanner.anyValue()
        let token = scanner.bytes[range]
        if let rank = fields.next.firstIndex(of: name) {
            envelope.next[rank] = fault == nil ? Self.next(token) : .unusable
        }
        if Self.countNames.contains(name), fault == nil { envelope.count = Int(String(decoding: token, as: UTF8.self)) }
        // Some servers write null for an empty list.
        if let rank = fields.entries.firstIndex(of: name), fault == nil, token.first == Byte.smallN {
            envelope.lists[rank] = LogPage.Items([])
        }
    }

    private func leadsOn(_ name: String) -> Bool {
        (fields.entries + fields.next).contains { $0.hasPrefix(name + ".") }
    }

    private static func next(_ token: ArraySlice<UInt8>) -> Next {
        if token.first == Byte.smallN || token.first == Byte.smallF { return .none }
        guard token.count <= NextPage.limit, let text = JSONText.string(token) else { return .unusable }
        return text.isEmpty ? .none : .text(text)
    }
}
