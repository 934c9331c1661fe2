/// The parts of a URL reference (RFC 3986, appendix B); nil means that the part is absent. A fragment is dropped.
///
/// Cuts by Unicode scalar, as other readers of URLs do. In Swift, a `#` with an accent is one other character.
struct URLReference: Equatable {
    /// Lower case.
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

    /// Resolves `.` and `..` segments (RFC 3986, 5.2.4), never above the root.
    static func withoutDots(_ path: String) -> String {
        var kept: [Substring] = []
        let segments = path.split(separator: "/", omittingEmptySubsequences: false)
        for (index, segment) in segments.enumerated() {
            let isLast = index == segments.count - 1
            switch segment {
            case ".": if isLast { kept.append("") }
            case "..":
                if kept.count > 1 { kept.removeLast() }
                if isLast { kept.append("") }
            default: kept.append(segment)
            }
        }
        return kept.joined(separator: "/")
    }

    /// Where the address leads, whatever user information it holds.
    ///
    /// - Throws: ``AddressFault/notAbsolute`` or ``AddressFault/badPort``.
    func origin() throws(AddressFault) -> Origin {
        guard let scheme, let authority else { throw .notAbsolute }
        let hostAndPort = authority.split(separator: "@", omittingEmptySubsequences: false).last ?? ""
        return try Origin(scheme: scheme, authority: String(hostAndPort))
    }

    private static func isScheme(_ text: Substring) -> Bool {
        guard let first = text.utf8.first, Byte.isLetter(first) else { return false }
        return text.utf8.allSatisfy { Byte.isLetter($0) || Byte.isDigit($0) || "+-.".utf8.contains($0) }
    }
}

/// Why a text cannot be the address of a server.
package enum AddressFault: Error, Sendable {
    /// No absolute http or https address, or one with a host or characters that no request can use.
    case notAbsolute
    /// The port is outside 1 to 65535.
    case badPort
    case holdsUser
    case holdsQueryOrFragment
}

/// Scheme, host and port. The bearer token is sent only where all three equal those of `base_url`.
struct Origin: Sendable, Hashable, CustomStringConvertible {
    /// `http` or `https`.
    let scheme: String
    /// Lower case; an IPv6 address in brackets.
    let host: String
    let port: Int

    /// - Throws: ``AddressFault/notAbsolute`` for another scheme, for user information and for a host that cannot be
    ///   one; ``AddressFault/badPort``.
    init(scheme: String, authority: String) throws(AddressFault) {
        guard let defaultPort = ["http": 80, "https": 443][scheme] else { throw .notAbsolute }
        var host = authority[...]
        var digits = Substring()
        if let colon = authority.lastIndex(of: ":"), !authority[colon...].contains("]") {
            digits = authority[authority.index(after: colon)...]
            host = authority[..<colon]
        }
        guard Self.isHost(host), digits.utf8.allSatisfy(Byte.isDigit) else { throw .notAbsolute }
        let port = digits.isEmpty ? defaultPort : Int(digits: digits) ?? 0
        guard (1...65_535).contains(port) else { throw .badPort }
        self.init(scheme: scheme, host: host.lowercased(), port: port)
    }

    fileprivate init(scheme: String, host: String, port: Int) {
        self.scheme = scheme
        self.host = host
        self.port = port
    }

    /// Leaves out the scheme's own port.
    var description: String {
        (scheme == "http" && port == 80) || (scheme == "https" && port == 443)
            ? "\(scheme)://\(host)" : "\(scheme)://\(host):\(port)"
    }

    /// A name, an IPv4 address or a bracketed IPv6 address; internationalised names in their `xn--` form only.
    private static func isHost(_ host: Substring) -> Bool {
        if host.hasPrefix("["), host.hasSuffix("]") {
            let address = host.dropFirst().dropLast()
            return !address.isEmpty
                && address.utf8.allSatisfy { $0 == Byte.colon || $0 == Byte.dot || Byte.hexValue($0) != nil }
        }
        return !host.isEmpty
            && host.utf8.allSatisfy { Byte.isDigit($0) || Byte.isLetter($0) || "-._".utf8.contains($0) }
    }
}

/// Where the provider's API begins: an origin and an optional path before `/api/v2`. The one reader of `base_url`.
package struct BaseAddress: Sendable, Equatable, CustomStringConvertible {
    let origin: Origin
    /// Empty, or beginning with a slash and not ending in one. Every request's path begins with it.
    let pathPrefix: String

    /// Leads nowhere (RFC 6761, 6.4): for simulations, whose transport sends nothing.
    package static let nowhere = BaseAddress(
        origin: Origin(scheme: "https", host: "provider.invalid", port: 443), pathPrefix: "")

    /// Reads an absolute http or https address such as `https://eu.amani.ai`; slashes at its end do not count.
    package init(_ text: String) throws(AddressFault) {
        guard text.utf8.allSatisfy(PercentEncoding.isAllowed) else { throw .notAbsolute }
        let reference = URLReference(text)
        let origin = try reference.origin()
        guard !text.contains("@") else { throw .holdsUser }
        guard reference.query == nil, !text.contains("#") else { throw .holdsQueryOrFragment }
        var path = URLReference.withoutDots(reference.path)
        while path.hasSuffix("/") { path.removeLast() }
        self.init(origin: origin, pathPrefix: PercentEncoding.repaired(path))
    }

    private init(origin: Origin, pathPrefix: String) {
        self.origin = origin
        self.pathPrefix = pathPrefix
    }

    package var description: String { url("") }

    /// Whether the token travels encrypted.
    package var isHTTPS: Bool { origin.scheme == "https" }

    /// 127.0.0.0/8, ::1 or localhost. The whole name counts: `127.0.0.1.example.com` is another machine.
    package var isThisMachine: Bool {
        if ["localhost", "[::1]"].contains(origin.host) { return true }
        let octets = origin.host.split(separator: ".", omittingEmptySubsequences: false)
        return octets.count == 4 && octets[0] == "127" && octets.allSatisfy { UInt8(digits: $0) != nil }
    }

    /// The absolute URL of an API path, which begins with a slash and is already encoded.
    func url(_ path: String) -> String {
        "\(origin)\(pathPrefix)\(path)"
    }
}

/// Percent-encoding of URL parts (RFC 3986, 2).
enum PercentEncoding {
    /// `text` as one path segment. Encodes everything but unreserved characters, so that an id cannot change the path.
    static func segment(_ text: String) -> String {
        encode(text) { Byte.isDigit($0) || Byte.isLetter($0) || "-._~".utf8.contains($0) }
    }

    /// Encodes only what must not stand in a path or query, and a `%` that begins no escape.
    static func repaired(_ text: String) -> String {
        var escapes = Array(text.utf8)[...]
        return encode(text) { byte in
            escapes = escapes.dropFirst()
            if byte == UInt8(ascii: "%") {
                return escapes.count >= 2 && escapes.prefix(2).allSatisfy { Byte.hexValue($0) != nil }
            }
            return isAllowed(byte)
        }
    }

    /// Whether the byte may stand in a URL as it is, `%` and `#` included.
    static func isAllowed(_ byte: UInt8) -> Bool { Byte.isVisible(byte) && !"\"<>\\^`{|}".utf8.contains(byte) }

    private static func encode(_ text: String, unless isAllowed: (UInt8) -> Bool) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var encoded: [UInt8] = []
        for byte in text.utf8 {
            encoded += isAllowed(byte) ? [byte] : [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
        }
        return String(decoding: encoded, as: UTF8.self)
    }
}
