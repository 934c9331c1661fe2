import DeliveryQueue
import Synchronization

@testable import DeliveryWorker

/// Wall time that moves only when a test says so, or when something sleeps on `clock`.
final class VirtualTime: Sendable {
    private let current: Mutex<Timestamp>

    /// 2025-06-15T12:00:00Z, unless a test wants another.
    init(_ start: Timestamp = .noon) {
        current = Mutex(start)
    }

    var now: Timestamp { current.withLock { $0 } }

    var wallClock: WallClock { WallClock { self.now } }

    /// A clock on which every sleep ends at once and moves the wall time by its length.
    var clock: any Clock<Duration> { SkippingClock(time: self) }

    func advance(by duration: Duration) {
        current.withLock { $0 = $0 + duration }
    }

    func set(_ time: Timestamp) {
        current.withLock { $0 = time }
    }
}

/// Monotonic time in steps of its own.
struct VirtualInstant: InstantProtocol {
    var offset: Duration

    func advanced(by duration: Duration) -> VirtualInstant {
        VirtualInstant(offset: offset + duration)
    }

    func duration(to other: VirtualInstant) -> Duration {
        other.offset - offset
    }

    static func < (left: VirtualInstant, right: VirtualInstant) -> Bool {
        left.offset < right.offset
    }
}

private struct SkippingClock: Clock {
    let time: VirtualTime

    var now: VirtualInstant { VirtualInstant(offset: time.now - Timestamp(milliseconds: 0)) }
    var minimumResolution: Duration { .milliseconds(1) }

    func sleep(until deadline: VirtualInstant, tolerance: Duration?) async throws {
        try Task.checkCancellation()
        time.advance(by: max(.zero, now.duration(to: deadline)))
    }
}

/// A clock on which nobody wakes before the test says so, and which tells the test who went to sleep for how long.
final class SteppedClock: Clock {
    private struct Sleeper {
        let length: Duration
        let continuation: CheckedContinuation<Void, any Error>
    }

    private struct State {
        var sleepers: [Int: Sleeper] = [:]
        var cancelled: Set<Int> = []
        var next = 0
    }

    private let state = Mutex(State())
    private let asked: AsyncStream<Duration>.Continuation
    /// The length of each sleep, when it begins.
    let sleeps: AsyncStream<Duration>

    init() {
        (sleeps, asked) = AsyncStream.makeStream()
    }

    var now: VirtualInstant { VirtualInstant(offset: .zero) }
    var minimumResolution: Duration { .milliseconds(1) }

    func sleep(until deadline: VirtualInstant, tolerance: Duration?) async throws {
        let number = state.withLock { state in
            state.next += 1
            return state.next
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                let isCancelled = state.withLock { state in
                    if state.cancelled.contains(number) { return true }
                    state.sleepers[number] = Sleeper(length: deadline.offset, continuation: continuation)
                    return false
                }
                if isCancelled { continuation.resume(throwing: CancellationError()) }
                asked.yield(deadline.offset)
            }
        } onCancel: {
            let sleeper = state.withLock { state in
                state.cancelled.insert(number)
                return state.sleepers.removeValue(forKey: number)
            }
            sleeper?.continuation.resume(throwing: CancellationError())
        }
    }

    /// Ends all sleeps that are under way, or those that are no longer than `longest`.
    func wake(upTo longest: Duration? = nil) {
        let woken = state.withLock { state in
            let woken = state.sleepers.filter { _, sleeper in longest.map { sleeper.length <= $0 } ?? true }
            for number in woken.keys { state.sleepers[number] = nil }
            return woken
        }
        for sleeper in woken.values { sleeper.continuation.resume() }
    }
}

extension Timestamp {
    /// 2025-06-15T12:00:00Z.
    static let noon = Timestamp(milliseconds: 1_749_988_800_000)

    /// Noon and this many seconds; negative ones lie before it.
    static func noon(_ seconds: Double) -> Timestamp {
        Timestamp(milliseconds: noon.milliseconds + Int64((seconds * 1_000).rounded()))
    }
}
