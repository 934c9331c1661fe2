import DeliveryQueue
import ProviderAPI
import Synchronization

@testable import DeliveryWorker

/// A log in numbered pages, whose rows a test adds and removes and whose pages it breaks.
final class PagedLog: Sendable {
    struct State: Sendable {
        var rows: [LogLine] = []
        var pageSize = 10
        var isCounted = false
        /// Pages that answer with an error of the server.
        var badPages: Set<Int> = []
        /// Passes before each answer.
        var delay = Duration.zero
        /// What happens once, when a page is asked for, before it is answered.
        var before: [Int: @Sendable (inout [LogLine]) -> Void] = [:]
        fileprivate(set) var asked: [Int] = []
    }

    private let state: Mutex<State>
    private let time: VirtualTime

    init(_ time: VirtualTime, _ rows: [LogLine]) {
        self.time = time
        state = Mutex(State(rows: rows))
    }

    func change(_ change: @Sendable (inout State) -> Void) { state.withLock { change(&$0) } }

    /// The numbers of the pages that were asked for.
    var asked: [Int] { state.withLock { $0.asked } }

    /// The same, and forgets them.
    func takeAsked() -> [Int] {
        state.withLock { state in
            defer { state.asked = [] }
            return state.asked
        }
    }

    var transport: ScriptedTransport {
        ScriptedTransport { [self] request async throws(TransportError) in
            let number = request.url.split(separator: "=").last.flatMap { Int($0) } ?? 1
            let log = state.withLock { state in
                state.asked.append(number)
                if let change = state.before.removeValue(forKey: number) { change(&state.rows) }
                return state
            }
            time.advance(by: log.delay)
            guard !log.badPages.contains(number) else { return HTTPResponse(status: 500) }
            let rows = log.rows.dropFirst((number - 1) * log.pageSize).prefix(log.pageSize)
            let next = number * log.pageSize < log.rows.count ? "\"?page=\(number + 1)\"" : "null"
            let count = log.isCounted ? "\"count\": \(log.rows.count), " : ""
            return .json("{\(count)\"next\": \(next), \"results\": [\(rows.map(\.text).joined(separator: ","))]}")
        }
    }
}
