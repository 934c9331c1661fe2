/// The parts of a URL reference as RFC 3986, appendix B, cuts them. nil means that the part is absent.
///
/// By scalar, as every other reader of URLs takes them: a `#` with an accent is one character in Swift.
struct URLReference: Equatable {
    var scheme: String?
    var authority: String?
    var path: String
    var query: String?

    init(_ text: String) {
        var rest = Substring(text).unicodeScalars
        if let hash = rest.firstIndex(of: "#") { rest = rest[..<hash] }
        if let mark = rest.firstIndex(of: "?") {
            query = String(rest[rest.index(after: mark)...])
            rest = rest[..<mark]
        }
        if let colon = rest.firstIndex(of: ":"), Self.isScheme(Substring(rest[..<colon])) {
            scheme = String(rest[..<colon]).lowercased()
            rest = rest[rest.index(after: colon)...]
        }
        if rest.starts(with: "//".unicodeScalars) {
            rest = rest.dropFirst(2)
            let end = rest.firstIndex(of: "/") ?? rest.endIndex
            authority = String(rest[..<end])
            rest = rest[end...]
        }
        path = String(rest)
    }

    private static func isScheme(_ text: Substring) -> Bool {
        guard let first = text.utf8.first, isLetter(first) else { return false }
        return text.utf8.allSatisfy { isLetter($0) || Byte.isDigit($0) || "+-.".utf8.contains($0) }
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    }
}

/// Scheme, host and port: what must be equal for the bearer token to be sent.
struct Origin: Sendable, Hashable, CustomStringConvertible {
    let scheme: String
    /// Lower case.
    let host: String
    let port: Int

    /// nil for anything but http and https, for user information, and for a host or port that cannot be one.
    init?(scheme: String, authority: String) {
        guard let defaultPort = ["http": 80, "https": 443][scheme] else { return nil }
        var host = authority[...]
        var port = defaultPort
        if let colon = authority.lastIndex(of: ":"), !authority[colon...].contains("]") {
            let digits = authority[authority.index(after: colon)...]
            host = authority[..<colon]
            if !digits.isEmpty {
                guard digits.utf8.allSatisfy(Byte.isDigit), let number = Int(digits), (1...65535).contains(number)
                else { return nil }
                port = number
            }
        }
        guard Self.isHost(host) else { return nil }
        self.scheme = scheme
        self.host = host.lowercased()
        self.port = port
    }

    /// Without the port when it is the scheme's own.
    var description: String {
        (scheme == "http" && port == 80) || (scheme == "https" && port == 443)
            ? "\(scheme)://\(host)" : "\(scheme)://\(host):\(port)"
    }

    /// A name, an IPv4 address or a bracketed IPv6 address; internationalised names in their `xn--` form only.
    private static func isHost(_ host: Substring) -> Bool {
        if host.hasPrefix("["), host.hasSuffix("]") {
            let address = host.dropFirst().dropLast()
            return !address.isEmpty && address.utf8.allSatisfy { $0 == Byte.colon || $0 == Byte.dot || isHex($0) }
        }
        return !host.isEmpty
            && host.utf8.allSatisfy { byte in
                Byte.isDigit(byte) || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
                    || "-._".utf8.contains(byte)
            }
    }

    private static func isHex(_ byte: UInt8) -> Bool { JSONText.hexDigit(byte) != nil }
}

/// Where the provider's API begins: an origin and an optional path before `/api/v2`.
struct BaseAddress: Sendable, Equatable {
    let origin: Origin
    /// Empty, or beginning with a slash and not ending in one.
    let pathPrefix: String

    /// nil when `text` is no absolute http or https URL, or has user information, a query or a fragment.
    init?(_ text: String) {
        let reference = URLReference(text)
        guard !text.utf8.contains(UInt8(ascii: "#")), reference.query == nil, let scheme = reference.scheme,
            let authority = reference.authority, let origin = Origin(scheme: scheme, authority: authority)
        else { return nil }
        self.origin = origin
        var path = reference.path
        while path.hasSuffix("/") { path.removeLast() }
        pathPrefix = PercentEncoding.repaired(path)
    }

    /// The absolute URL of an API path, which begins with a slash and is encoded already.
    func url(_ path: String) -> String {
        "\(origin)\(pathPrefix)\(path)"
    }
}

/// Percent-encoding of URL parts (RFC 3986, 2).
enum PercentEncoding {
    /// `text` as one path segment: everything but unreserved characters is encoded, so an id cannot change the path.
    static func segment(_ text: String) -> String {
        encode(text) { byte in isUnreserved(byte) }
    }

    /// Encodes only what must not stand in a path or query at all, and a `%` that begins no escape.
    static func repaired(_ text: String) -> String {
        var escapes = Array(text.utf8)[...]
        return encode(text) { byte in
            escapes = escapes.dropFirst()
            if byte == UInt8(ascii: "%") {
                return escapes.count >= 2 && escapes.prefix(2).allSatisfy { JSONText.hexDigit($0) != nil }
            }
            return byte > 0x20 && byte < 0x7F && !"\"<>\\^`{|}".utf8.contains(byte)
        }
    }

    private static func encode(_ text: String, unless isAllowed: (UInt8) -> Bool) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var encoded: [UInt8] = []
        for byte in text.utf8 {
            encoded += isAllowed(byte) ? [byte] : [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
        }
        return String(decoding: encoded, as: UTF8.self)
    }

    private static func isUnreserved(_ byte: UInt8) -> Bool {
        Byte.isDigit(byte) || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
            || "-._~".utf8.contains(byte)
    }
}
