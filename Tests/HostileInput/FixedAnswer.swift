import Logging
import ProviderAPI

/// A transport that gives the same answer to every request, and perhaps another one to a login.
struct FixedAnswer: HTTPTransport {
    var answer: HTTPResponse
    /// The answer to `POST /user/login`; nil gives `answer`.
    var login: HTTPResponse?

    func send(_ request: HTTPRequest) async throws(TransportError) -> HTTPResponse {
        request.url.hasSuffix("/user/login") ? login ?? answer : answer
    }
}

/// Secrets that no message may show, whatever the provider answers.
enum Planted {
    static let token = "tok-5ecret-1"
    static let body = "b0dy-5ecret-2"
    static let password = "pa55-w0rd-3"
    /// 2026-01-01T00:00:00Z.
    static let now: Int64 = 1_767_225_600_000
    static let base: BaseAddress = "https://api.test"

    static func client(
        _ answer: HTTPResponse, login: HTTPResponse? = nil, base: BaseAddress = base,
        credential: Credential = .token(Secret(token))
    ) -> ProviderClient {
        ProviderClient(
            baseURL: base, credential: credential, fields: .standard, requestTimeout: .seconds(1),
            transport: FixedAnswer(answer: answer, login: login), now: { now },
            clock: LeapingClock(), logger: silent)
    }

    private static let silent = Logger(label: "fuzz", factory: { _ in SwiftLogNoOpLogHandler() })

    /// Checks a text for people.
    ///
    /// - Parameter secrets: what was sent and must not be shown.
    /// - Throws: a violation when the text holds one of them or a character that steers a terminal.
    static func check(_ text: String, hides secrets: [String]) throws {
        for secret in secrets where text.utf8.firstRange(of: secret.utf8) != nil {
            throw Violation("a text shows \(secret)")
        }
        try checkPlain(text)
    }

    /// - Throws: a violation when the text holds a character that steers a terminal. Written a second time as the judge
    ///   of the product's rule.
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
