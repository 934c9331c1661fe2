import Testing

@testable import DeliveryQueue
@testable import QueueFixtures

/// A provider in memory: executes retries or does not, and keeps a log that lags.
struct SimulatedProvider {
    /// How its log shows a retry.
    enum Way: String, CaseIterable, Sendable {
        case sameTask, named, silent, inPlace
    }

    /// The result of a retry call, as the caller sees it.
    struct Answer {
        /// nil: the caller died in the call.
        let meaning: Reply?
        let named: String?
    }

    let way: Way
    /// How late an entry may show in the log, in seconds.
    let lag: Int
    /// Whether it also tries the first event by itself.
    let triesItself: Bool
    var random: Jitter
    /// How often each event arrived at the customer.
    private(set) var arrivals: [String: Int] = [:]
    private var rows: [(observation: LogObservation, visible: Timestamp)] = []
    private var retries = 0

    init(way: Way, lag: Int = 300, triesItself: Bool = false, seed: Int) {
        self.way = way
        self.lag = lag
        self.triesItself = triesItself
        random = Jitter(endpointID: way.rawValue, taskID: "\(seed)", cycle: 1, attempt: 1)
    }

    /// The first delivery of an event fails.
    mutating func fail(_ event: String, at now: Timestamp) {
        rows.append((.failure(event, at: now), now))
    }

    /// The provider tries an event again by itself, and fails.
    mutating func failAgain(_ event: String, at now: Timestamp) {
        guard way != .inPlace, arrivals[event] == nil else { return }
        rows.append((.failure(event, at: now - .seconds(1)), now))
    }

    /// One page with all that the log shows, in an order of its own.
    mutating func page(at now: Timestamp) -> [LogObservation] {
        rows.filter { $0.visible <= now }.map(\.observation).shuffled(using: &random)
    }

    mutating func retry(_ event: String, at now: Timestamp) -> Answer {
        switch Int.random(in: 0..<12, using: &random) {
        case 0: return Answer(meaning: .notExecuted(pause: .seconds(20)), named: nil)
        case 1: return Answer(meaning: .uncertain, named: nil)
        case 2: return Answer(meaning: nil, named: nil)
        case 3:
            execute(event, at: now)
            return Answer(meaning: nil, named: nil)
        case 4:
            execute(event, at: now)
            return Answer(meaning: .serverError, named: nil)
        default:
            let task = execute(event, at: now)
            return Answer(meaning: .accepted, named: way == .named ? task : nil)
        }
    }

    /// Calls the customer and logs the outcome, late.
    @discardableResult
    private mutating func execute(_ event: String, at now: Timestamp) -> String {
        let arrives = Int.random(in: 0..<3, using: &random) == 0
        if arrives { arrivals[event, default: 0] += 1 }
        let time = now + .seconds(Int.random(in: 0..<4, using: &random))
        let visible = time + .seconds(Int.random(in: 0..<lag, using: &random))
        let outcome: LogOutcome = arrives ? .succeeded : .failed
        retries += 1
        let task = way == .named || way == .silent ? "retry-\(retries)" : event
        guard way == .inPlace, let index = rows.firstIndex(where: { $0.observation.taskID == event }) else {
            rows.append((.entry(task, outcome, of: event, at: time), visible))
            return task
        }
        let created = rows[index].observation.logged
        rows[index] = (.entry(event, outcome, of: event, at: created, changed: time), visible)
        return task
    }
}
