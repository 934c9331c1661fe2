import DeliveryQueue

/// Connects the daemon with operators' commands through the database. An operator's action wakes the daemon, so that a
/// retry or a resumed endpoint does not wait for the dispatcher's next look. The daemon stores why it makes no calls,
/// so that `redeliver deliveries show` can say it.
struct OperatorWatch {
    let store: QueueStore
    let gate: SharedGate
    private var newestAction: Int64?
    /// nil when nothing was stored since the start; an earlier process's pause may then stand in the database.
    private var recordedPause: Pause?

    /// The shortest time between two looks. `redeliver deliveries retry` promises that a daemon acts within a second.
    static let interval = Duration.milliseconds(500)
    /// The longest time between two looks: the gate changes without a write to the file.
    static let longestInterval = Duration.seconds(15)

    private struct Pause: Equatable {
        var reason: CallGate.Closed?
        var until: Timestamp?
    }

    init(store: QueueStore, gate: SharedGate) {
        self.store = store
        self.gate = gate
    }

    /// - Returns: whether an operator acted since the last look; false for the first look.
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
