/// Carries a request to the provider and brings back its answer. Tests and the simulation put a script in its place.
package protocol HTTPTransport: Sendable {
    /// Sends one request and waits for the complete answer, of whatever status.
    ///
    /// - Throws: ``TransportError`` when no complete answer came.
    func send(_ request: HTTPRequest) async throws(TransportError) -> HTTPResponse
}

/// A header field. When it is printed, the value of `Authorization` is masked.
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

/// One HTTP request, complete in memory. Printed without query, headers and body, which hold secrets and personal data.
package struct HTTPRequest: Sendable, Equatable, CustomStringConvertible, CustomReflectable {
    package enum Method: String, Sendable, CaseIterable {
        case get = "GET"
        case post = "POST"
        case put = "PUT"
        case patch = "PATCH"
    }

    package var method: Method
    /// An absolute URL.
    package var url: String
    package var headers: [HTTPHeader] = []
    /// nil sends no body.
    package var body: [UInt8]?
    /// Time for the whole exchange, the answer's body included.
    package var timeout: Duration
    /// Largest answer body in bytes, after decompression.
    package var responseLimit: Int

    package var description: String { "\(method.rawValue) \(url.prefix { $0 != "?" && $0 != "#" })" }

    package var customMirror: Mirror { Mirror(self, children: ["request": description]) }
}

/// One HTTP answer, complete in memory and decompressed. Printed as status and size only.
package struct HTTPResponse: Sendable, Equatable, CustomStringConvertible, CustomReflectable {
    package var status: Int
    package var headers: [HTTPHeader]
    package var body: [UInt8]

    package init(status: Int, headers: [HTTPHeader] = [], body: [UInt8] = []) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// The value of the first field of that name, compared without regard to case.
    package func header(_ name: String) -> String? {
        values(of: name).first
    }

    /// The values of all fields of that name, compared without regard to case.
    package func values(of name: String) -> [String] {
        let wanted = name.lowercased()
        return headers.filter { $0.name.lowercased() == wanted }.map(\.value)
    }

    package var description: String { "HTTP \(status), \(body.count) bytes" }

    package var customMirror: Mirror { Mirror(self, children: ["response": description]) }
}

extension HTTPRequest {
    /// The server it goes to; nil when the URL is not absolute.
    var origin: Origin? { try? URLReference(url).origin() }
}

extension HTTPResponse {
    /// Whether the server refuses our client certificate with an answer instead of a TLS alert. nginx sends 400 with a
    /// page of its own, or 495 and 496. Any other answer is about the call, even when its text speaks of certificates.
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
