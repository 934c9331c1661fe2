import DeliveryQueue
import ProviderAPI

@testable import DeliveryWorker

/// A provider in memory: a newest-first log, a retry call that really delivers (or not), and a ledger of it all.
actor FakeProvider: HTTPTransport {
    /// Under what a retry's outcome shows in the log.
    enum Confirmation: String, CaseIterable, Sendable {
        case sameTaskID, namedNewID, silentNewID, inPlace
    }

    struct Received: Sendable {
        let body: String
        let at: Timestamp
    }

    private let time: VirtualTime
    private let confirmation: Confirmation
    private var lines: [LogLine] = []
    private var failuresLeft: [String: Int] = [:]
    private var open: Set<String> = []
    private var nextID = 1_000

    /// What the customer's endpoint got, by the retried task's JSON id.
    private(set) var received: [String: [Received]] = [:]
    private(set) var calls: [String: Int] = [:]
    private(set) var doubleCalls = 0
    /// Answers retry calls instead of executing them, as long as it returns something.
    private var disturbance: (@Sendable () -> Result<HTTPResponse, TransportError>?)?
    private var isLogReadable = true

    init(time: VirtualTime, confirmation: Confirmation) {
        self.time = time
        self.confirmation = confirmation
    }

    /// - Parameter failures: how often a retry of it fails again before it arrives.
    func fail(_ line: LogLine, again failures: Int) {
        lines.append(line)
        failuresLeft[line.task] = failures
    }

    /// An entry that is there without a retry of ours.
    func add(_ line: LogLine) {
        lines.append(line)
    }

    func disturb(log isLogReadable: Bool = true, _ answer: (@Sendable () -> Result<HTTPResponse, TransportError>?)?) {
        disturbance = answer
        self.isLogReadable = isLogReadable
    }

    func send(_ request: HTTPRequest) async throws(TransportError) -> HTTPResponse {
        request.isRetry ? try await retry(request) : try page(request)
    }

    // MARK: - The log

    private func page(_ request: HTTPRequest) throws(TransportError) -> HTTPResponse {
        guard isLogReadable else { throw .notSent(.refused) }
        let sorted = lines.sorted { ($0.at ?? .noon) > ($1.at ?? .noon) }
        let offset = request.url.split(separator: "=").last.flatMap { Int($0) } ?? 0
        let next = offset + 20 < sorted.count ? "?offset=\(offset + 20)" : nil
        return .json(LogText.page(Array(sorted.dropFirst(offset).prefix(20)), next: next))
    }

    // MARK: - The retry call

    private func retry(_ request: HTTPRequest) async throws(TransportError) -> HTTPResponse {
        let body = request.bodyText
        let task = String(body.dropFirst(#"{"task_id": "#.count).prefix { $0 != "," })
        calls[task, default: 0] += 1
        if !open.insert(task).inserted { doubleCalls += 1 }
        defer { open.remove(task) }
        await Task.yield()
        if let answer = disturbance?() { return try answer.get() }
        guard let index = lines.firstIndex(where: { $0.task == task }) else { return HTTPResponse(status: 404) }
        let root = root(of: lines[index])
        let arrives = failuresLeft[root, default: 0] == 0
        if arrives {
            received[root, default: []].append(Received(body: lines[index].body, at: time.now))
        } else {
            failuresLeft[root, default: 0] -= 1
        }
        return log(index, arrives ? "success" : "failure")
    }

    /// The line that a line under a new id stands for: bodies are unique in these tests.
    private func root(of line: LogLine) -> String {
        lines.first { $0.body == line.body }?.task ?? line.task
    }

    private func log(_ index: Int, _ status: String) -> HTTPResponse {
        var line = lines[index]
        line.status = status
        switch confirmation {
        case .inPlace:
            line.updated = time.now
            lines[index] = line
            return .accepted
        case .sameTaskID:
            line.at = time.now
            lines.append(line)
            return .accepted
        case .namedNewID, .silentNewID:
            nextID += 1
            line.at = time.now
            line.task = "\"n\(nextID)\""
            lines.append(line)
            return confirmation == .namedNewID ? .json("{\"task_id\": \(line.task)}", status: 202) : .accepted
        }
    }
}
