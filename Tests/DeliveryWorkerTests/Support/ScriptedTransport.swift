import ProviderAPI

/// Answers requests by a closure, remembers them, and counts how many are under way at once.
actor ScriptedTransport: HTTPTransport {
    typealias Script = @Sendable (HTTPRequest) async throws(TransportError) -> HTTPResponse

    private let script: Script
    private(set) var requests: [HTTPRequest] = []
    private(set) var inFlight = 0
    private(set) var mostInFlight = 0

    init(_ script: @escaping Script) {
        self.script = script
    }

    /// Answers from a list, then with HTTP 500.
    init(_ answers: [HTTPResponse]) {
        let list = AnswerList(answers)
        script = { _ async throws(TransportError) in await list.next() }
    }

    func send(_ request: HTTPRequest) async throws(TransportError) -> HTTPResponse {
        requests.append(request)
        inFlight += 1
        mostInFlight = max(mostInFlight, inFlight)
        defer { inFlight -= 1 }
        return try await script(request)
    }

    var retries: [HTTPRequest] { requests.filter(\.isRetry) }
    var reads: [HTTPRequest] { requests.filter { $0.method == .get } }
}

private actor AnswerList {
    private var answers: [HTTPResponse]

    init(_ answers: [HTTPResponse]) {
        self.answers = answers
    }

    func next() -> HTTPResponse {
        answers.isEmpty ? HTTPResponse(status: 500) : answers.removeFirst()
    }
}

extension HTTPRequest {
    var isRetry: Bool { method == .post && url.hasSuffix("/webhook_endpoint/retry") }
    var bodyText: String { String(decoding: body ?? [], as: UTF8.self) }
}

extension HTTPResponse {
    static func json(_ text: String, status: Int = 200, headers: [HTTPHeader] = []) -> HTTPResponse {
        HTTPResponse(status: status, headers: headers, body: Array(text.utf8))
    }

    static let accepted = json("{}", status: 202)
}

/// Lets calls wait inside the transport until a test opens it.
actor Latch {
    private var isOpen = false
    private var waiters: [CheckedContinuation<Void, Never>] = []
    private var arrivals = 0
    private var watchers: [(count: Int, continuation: CheckedContinuation<Void, Never>)] = []

    func pass() async {
        arrivals += 1
        let ready = watchers.filter { $0.count <= arrivals }
        watchers.removeAll { $0.count <= arrivals }
        for watcher in ready { watcher.continuation.resume() }
        if !isOpen { await withCheckedContinuation { waiters.append($0) } }
    }

    func open() {
        isOpen = true
        for waiter in waiters { waiter.resume() }
        waiters = []
    }

    /// Returns when so many calls have arrived.
    func arrived(_ count: Int) async {
        if arrivals < count { await withCheckedContinuation { watchers.append((count, $0)) } }
    }
}
