/// A fault of API calls: which calls it strikes, what happens to them and how often.
///
/// Written as `OPERATION[/ENDPOINT_INDEX][#PAGE]:WHAT[:N][@PROBABILITY]`, for example `retry:drop-after:3`.
struct Fault: Sendable, Equatable {
    enum Effect: Sendable, Equatable {
        /// Not executed; answered with this status. `Retry-After` holds seconds, or a date so many seconds ahead.
        case status(Int, retryAfterSeconds: Int?, asDate: Bool)
        /// Not executed; the connection is closed without a byte.
        case dropBefore
        /// Executed; the connection is closed without a byte.
        case dropAfter
        /// Executed; answered with 200 and bytes that are not JSON.
        case garbage
        /// Not executed; answered with 200 and a web page, as a proxy in between might do.
        case html
        /// Executed; the answer ends in the middle of its body.
        case truncate
        /// Executed at once; answered after this time.
        case slow(Duration)
        /// Not executed; answered with 307 and this address.
        case redirect(String)
        /// Executed; answered with 200 and a JSON object of about so many bytes.
        case huge(Int)
        /// Executed; the answer, a page of a log, has one row more, with this fault.
        case row(RowFault)
        /// Executed; answered with 200 and such a page of about so many bytes.
        case page(HostilePage, Int)
        /// Executed; answered in this form.
        case wire(WireForm)

        /// Whether the provider executes the call before the answer goes wrong.
        var executes: Bool {
            switch self {
            case .status, .dropBefore, .html, .redirect: false
            case .dropAfter, .garbage, .truncate, .slow, .huge, .row, .page, .wire: true
            }
        }
    }

    /// nil strikes any operation.
    let operation: Operation?
    /// nil strikes calls of any endpoint and calls without one.
    let endpointIndex: Int?
    /// nil strikes any page of a log; other operations have none.
    let page: Int?
    let effect: Effect
    /// How many more calls it strikes; nil strikes all.
    var remaining: Int?
    /// From 0 to 1; nil strikes always.
    let probability: Double?
    /// The fault as it was written, for the ledger.
    let text: String
}

/// Why a value cannot be read, for the person who wrote it.
struct Unreadable: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}

extension Fault {
    /// Reads a fault in its written form.
    ///
    /// - Throws: `Unreadable` with the part that cannot be understood.
    init(parsing text: String) throws(Unreadable) {
        guard let colon = text.firstIndex(of: ":") else { throw Unreadable("'\(text)' is not OPERATION:WHAT") }
        let (operation, endpointBefore, page) = try Self.target(of: text[..<colon])
        var rest = text[text.index(after: colon)...]
        // A redirect's URL may end with /1, so its endpoint index stands only after the operation.
        let isRedirect = rest.hasPrefix("redirect=")
        let endpointAfter = isRedirect ? nil : Self.cutNumber(after: "/", from: &rest)
        let probability = Self.cutProbability(from: &rest)
        let count = Self.cutNumber(after: ":", from: &rest)
        if let probability, !(0...1).contains(probability) {
            throw Unreadable("'\(text)': a probability is from 0 to 1")
        }
        self.init(
            operation: operation, endpointIndex: endpointBefore ?? endpointAfter, page: page,
            effect: try Self.effect(String(rest)), remaining: count, probability: probability, text: text)
    }

    private static func target(of text: Substring) throws(Unreadable) -> (Operation?, Int?, Int?) {
        var name = text
        let page = cutNumber(after: "#", from: &name)
        let index = cutNumber(after: "/", from: &name)
        if let page, page < 1 || name != "logs" { throw Unreadable("'\(text)': only logs have pages, from 1 on") }
        if name == "any" { return (nil, index, nil) }
        guard let operation = Operation(rawValue: String(name)) else {
            let known = Operation.allCases.map(\.rawValue).joined(separator: ", ")
            throw Unreadable("'\(name)' is not an operation (\(known), any)")
        }
        return (operation, index, page)
    }

    private static func cutNumber(after mark: Character, from text: inout Substring) -> Int? {
        guard let position = text.lastIndex(of: mark), let number = Int(text[text.index(after: position)...]),
            number >= 0
        else { return nil }
        text = text[..<position]
        return number
    }

    private static func cutProbability(from text: inout Substring) -> Double? {
        guard let position = text.lastIndex(of: "@"), let number = Double(text[text.index(after: position)...]) else {
            return nil
        }
        text = text[..<position]
        return number
    }

    private static func effect(_ text: String) throws(Unreadable) -> Effect {
        switch text {
        case "drop-before": return .dropBefore
        case "drop-after": return .dropAfter
        case "garbage": return .garbage
        case "html": return .html
        case "truncate": return .truncate
        default: break
        }
        let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
        guard parts.count == 2 else { throw Unreadable("'\(text)' is not a fault") }
        switch parts[0] {
        case "status": return try status(parts[1])
        case "row": return .row(try word(parts[1]))
        case "wire": return .wire(try word(parts[1]))
        case "slow": return .slow(try Duration(parsing: parts[1]))
        case "redirect": return .redirect(try redirectTarget(parts[1]))
        case "huge": return .huge(try size(parts[1]))
        case "page": return try page(parts[1])
        default: throw Unreadable("'\(parts[0])' is not a fault")
        }
    }

    /// Reads `rows,21000000`.
    private static func page(_ text: String) throws(Unreadable) -> Effect {
        let parts = text.split(separator: ",", maxSplits: 1).map(String.init)
        guard parts.count == 2 else { throw Unreadable("'\(text)' is not KIND,BYTES") }
        return .page(try word(parts[0]), try size(parts[1]))
    }

    private static func size(_ text: String) throws(Unreadable) -> Int {
        guard let size = Int(text), size > 0 else { throw Unreadable("'\(text)' is not a number of bytes") }
        return size
    }

    private static func word<Word: RawRepresentable<String> & CaseIterable>(_ text: String) throws(Unreadable) -> Word {
        guard let word = Word(rawValue: text) else {
            throw Unreadable("'\(text)' is none of \(Word.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        return word
    }

    /// Requires a path: without one, `:8080` at the end could be a port or a count.
    private static func redirectTarget(_ url: String) throws(Unreadable) -> String {
        let parts = url.split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false)
        guard parts.count == 4, parts[0].hasPrefix("http"), !parts[2].isEmpty else {
            throw Unreadable("'\(url)' is not an http URL with a path (write at least http://host:port/)")
        }
        return url
    }

    /// Reads `503`, `429,retry-after=2` or `429,retry-after-date=2`.
    private static func status(_ text: String) throws(Unreadable) -> Effect {
        let parts = text.split(separator: ",", maxSplits: 1).map(String.init)
        guard let first = parts.first, let code = Int(first), (200...599).contains(code) else {
            throw Unreadable("'\(text)' is not a status from 200 to 599")
        }
        guard parts.count == 2 else { return .status(code, retryAfterSeconds: nil, asDate: false) }
        let hint = parts[1].split(separator: "=", maxSplits: 1).map(String.init)
        guard hint.count == 2, ["retry-after", "retry-after-date"].contains(hint[0]), let seconds = Int(hint[1]) else {
            throw Unreadable("'\(parts[1])' is not retry-after=SECONDS or retry-after-date=SECONDS")
        }
        return .status(code, retryAfterSeconds: seconds, asDate: hint[0] == "retry-after-date")
    }
}
