import DeliveryQueue
import DeliveryWorker
import Foundation
import ProviderAPI
import RedeliverConfiguration
import Synchronization

/// How many pages a poll asks for while a log grows: what is new, however long the overlap is. 15 minutes of entries
/// stand in the log, and a poll comes every second.
enum RequestBench {
    private static let rates = [0.1, 1, 10, 100]
    private static let polls = 60

    static func measure(_ bench: Bench) async throws -> [Figure] {
        var figures: [Figure] = []
        for rate in rates { figures.append(try await measure(bench, rate: rate)) }
        return figures
    }

    private static func measure(_ bench: Bench, rate: Double) async throws -> Figure {
        let endpoint = "endpoint-0"
        let file = bench.files.url.appending(path: "requests-\(rate).db")
        var configuration = try await WorkerConfiguration.bench(bench.files, database: file, endpoints: [endpoint])
        configuration.poll.overlap = .seconds(900)
        configuration.poll.initialLookback = .seconds(3_600)
        let log = GrowingLog(rate: rate)
        let store = try QueueStore(path: file.path, now: log.now)
        let base = WorkerBase(store: store, transport: log, wallClock: WallClock { log.now }, logger: .silent)
        let generation = Generation(configuration, on: base)
        try await generation.prepare(at: log.now)
        // The first reading takes in the whole log.
        _ = await generation.readLogs()
        var requests: [Double] = []
        for _ in 0..<polls {
            log.goOn(by: .seconds(1))
            let before = log.requests
            _ = await generation.readLogs()
            requests.append(Double(log.requests - before))
        }
        try store.close()
        let mean = requests.reduce(0, +) / Double(requests.count)
        let name = "requests per poll, \(rate.formatted()) entries/s, 100 a page"
        return Figure(name, unit: "mean of \(polls) polls", [mean], goal: .atMost(rate < 100 ? 1 : 3))
    }
}

/// A newest-first log that grows by so many arrivals a second, in pages of 100.
private final class GrowingLog: HTTPTransport {
    private struct State {
        var now: Timestamp
        var requests = 0
    }

    private static let page = 100
    private let rate: Double
    private let beginning: Timestamp
    private let state: Mutex<State>

    /// - Parameter rate: entries a second, since a quarter of an hour ago.
    init(rate: Double) {
        self.rate = rate
        let now = Timestamp.system
        beginning = now - .seconds(900)
        state = Mutex(State(now: now))
    }

    var now: Timestamp { state.withLock { $0.now } }
    var requests: Int { state.withLock { $0.requests } }

    func goOn(by duration: Duration) {
        state.withLock { $0.now = $0.now + duration }
    }

    func send(_ request: HTTPRequest) async throws(TransportError) -> HTTPResponse {
        let now = state.withLock { state in
            state.requests += 1
            return state.now
        }
        let count = Int((now - beginning).inSeconds * rate)
        let end = request.url.split(separator: "before=").dropFirst().first.flatMap { Int($0) } ?? count
        let start = max(0, end - Self.page)
        let rows = (start..<end).reversed().map { number in
            let at = beginning + .milliseconds(Int64(Double(number) / rate * 1_000))
            return """
                {"task_id": "\(number)", "event_type": "profile_update", "customer_id": "c", "status": "success", \
                "created_at": \(at.milliseconds), "body": {}}
                """
        }
        let next = start > 0 ? "\"?before=\(start)\"" : "null"
        let text = "{\"results\": [\(rows.joined(separator: ", "))], \"next\": \(next)}"
        return HTTPResponse(status: 200, body: Array(text.utf8))
    }
}
