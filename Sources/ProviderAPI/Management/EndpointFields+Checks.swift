/// What each field must be, and how its JSON is read and written.
extension EndpointFields {
    /// Accepts an http or https address with a host and without a fragment. No fault shows it: it may hold a key.
    static func checked(url: String) throws(Fault) -> String {
        guard (try? URLReference(url).origin()) != nil, url.utf8.allSatisfy(Byte.isVisible), !url.contains("#") else {
            throw Fault(
                "url: expected an absolute http or https address without spaces and fragment, such as "
                    + "https://hooks.example.com/amani; a host with other letters in its xn-- form")
        }
        return url
    }

    /// Accepts one name or more; see ``check(names:of:)``.
    static func checked(events: [String]) throws(Fault) -> [String] {
        guard !events.isEmpty else { throw Fault("enabled_events: expected at least one event name") }
        try check(names: events, of: "enabled_events")
        return events
    }

    /// Accepts names that are tokens and values of visible ASCII, spaces and tabs (RFC 9110, 5.1 and 5.5).
    static func check(headers: [(name: String, value: String)]) throws(Fault) {
        try check(names: headers.map { $0.name.lowercased() }, of: "custom_headers")
        for header in headers {
            guard header.name.utf8.allSatisfy(isTokenByte) else {
                throw Fault("custom_headers: '\(header.name)' is not a header's name")
            }
            guard header.value.utf8.allSatisfy({ Byte.isVisible($0) || $0 == 0x20 || $0 == 0x09 }) else {
                throw Fault("custom_headers: the value of \(header.name) holds characters that a header cannot carry")
            }
        }
    }

    /// Refuses a name that is empty, holds a control character or appears twice.
    static func check(names: [String], of field: String) throws(Fault) {
        var seen: Set<String> = []
        for name in names {
            guard !name.isEmpty, !name.unicodeScalars.contains(where: \.isControl) else {
                throw Fault("\(field): a name is empty or holds control characters")
            }
            guard seen.insert(name).inserted else { throw Fault("\(field): '\(name)' appears twice") }
        }
    }

    private static func isTokenByte(_ byte: UInt8) -> Bool {
        Byte.isDigit(byte) || Byte.isLetter(byte) || "!#$%&'*+-.^_`|~".utf8.contains(byte)
    }

    // MARK: - JSON

    /// The members of an object. A fault names it by `field`.
    static func members(of bytes: [UInt8], as field: String) throws(Fault) -> [JSONText.Member] {
        do throws(JSONSyntaxError) {
            if let members = try JSONText.members(of: bytes) { return members }
        } catch {
            throw Fault("\(field) is not JSON: \(error)")
        }
        throw Fault("\(field): expected a JSON object")
    }

    /// The text of a JSON string.
    static func text(_ value: [UInt8], of field: String) throws(Fault) -> String {
        guard let text = JSONText.string(value[...]) else { throw Fault("\(field): expected a text") }
        return text
    }

    /// The texts of an array of JSON strings.
    static func texts(_ value: [UInt8], of field: String) throws(Fault) -> [String] {
        let texts = (try? JSONText.elements(of: value))?.map { JSONText.string($0[...]) }
        guard let texts, !texts.contains(nil) else { throw Fault("\(field): expected a list of names") }
        return texts.compactMap { $0 }
    }

    /// The members of an object whose values are all strings.
    static func pairs(_ value: [UInt8], of field: String) throws(Fault) -> [(name: String, value: String)] {
        var pairs: [(name: String, value: String)] = []
        for (name, value) in try members(of: value, as: field) {
            guard let text = JSONText.string(value[...]) else { throw Fault("\(field): '\(name)' must have a text") }
            pairs.append((name, text))
        }
        return pairs
    }

    /// A JSON array of these texts.
    static func array(_ texts: [String]) -> [UInt8] {
        let elements = texts.map { JSONText.quoted($0) }
        return [Byte.openBracket] + Array(elements.joined(separator: Array(", ".utf8))) + [Byte.closeBracket]
    }
}
