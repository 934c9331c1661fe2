/// The one seam of this package: a request in, a response out. Tests put a script in its place and run everything
/// above it in a straight line.
package protocol HTTPTransport: Sendable {
    /// - Throws: ``TransportError`` when no complete answer came; an answer of any status is a return value.
    func send(_ request: HTTPRequest) async throws(TransportError) -> HTTPResponse
}

/// A header field. `Authorization` values do not show when it is printed.
package struct HTTPHeader: Sendable, Equatable, CustomStringConvertible, CustomReflectable {
    package let name: String
    package let value: String

    package init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }

    package var description: String {
        name.lowercased() == "authorization" ? "\(name): \(Secret.mask)" : "\(name): \(value)"
    }

    package var customMirror: Mirror { Mirror(self, children: ["field": description]) }
}

/// One HTTP request, complete in memory. Printed as method and path only: bodies hold passwords and people's data.
package struct HTTPRequest: Sendable, Equatable, CustomStringConvertible, CustomReflectable {
    package enum Method: String, Sendable, CaseIterable {
        case get = "GET"
        case post = "POST"
        case put = "PUT"
        case patch = "PATCH"
    }

    package var method: Method
    /// Absolute.
    package var url: String
    package var headers: [HTTPHeader]
    package var body: [UInt8]?
    /// For the whole exchange, the answer's body included.
    package var timeout: Duration
    /// Largest answer body in bytes, after decompression.
    package var responseLimit: Int

    package init(
        method: Method, url: String, headers: [HTTPHeader] = [], body: [UInt8]? = nil,
        timeout: Duration, responseLimit: Int
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.timeout = timeout
        self.responseLimit = responseLimit
    }

    package var description: String { "\(method.rawValue) \(url.prefix { $0 != "?" && $0 != "#" })" }

    package var customMirror: Mirror { Mirror(self, children: ["request": description]) }
}

/// One HTTP answer, complete in memory and decompressed. Printed without its body.
package struct HTTPResponse: Sendable, Equatable, CustomStringConvertible, CustomReflectable {
    package var status: Int
    package var headers: [HTTPHeader]
    package var body: [UInt8]

    package init(status: Int, headers: [HTTPHeader] = [], body: [UInt8] = []) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// The first field of that name, compared without regard to case.
    package func header(_ name: String) -> String? {
        values(of: name).first
    }

    package func values(of name: String) -> [String] {
        let wanted = name.lowercased()
        return headers.filter { $0.name.lowercased() == wanted }.map(\.value)
    }

    package var description: String { "HTTP \(status), \(body.count) bytes" }

    package var customMirror: Mirror { Mirror(self, children: ["response": description]) }
}

extension HTTPRequest {
    /// Where it goes; nil for an address that nothing can be asked at.
    var origin: Origin? {
        let reference = URLReference(url)
        guard let scheme = reference.scheme, let authority = reference.authority else { return nil }
        return Origin(scheme: scheme, authority: authority)
    }
}

extension HTTPResponse {
    /// A server that asks for a certificate may let the handshake pass and answer by itself: nginx does so with 400 and a page of
    /// its own, or with its numbers 495 and 496. That is about who we are. What a provider says of a delivery is not, even
    /// where it speaks of certificates: of its receiver's, say.
    var refusesClientCertificate: Bool {
        if [495, 496].contains(status) { return true }
        guard status == 400, body.count < 4_096, header("content-type")?.lowercased().hasPrefix("text/html") == true
        else {
            return false
        }
        let page = String(decoding: body, as: UTF8.self)
        return [
            "<title>400 The SSL certificate error</title>", "<title>400 No required SSL certificate was sent</title>",
        ]
        .contains { page.contains($0) }
    }
}
