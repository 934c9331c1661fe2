import DeliveryQueue
import DeliverySimulation

/// What really happened at the provider and its receivers. Only the simulation can know it.
struct ChaosTruth: Sendable {
    /// A row of the provider's log.
    struct Row: Sendable {
        enum Outcome: String, Sendable { case succeeded, failed, inProgress = "in_progress" }

        var number: Int
        var event: Int
        /// A JSON token.
        var taskID: String
        var outcome: Outcome
        /// Provider time, milliseconds since 1970.
        var created: Int64
        /// nil: the row never tells its outcome.
        var changed: Int64?
        var visible: Duration
        /// When another row replaces it; nil: it stays.
        var hidden: Duration?
        var isGarbled = false
        /// Nobody can tell by name whose row it is.
        var isUnnamed = false
        /// When it was certain that a reading with it was stored; nil: not yet.
        var committed: Duration?

        var taskText: String { taskID.filter { $0 != "\"" } }
        var key: String { "\(taskText) \(changed ?? created) \(outcome.rawValue)" }
    }

    /// A retry call, from its beginning until the provider has done with it.
    struct Call: Sendable {
        var event: Int
        var deliveryID: Int64
        var leaseToken: Int64
        var began: Duration
        var ended: Duration
        var isExecuted: Bool
    }

    let plan: ChaosPlan
    var rows: [[Row]]
    var calls: [Call] = []
    /// The first arrival of each event.
    var arrived: [Duration?]
    /// Events by the text of every task id that they have, with its endpoint's number before it.
    var eventOf: [String: Int] = [:]
    var trace = ChaosTrace()
    var violation: ChaosViolation?
    /// Decides what depends on the order of the calls.
    var dice: SeededGenerator
    var callsBegun = 0
    var rowsMade = 0
    var namesMade = 0
    var tokens: (access: Int, begins: Duration, expires: Duration) = (0, .zero, .zero)
    /// How often the receivers got something that they had already got.
    var repeats = 0
    var kills = 0
    var starts = 0
    /// How the newest calls ended, by delivery and lease token.
    var callByLease: [String: Int] = [:]
    /// The places of each endpoint's rows in the order of its pages, also of those that are not to be seen now.
    var pageOrder: [[Int]]
    /// Addresses of pages without a row that were made up.
    var emptyPages = 0
    var requests: [ChaosRequests]
    /// What may let the worker read the overlap again at once: see `ChaosRequests`.
    private(set) var disturbances = 0
    /// When the newest was.
    private(set) var disturbed = Duration.zero
    /// Requests for a page of a log, whatever was answered.
    var logRequests = 0

    /// Provider time of the beginning.
    static let beginning = Timestamp(milliseconds: 1_750_000_000_000)

    init(_ plan: ChaosPlan) {
        self.plan = plan
        rows = plan.receivers.map { _ in [] }
        pageOrder = rows.map { _ in [] }
        requests = rows.map { _ in ChaosRequests() }
        arrived = plan.events.map { _ in nil }
        dice = SeededGenerator(seed: plan.seed &+ 0x5eed)
        for (number, event) in plan.events.enumerated() {
            eventOf[Self.name(event.endpoint, event.taskID)] = number
            tryFirst(number)
        }
        note("log \(plan.log), clock \(plan.clock), drift \(plan.drift), faults \(plan.faults)", at: .zero)
        if let standing = plan.standing { note("the date stands \(standing)", at: .zero) }
        if !plan.lies.isEmpty { note("the date lies \(plan.lies)", at: .zero) }
        for spell in plan.spells { note("\(spell)", at: .zero) }
    }

    static func name(_ endpoint: Int, _ taskID: String) -> String { "\(endpoint) \(taskID)" }

    /// The event that stands in an endpoint's log under this task id.
    func event(_ endpoint: Int, taskText: String) -> Int? {
        eventOf[Self.name(endpoint, taskText)] ?? eventOf[Self.name(endpoint, "\"\(taskText)\"")]
    }

    mutating func note(_ text: String, at time: Duration) {
        trace.note(text, at: time)
    }

    mutating func violate(_ promise: String, _ detail: String, at time: Duration) {
        guard violation == nil else { return }
        violation = ChaosViolation(promise: promise, detail: detail, time: time)
        note("VIOLATION \(promise): \(detail)", at: time)
    }

    mutating func disturb(at time: Duration) {
        disturbances += 1
        disturbed = time
    }

    // MARK: - Tries

    /// The provider's own tries, which do not depend on what the worker does.
    private mutating func tryFirst(_ number: Int) {
        let event = plan.events[number]
        let arrives = take(number, at: event.time)
        addRow(of: number, taskID: event.taskID, arrives, at: event.time, isGarbled: event.isGarbled && !arrives)
        guard !arrives, let second = event.secondTry else { return }
        addRow(of: number, taskID: event.taskID, take(number, at: second), at: second)
    }

    /// One try at the receiver.
    ///
    /// - Returns: whether it arrives.
    mutating func take(_ number: Int, at time: Duration) -> Bool {
        let event = plan.events[number]
        if event.isFiller {
            arrived[number] = time
            return true
        }
        let receiver = plan.receivers[event.endpoint]
        let isUp = !receiver.isDown.contains { $0.contains(time) }
        let share = plan.isChaos(time) ? receiver.failing : 0
        let arrives = isUp && !event.isPoison && !dice.chance(share)
        if arrives { arrived[number] = min(arrived[number] ?? time, time) }
        return arrives
    }

    /// The log learns of a try a moment later, or late.
    mutating func addRow(
        of number: Int, taskID: String, _ arrives: Bool, at time: Duration, isGarbled: Bool = false,
        isUnnamed: Bool = false
    ) {
        let isLate = dice.chance(plan.log.late)
        let visible =
            time + (isLate ? dice.time(.seconds(60)..<plan.log.longestDelay) : dice.time(.zero ..< .seconds(3)))
        insert(
            Row(
                number: 0, event: number, taskID: taskID, outcome: arrives ? .succeeded : .failed,
                created: stamp(time), visible: visible, isGarbled: isGarbled, isUnnamed: isUnnamed),
            at: time)
    }

    mutating func insert(_ row: Row, at time: Duration) {
        var row = row
        row.number = rowsMade
        rowsMade += 1
        rows[plan.events[row.event].endpoint].append(row)
    }

    func stamp(_ time: Duration) -> Int64 {
        let milliseconds = (Self.beginning + time).milliseconds
        return plan.log.isCoarse ? milliseconds / 1_000 * 1_000 : milliseconds
    }
}
