import DeliveryQueue

/// What the daemon and operators' commands tell each other through the database: a change by an operator wakes the daemon,
/// so that a retry asked for or a resumed endpoint need not wait for the dispatcher's next look; and the daemon writes down
/// why it makes no calls, so that `redeliver deliveries show` can say it.
struct OperatorWatch {
    let store: QueueStore
    let gate: SharedGate
    private var newestAction: Int64?
    /// nil: not written since the start, when that of an earlier process may stand there.
    private var recordedPause: Pause?

    /// Between two looks at least: `redeliver deliveries retry` promises that a running daemon acts within a second.
    static let interval = Duration.milliseconds(500)
    /// Between two looks at most, where the file tells that it was written to: why the daemon makes no calls changes without.
    static let longestInterval = Duration.seconds(15)

    private struct Pause: Equatable {
        var reason: CallGate.Closed?
        var until: Timestamp?
    }

    init(store: QueueStore, gate: SharedGate) {
        self.store = store
        self.gate = gate
    }

    /// - Returns: whether an operator did something since the last look; the first look only takes note.
    mutating func runOnce(at now: Timestamp) async throws -> Bool {
        let standing = await gate.standing(at: now)
        let pause = Pause(reason: standing.reason, until: standing.until)
        if pause != recordedPause {
            try await store.recordPause(pause.reason?.rawValue, until: pause.until, at: now)
            recordedPause = pause
        }
        let newest = try await store.newestOperatorAction()
        defer { newestAction = newest }
        return newestAction.map { newest > $0 } ?? false
    }
}
