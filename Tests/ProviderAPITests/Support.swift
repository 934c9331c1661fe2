import HostileInput
import Logging
import Synchronization

@testable import ProviderAPI

/// Answers requests from a list, in order, and keeps the requests. Without answers left it fails with `other`, so that
/// a test notices one call too many.
final class ScriptedTransport: HTTPTransport {
    typealias Answer = @Sendable (HTTPRequest) async -> Result<HTTPResponse, TransportError>

    private struct State {
        var answers: [Answer]
        var requests: [HTTPRequest] = []
    }

    private let state: Mutex<State>

    init(_ answers: [Answer]) {
        state = Mutex(State(answers: answers))
    }

    convenience init(_ responses: HTTPResponse...) {
        self.init(responses.map { response in { _ in .success(response) } })
    }

    convenience init(failing error: TransportError) {
        self.init([{ _ in .failure(error) }])
    }

    var requests: [HTTPRequest] { state.withLock { $0.requests } }

    /// Method and path of each request, without the host.
    var calls: [String] {
        requests.map { "\($0)".replacing("https://api.test", with: "") }
    }

    func send(_ request: HTTPRequest) async throws(TransportError) -> HTTPResponse {
        let answer: Answer? = state.withLock { state in
            state.requests.append(request)
            return state.answers.isEmpty ? nil : state.answers.removeFirst()
        }
        guard let answer else { throw .notSent(.other) }
        return try await answer(request).get()
    }
}

extension HTTPRequest {
    var authorization: String? { headers.first { $0.name == "Authorization" }?.value }
    var text: String { String(decoding: body ?? [], as: UTF8.self) }
}

extension HTTPResponse {
    init(_ status: Int, _ body: String = "", headers: [HTTPHeader] = []) {
        self.init(status: status, headers: headers, body: Array(body.utf8))
    }
}

/// 2026-01-01T00:00:00Z.
let testNow: Int64 = 1_767_225_600_000

extension Logger {
    static let silent = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
}

func makeClient(
    _ transport: any HTTPTransport, baseURL: BaseAddress = "https://api.test", fields: FieldNames = .standard,
    credential: Credential = .token(Secret("tok-1")), clock: any Clock<Duration> = LeapingClock()
) -> ProviderClient {
    ProviderClient(
        baseURL: baseURL, credential: credential, fields: fields, requestTimeout: .seconds(30), transport: transport,
        now: { testNow }, clock: clock, logger: .silent)
}

let sampleRetry = RetryRequest(
    taskIDJSON: "12", customerIDJSON: "null", webhookIDJSON: #""w""#, eventType: "e", body: Array("{}".utf8))

func decode(_ text: String, fields: FieldNames = .standard) throws -> LogPageDecoder.Page {
    try LogPageDecoder(fields: fields).page(Array(text.utf8))
}

/// Reads a page that holds only `entry`; nil when the entry is unreadable.
func readEntry(_ entry: String, fields: FieldNames = .standard) throws -> LogEntry? {
    guard case .entry(let entry)? = try decode("[\(entry)]", fields: fields).items.first else { return nil }
    return entry
}

func readUnreadable(_ entry: String, fields: FieldNames = .standard) throws -> UnreadableEntry? {
    guard case .unreadable(let entry)? = try decode("[\(entry)]", fields: fields).items.first else { return nil }
    return entry
}
