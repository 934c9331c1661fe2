/// What each field must be, and how its JSON is read and written.
extension EndpointFields {
    /// http or https, with a host and without a fragment. The address itself is not in the fault: it may hold a key.
    static func checked(url: String) throws(Fault) -> String {
        let reference = URLReference(url)
        let host = reference.authority.map { $0.split(separator: "@", omittingEmptySubsequences: false).last ?? "" }
        guard let scheme = reference.scheme, let host, Origin(scheme: scheme, authority: String(host)) != nil,
            url.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }), !url.contains("#")
        else {
            throw Fault(
                "url: expected an absolute http or https address without spaces and fragment, such as "
                    + "https://hooks.example.com/amani; a host with other letters in its xn-- form")
        }
        return url
    }

    static func checked(events: [String]) throws(Fault) -> [String] {
        guard !events.isEmpty else { throw Fault("enabled_events: expected at least one event name") }
        try check(names: events, of: "enabled_events")
        return events
    }

    /// RFC 9110, 5.1 and 5.5: a name is a token; a value is visible ASCII, spaces and tabs.
    static func check(headers: [(name: String, value: String)]) throws(Fault) {
        try check(names: headers.map { $0.name.lowercased() }, of: "custom_headers")
        for header in headers {
            guard header.name.utf8.allSatisfy(isTokenByte) else {
                throw Fault("custom_headers: '\(header.name)' is no name of a header")
            }
            guard header.value.utf8.allSatisfy({ ($0 >= 0x20 && $0 < 0x7F) || $0 == 0x09 }) else {
                throw Fault("custom_headers: the value of \(header.name) holds characters that no header can carry")
            }
        }
    }

    /// No name is empty, holds a control character or stands twice.
    static func check(names: [String], of field: String) throws(Fault) {
        var seen: Set<String> = []
        for name in names {
            guard !name.isEmpty, !name.unicodeScalars.contains(where: { $0.properties.generalCategory == .control })
            else { throw Fault("\(field): a name is empty or holds control characters") }
            guard seen.insert(name).inserted else { throw Fault("\(field): '\(name)' stands there twice") }
        }
    }

    private static func isTokenByte(_ byte: UInt8) -> Bool {
        Byte.isDigit(byte) || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
            || "!#$%&'*+-.^_`|~".utf8.contains(byte)
    }

    // MARK: - JSON

    static func members(of bytes: [UInt8], as field: String) throws(Fault) -> [(name: String, value: [UInt8])] {
        do throws(JSONSyntaxError) {
            if let members = try JSONText.members(of: bytes) { return members }
        } catch {
            throw Fault("\(field) is not JSON: \(error)")
        }
        throw Fault("\(field): expected a JSON object")
    }

    static func text(_ value: [UInt8], of field: String) throws(Fault) -> String {
        guard let text = JSONText.string(value[...]) else { throw Fault("\(field): expected a text") }
        return text
    }

    static func texts(_ value: [UInt8], of field: String) throws(Fault) -> [String] {
        let texts = (try? JSONText.elements(of: value))?.map { JSONText.string($0[...]) }
        guard let texts, !texts.contains(nil) else { throw Fault("\(field): expected a list of names") }
        return texts.compactMap { $0 }
    }

    static func pairs(_ value: [UInt8], of field: String) throws(Fault) -> [(name: String, value: String)] {
        var pairs: [(name: String, value: String)] = []
        for (name, value) in try members(of: value, as: field) {
            guard let text = JSONText.string(value[...]) else { throw Fault("\(field): '\(name)' must have a text") }
            pairs.append((name, text))
        }
        return pairs
    }

    static func object(_ pairs: [(name: String, value: String)]) -> [UInt8] {
        let members = pairs.map { JSONText.quoted($0.name) + Array(": ".utf8) + JSONText.quoted($0.value) }
        return [Byte.openBrace] + Array(members.joined(separator: Array(", ".utf8))) + [Byte.closeBrace]
    }

    static func array(_ texts: [String]) -> [UInt8] {
        let elements = texts.map { JSONText.quoted($0) }
        return [Byte.openBracket] + Array(elements.joined(separator: Array(", ".utf8))) + [Byte.closeBracket]
    }
}
