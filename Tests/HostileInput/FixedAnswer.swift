import Logging
import ProviderAPI

/// A transport whose every answer is the same; a login's may be another.
struct FixedAnswer: HTTPTransport {
    var answer: HTTPResponse
    /// What `POST /user/login` gets; nil: as the others.
    var login: HTTPResponse?

    func send(_ request: HTTPRequest) async throws(TransportError) -> HTTPResponse {
        request.url.hasSuffix("/user/login") ? login ?? answer : answer
    }
}

/// Secrets that no message may ever show, whatever the provider answers.
enum Planted {
    static let token = "tok-5ecret-1"
    static let body = "b0dy-5ecret-2"
    static let password = "pa55-w0rd-3"
    /// 2026-01-01T00:00:00Z.
    static let now: Int64 = 1_767_225_600_000
    static let base = "https://api.test"

    static func client(
        _ answer: HTTPResponse, login: HTTPResponse? = nil, base: String = base,
        credential: Credential = .token(Secret(token))
    ) -> ProviderClient {
        ProviderClient(
            baseURL: base, credential: credential, fields: .standard, requestTimeout: .seconds(1),
            transport: FixedAnswer(answer: answer, login: login), now: { now }, logger: silent)
    }

    private static let silent = Logger(label: "fuzz", factory: { _ in SwiftLogNoOpLogHandler() })

    /// - Parameter secrets: what was sent and must not come back.
    /// - Throws: a violation when a text for people holds one of them, or what steers a terminal.
    static func check(_ text: String, hides secrets: [String]) throws {
        for secret in secrets where text.utf8.firstRange(of: secret.utf8) != nil {
            throw Violation("a text shows \(secret)")
        }
        try checkPlain(text)
    }

    static func checkPlain(_ text: String) throws {
        for scalar in text.unicodeScalars {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator:
                throw Violation("a text holds U+\(String(scalar.value, radix: 16))")
            default: break
            }
        }
    }
}
