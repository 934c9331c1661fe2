import DeliveryQueue
import DeliverySimulation
import ProviderAPI

/// Everything that a seed decides: what the provider, its log, the receivers, the clock, the operators and kills do to
/// the worker, and when. The first two thirds of the time are chaos. In the rest nothing new goes wrong, so that every
/// delivery must end.
package struct ChaosPlan: Sendable {
    /// A receiver behind an endpoint.
    struct Receiver: Sendable {
        var id: String
        /// Its webhook's id as the log has it; nil: its rows have none.
        var webhookID: String?
        var isDown: [Range<Duration>] = []
        /// The share of first and further tries that fail while it is up.
        var failing: Double
    }

    /// An event that the provider tries to deliver by itself, once or twice.
    struct Event: Sendable {
        var endpoint: Int
        var time: Duration
        var eventType: String
        /// JSON tokens.
        var taskID: String
        var customerID: String
        var body: String
        /// No try of it succeeds.
        var isPoison: Bool
        /// When the provider tries it again by itself; nil: never.
        var secondTry: Duration?
        /// Its first row cannot be understood.
        var isGarbled: Bool
        /// It arrives at once, and is there only to make the log longer.
        var isFiller = false

        var taskText: String { taskID.filter { $0 != "\"" } }
    }

    /// How the provider's log looks.
    struct Log: Sendable {
        enum Shape: CaseIterable, Sendable { case bare, results, nested }
        enum Order: CaseIterable, Sendable { case newestFirst, oldestFirst, unordered }
        enum Trace: CaseIterable, Sendable { case sameID, namedNewID, unnamedNewID, inPlace, silent }

        var shape: Shape
        var order: Order
        var trace: Trace
        var pageSize: Int
        /// Times are whole seconds.
        var isCoarse: Bool
        /// The share of rows that appear late, and by how much at most: less than the overlap.
        var late: Double
        var longestDelay: Duration
        /// The share of retries that first show as pending.
        var pending: Double
        /// A row that is changed in place says when.
        var tellsChange: Bool
    }

    /// What happens at a moment, beside what the provider does.
    enum Step: Sendable {
        case kill(afterJobs: Int, pause: Duration)
        case stop(pause: Duration)
        case reload(variant: Int)
        case operate(OperatorDeed)
    }

    enum OperatorDeed: CaseIterable, Sendable { case retry, requeue, discard, pause, resume, resumeAll }

    /// Where in the call with a certain number the worker dies.
    enum CallKill: Sendable {
        case beforeItIsSent
        case underWay
        case answered(jobs: Int)
    }

    enum OutageKind: CaseIterable, Sendable { case refused, badGateway, silent, unavailable }

    package let seed: UInt64
    package let end: Duration
    let chaosEnd: Duration
    var receivers: [Receiver] = []
    var events: [Event] = []
    var log: Log
    /// The share of calls, and of readings, that go wrong in chaos.
    var callFaults: Double
    var readFaults: Double
    var faults: [CallFault] = []
    var outages: [(range: Range<Duration>, kind: OutageKind)] = []
    /// From each moment on, our clock is this far ahead of the provider's.
    var clock: [(time: Duration, offset: Duration)] = []
    /// Answers tell the provider's time.
    var tellsTime = false
    /// While the date of the answers stands still, as out of a proxy's cache; nil: it never does.
    var standing: StandingDate?
    /// From each moment on, the date of the answers is this far ahead of the provider's time.
    var lies: [(time: Duration, offset: Duration)] = []
    var spells: [Spell] = []
    /// Links to further pages name a host that only the provider knows.
    var hasInnerLinks = false
    /// The share of answers that name the task id of another event, of another customer or type.
    var foreignNames = 0.0
    /// The receiver whose log a further endpoint shows as well; nil: each log has its own endpoint.
    var mirror: Int?
    /// What our clock gains in a second.
    var drift: Double
    var usesLogin: Bool
    var tokenLife: Duration
    var refusesLogin: [Range<Duration>] = []
    /// For so long after it was issued a token is refused.
    var tokenDelay = Duration.zero
    /// Events whose retries a firewall forbids in chaos.
    var forbidden: Set<Int> = []
    var steps: [(time: Duration, step: Step)] = []
    var callKills: [Int: CallKill] = [:]
    /// At which beginning or end of a transaction after the answer to a call the worker dies; 0 is the first.
    var transactionKills: [Int: Int] = [:]
    /// The configurations that reloads choose from; the first is that of the start and the last that of the end.
    var variants: [Variant] = []

    func isChaos(_ time: Duration) -> Bool { time < chaosEnd }

    /// How far our clock is ahead of the provider's.
    func clockOffset(at time: Duration) -> Duration {
        let jumps = clock.last { $0.time <= time }?.offset ?? .zero
        return jumps + .milliseconds(Int64(time.inSecondsExactly * drift * 1_000))
    }

    /// The event itself and those that equal it in everything but their task id and time.
    func alike(_ number: Int) -> [Int] {
        let event = events[number]
        return events.indices.filter {
            events[$0].endpoint == event.endpoint && events[$0].eventType == event.eventType
                && events[$0].customerID == event.customerID && events[$0].body == event.body
        }
    }

    /// How far the date of the answers is ahead of the provider's time.
    func dateOffset(at time: Duration) -> Duration { lies.last { $0.time <= time }?.offset ?? .zero }

    /// Whether failures may be left out as too old: the date is far ahead, or was a moment ago and is put right now.
    func mayLeaveOutFailures(at time: Duration) -> Bool {
        lies.contains { $0.time <= time && $0.offset > .zero }
            && (lies.last { $0.offset == .zero }.map { time < $0.time + Self.puttingRight } ?? true)
    }

    /// Each log is read within this time, and then by the right clock.
    static let puttingRight = Duration.seconds(10_800)

    /// Whether a 2xx counts as an arrival in some configuration.
    var goesByAnswers: Bool { variants.contains { $0.confirmation == .answer } }

    /// Whether the clock by which the worker goes is at some time wrong by more than the rules allow for: ours while no
    /// answer tells the time, or the one that the answers tell.
    var hasClockTrouble: Bool { tellsTime ? !lies.isEmpty : !clock.isEmpty || drift != 0 }

    /// For this time the answers have the date of its beginning, and perhaps an `Age`.
    struct StandingDate: Sendable {
        var range: Range<Duration>
        var hasAge: Bool
    }

    /// A kind of wrong answer to a retry call.
    enum CallFault: CaseIterable, Sendable {
        case slow, timeoutBefore, timeoutAfter, unauthorized, forbidden, notFound, throttled, errorDelivered, errorLost
        case lie, unavailable, refused, rejected, redirected, conflict
        /// The answer comes when nobody waits for it any more, as after a machine slept.
        case stuck
    }
}

extension Duration {
    /// In seconds, for shares of a time.
    var inSecondsExactly: Double {
        Double(components.seconds) + Double(components.attoseconds) / 1e18
    }
}

extension SeededGenerator {
    mutating func chance(_ share: Double) -> Bool { fraction() < share }

    mutating func int(_ range: ClosedRange<Int>) -> Int {
        range.lowerBound + Int(next() % UInt64(range.upperBound - range.lowerBound + 1))
    }

    mutating func pick<Value>(_ values: [Value]) -> Value { values[int(0...values.count - 1)] }

    /// Whole milliseconds.
    mutating func time(_ range: Range<Duration>) -> Duration {
        let span = (range.upperBound - range.lowerBound).inSecondsExactly
        return range.lowerBound + .milliseconds(Int64(fraction() * span * 1_000))
    }

    mutating func minutes(_ range: ClosedRange<Int>) -> Duration { .seconds(60 * int(range)) }
}
