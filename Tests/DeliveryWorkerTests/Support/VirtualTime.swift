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
        // A loop that never waits would keep the others from the few threads that there are.
        await Task.yield()
        try Task.checkCancellation()
        time.advance(by: max(.zero, now.duration(to: deadline)))
    }
}

/// A clock on which nobody wakes before the test says so, and which tells the test who went to sleep for how long.
final class SteppedClock: Clock {
    private let sleepers = Sleepers()
    private let asked: AsyncStream<Duration>.Continuation
    /// The length of each sleep, when it begins.
    let sleeps: AsyncStream<Duration>

    init() {
        (sleeps, asked) = AsyncStream.makeStream()
    }

    var now: VirtualInstant { VirtualInstant(offset: .zero) }
    var minimumResolution: Duration { .milliseconds(1) }

    func sleep(until deadline: VirtualInstant, tolerance: Duration?) async throws {
        try await sleepers.sleep(until: deadline.offset) { asked.yield(deadline.offset) }
    }

    /// Ends all sleeps that are under way, or those that are no longer than `longest`.
    func wake(upTo longest: Duration? = nil) {
        sleepers.wake(upTo: longest)
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
