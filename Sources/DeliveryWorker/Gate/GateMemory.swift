import DeliveryQueue

/// What a gate remembers of its trouble: since when, and how often in a row it shut, which decides how long it shuts
/// next. Trouble that comes back soon after the gate opened, before a call was answered, is the same trouble.
struct GateMemory: Sendable, Equatable {
    /// When the present or the last reason began.
    private(set) var began: Timestamp?
    private var reason: CallGate.Closed?
    private var reopened: Timestamp?
    private var pausesInARow = 0
    private var readsInARow = 0
    private var badCallsInARow = 0
    private var badReadsInARow = 0

    /// The pauses when the provider names none. Each pause without an answered call before it takes the next one.
    static let unnamedPauses: [Duration] = [30, 60, 120, 240, 300].map { .seconds($0) }
    /// The shortest pauses when the provider names one. In a storm that goes on we wait longer than it asks.
    static let namedPauses: [Duration] = [1, 2, 4, 8, 16, 30].map { .seconds($0) }
    /// The waits before the log reads that find out whether an outage is over.
    static let readPauses: [Duration] = [5, 10, 20, 40, 80, 160, 300].map { .seconds($0) }
    /// This many timeouts and 5xx answers in a row, over all calls and logs, mean an outage of the provider.
    static let badAnswerLimit = AnswerTable.outageLimit
    /// Trouble that returns within this time is the same. It is the longest wait of the ladders.
    private static let span = Duration.seconds(300)

    /// The gate shuts. Trouble of the same reason keeps its beginning.
    mutating func shut(_ reason: CallGate.Closed, at now: Timestamp) {
        if self.reason != reason { began = now }
        self.reason = reason
    }

    /// Calls may begin again, one at a time.
    mutating func reopen(at now: Timestamp) {
        reopened = now
    }

    /// The provider answered a call, so the trouble is over.
    mutating func forget() {
        self = GateMemory()
    }

    /// Call it before new trouble, while the gate is open.
    mutating func forgetIfLongAgo(_ now: Timestamp) {
        if let reopened, now >= reopened, now - reopened <= Self.span { return }
        forget()
    }

    // MARK: - Ladders

    /// The length of a pause: one step longer, unless a pause is `inForce` already.
    ///
    /// - Parameter asked: the pause that the provider named; nil when it named none.
    mutating func pause(asked: Duration?, inForce: Bool) -> Duration {
        if !inForce { pausesInARow += 1 }
        let ladder = asked == nil ? Self.unnamedPauses : Self.namedPauses
        let least = ladder[min(max(pausesInARow, 1), ladder.count) - 1]
        return min(max(asked ?? least, least), GatePause.bounds.upperBound)
    }

    /// The wait before the next log read in an outage, one step longer each time.
    mutating func readPause() -> Duration {
        defer { readsInARow += 1 }
        return Self.readPauses[min(readsInARow, Self.readPauses.count - 1)]
    }

    /// The last read was answered, so the step for the next read is taken back.
    mutating func readAnswered() {
        readsInARow = max(1, readsInARow - 1)
    }

    // MARK: - Bad answers

    /// - Returns: whether these are enough in a row for an outage.
    mutating func badCall() -> Bool {
        badCallsInARow += 1
        return isRow
    }

    /// - Returns: whether these are enough in a row for an outage.
    mutating func badRead() -> Bool {
        badReadsInARow += 1
        return isRow
    }

    /// A readable log does not end a row of bad calls, because calls and logs need not fail together.
    mutating func goodRead() {
        badReadsInARow = 0
    }

    /// A call was answered, or an outage began.
    mutating func endRow() {
        badCallsInARow = 0
        badReadsInARow = 0
    }

    private var isRow: Bool { badCallsInARow + badReadsInARow >= Self.badAnswerLimit }
}
