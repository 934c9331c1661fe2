import DeliveryQueue

/// What a gate remembers of the trouble it is in: since when, how often in a row it had to shut, and so for how long the
/// next time. Trouble that comes back soon after the gate opened, before a call was answered, is the same trouble.
struct GateMemory: Sendable, Equatable {
    /// When the present reason, or the last one, began.
    private(set) var began: Timestamp?
    private var reason: CallGate.Closed?
    private var reopened: Timestamp?
    private var pausesInARow = 0
    private var readsInARow = 0
    private var badCallsInARow = 0
    private var badReadsInARow = 0

    /// The pauses where the provider names none, one after the other as long as no call is answered in between.
    static let unnamedPauses: [Duration] = [30, 60, 120, 240, 300].map { .seconds($0) }
    /// The least pauses where it names one: a storm that goes on is left alone for longer than it asks.
    static let namedPauses: [Duration] = [1, 2, 4, 8, 16, 30].map { .seconds($0) }
    /// The waits before the reads of a log that tell whether an outage is over.
    static let readPauses: [Duration] = [5, 10, 20, 40, 80, 160, 300].map { .seconds($0) }
    /// Timeouts and 5xx in a row, over all calls and logs, that count as an outage of the provider itself.
    static let badAnswerLimit = 5
    /// How soon is soon: the longest wait of the ladders, so that trouble at their end is still known.
    private static let span = Duration.seconds(300)

    /// The gate shuts: since when, unless it was shut for this reason before.
    mutating func shut(_ reason: CallGate.Closed, at now: Timestamp) {
        if self.reason != reason { began = now }
        self.reason = reason
    }

    /// Calls may begin again, one at a time.
    mutating func reopen(at now: Timestamp) {
        reopened = now
    }

    /// The provider answered a call: whatever it was is over.
    mutating func forget() {
        self = GateMemory()
    }

    /// To be told before new trouble, while the gate is open.
    mutating func forgetIfLongAgo(_ now: Timestamp) {
        if let reopened, now >= reopened, now - reopened <= Self.span { return }
        forget()
    }

    // MARK: - Ladders

    /// The length of a pause, a rung up when it is not the one `inForce` already.
    ///
    /// - Parameter asked: what the provider named; nil when it named nothing.
    mutating func pause(asked: Duration?, inForce: Bool) -> Duration {
        if !inForce { pausesInARow += 1 }
        let ladder = asked == nil ? Self.unnamedPauses : Self.namedPauses
        let least = ladder[min(max(pausesInARow, 1), ladder.count) - 1]
        return min(max(asked ?? least, least), GatePause.bounds.upperBound)
    }

    /// The wait before the next read of a log in an outage, a rung up each time.
    mutating func readPause() -> Duration {
        defer { readsInARow += 1 }
        return Self.readPauses[min(readsInARow, Self.readPauses.count - 1)]
    }

    /// The last read was answered: the rung that was taken for the next one was not needed.
    mutating func readAnswered() {
        readsInARow = max(1, readsInARow - 1)
    }

    // MARK: - Answers that are none

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

    /// A log that can be read breaks no row of bad calls: the two need not fail together.
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
