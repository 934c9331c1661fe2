import Synchronization

/// Ends what lasts too long. One sleep serves all that is under way: a timer for each exchange, set and taken back thousands
/// of times a second, costs as much as to send it.
final class Deadlines: Sendable {
    struct DeadlinePassed: Error {}

    private struct State {
        var number: UInt64 = 0
        var underWay: [UInt64: (end: ContinuousClock.Instant, cancel: @Sendable () -> Void)] = [:]
        /// When the sleeper wakes; nil: nobody sleeps.
        var wakes: ContinuousClock.Instant?
    }

    private let state = Mutex(State())

    /// Runs `work` in a task of its own, which is cancelled after this time, or with the caller's.
    ///
    /// - Throws: what `work` throws; `DeadlinePassed` in place of it when its time was over.
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
            state.underWay[state.number] = (end, cancel)
            let isSooner = state.wakes.map { end < $0 } ?? true
            if isSooner { state.wakes = end }
            return (state.number, isSooner)
        }
        if isSooner { Task { await sleep(until: end) } }
        return entry
    }

    /// - Returns: false when its deadline has passed before.
    private func remove(_ entry: UInt64) -> Bool {
        state.withLock { $0.underWay.removeValue(forKey: entry) != nil }
    }

    /// Goes on as long as anything is under way, unless a sooner sleeper has taken over.
    private func sleep(until wake: ContinuousClock.Instant) async {
        var wake = wake
        while true {
            try? await ContinuousClock().sleep(until: wake)
            let now = ContinuousClock.now
            let (late, next) = state.withLock { state -> ([@Sendable () -> Void], ContinuousClock.Instant?) in
                guard state.wakes == wake else { return ([], nil) }
                let late = state.underWay.filter { $0.value.end <= now }
                for entry in late.keys { state.underWay[entry] = nil }
                state.wakes = state.underWay.values.map(\.end).min()
                return (late.values.map(\.cancel), state.wakes)
            }
            late.forEach { $0() }
            guard let next else { return }
            wake = next
        }
    }
}
