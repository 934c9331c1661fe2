import Synchronization

/// Those who sleep on a test's clock, until the test wakes them or their task is cancelled.
final class Sleepers: Sendable {
    private struct Sleeper {
        let deadline: Duration
        let continuation: CheckedContinuation<Void, any Error>
    }

    private struct State {
        var sleepers: [Int: Sleeper] = [:]
        var cancelled: Set<Int> = []
        var next = 0
    }

    private let state = Mutex(State())

    /// The first deadline; nil when nobody sleeps.
    var earliest: Duration? { state.withLock { $0.sleepers.values.map(\.deadline).min() } }

    /// - Parameter begun: called when the sleep has begun and can be ended.
    func sleep(until deadline: Duration, begun: () -> Void = {}) async throws {
        let number = state.withLock { state in
            state.next += 1
            return state.next
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                let isCancelled = state.withLock { state in
                    if state.cancelled.contains(number) { return true }
                    state.sleepers[number] = Sleeper(deadline: deadline, continuation: continuation)
                    return false
                }
                if isCancelled { continuation.resume(throwing: CancellationError()) }
                begun()
            }
        } onCancel: {
            let sleeper = state.withLock { state in
                state.cancelled.insert(number)
                return state.sleepers.removeValue(forKey: number)
            }
            sleeper?.continuation.resume(throwing: CancellationError())
        }
    }

    /// Ends all sleeps, or those whose deadlines are no later than `latest`.
    func wake(upTo latest: Duration? = nil) {
        let woken = state.withLock { state in
            let woken = state.sleepers.filter { _, sleeper in latest.map { sleeper.deadline <= $0 } ?? true }
            for number in woken.keys { state.sleepers[number] = nil }
            return woken
        }
        for (_, sleeper) in woken.sorted(by: { $0.key < $1.key }) { sleeper.continuation.resume() }
    }
}
