import Synchronization

/// A clock by which ten seconds pass at each look, and none in a sleep: whatever was just made is old.
package final class LeapingClock: Clock {
    package struct Instant: InstantProtocol {
        let offset: Duration

        package func advanced(by duration: Duration) -> Instant { Instant(offset: offset + duration) }
        package func duration(to other: Instant) -> Duration { other.offset - offset }
        package static func < (left: Instant, right: Instant) -> Bool { left.offset < right.offset }
    }

    private let offset = Mutex(Duration.zero)

    package init() {}

    package var now: Instant {
        offset.withLock { offset in
            offset += .seconds(10)
            return Instant(offset: offset)
        }
    }

    package var minimumResolution: Duration { .nanoseconds(1) }

    package func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        try Task.checkCancellation()
    }
}
