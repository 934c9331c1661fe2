import Synchronization

/// Cancels work that takes too long. One sleeping task serves all work at once, because setting and clearing a timer
/// for each exchange costs as much as sending it.
final class Deadlines: Sendable {
    /// Thrown when the time of the work was over before it ended.
    struct DeadlinePassed: Error {}

    private struct State {
        var number: UInt64 = 0
        var running: [UInt64: (end: ContinuousClock.Instant, cancel: @Sendable () -> Void)] = [:]
        /// When the sleeping task wakes; nil when no task sleeps.
        var wakes: ContinuousClock.Instant?
    }

    private let state = Mutex(State())

    /// Runs `work` in its own task. The task is cancelled when `limit` has passed or the caller is cancelled.
    ///
    /// - Throws: what `work` throws, or ``DeadlinePassed`` in its place when the time was over.
    func run<Value: Sendable>(
        within limit: Duration, _ work: sending @escaping @isolated(any) () async throws -> Value
    ) async throws -> Value {
        let task = Task(operation: work)
        let entry = add(ContinuousClock.now + limit) { task.cancel() }
        let result = await withTaskCancellationHandler {
            await task.result
        } onCancel: {
            task.cancel()
        }
        let isInTime = remove(entry)
        if case .failure = result, !isInTime { throw DeadlinePassed() }
        return try result.get()
    }

    private func add(_ end: ContinuousClock.Instant, _ cancel: @escaping @Sendable () -> Void) -> UInt64 {
        let (entry, isSooner) = state.withLock { state in
            state.number += 1
            state.running[state.number] = (end, cancel)
            let isSooner = state.wakes.map { end < $0 } ?? true
            if isSooner { state.wakes = end }
            return (state.number, isSooner)
        }
        if isSooner { Task { await sleep(until: end) } }
        return entry
    }

    /// - Returns: false when the deadline of this entry has already passed.
    private func remove(_ entry: UInt64) -> Bool {
        state.withLock { $0.running.removeValue(forKey: entry) != nil }
    }

    /// Sleeps from one deadline to the next while any work runs. Ends when another task sleeps until an earlier one.
    private func sleep(until wake: ContinuousClock.Instant) async {
        var wake = wake
        while true {
            try? await ContinuousClock().sleep(until: wake)
            let now = ContinuousClock.now
            let (late, next) = state.withLock { state -> ([@Sendable () -> Void], ContinuousClock.Instant?) in
                guard state.wakes == wake else { return ([], nil) }
                let late = state.running.filter { $0.value.end <= now }
                for entry in late.keys { state.running[entry] = nil }
                state.wakes = state.running.values.map(\.end).min()
                return (late.values.map(\.cancel), state.wakes)
            }
            late.forEach { $0() }
            guard let next else { return }
            wake = next
        }
    }
}
