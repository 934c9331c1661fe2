/// The clock of a virtual world. A sleep ends when all jobs that are ready before its deadline have run.
package struct VirtualClock: Clock {
    /// The time since the world's beginning.
    package struct Instant: InstantProtocol {
        package let offset: Duration

        package func advanced(by duration: Duration) -> Instant {
            Instant(offset: offset + duration)
        }

        package func duration(to other: Instant) -> Duration {
            other.offset - offset
        }

        package static func < (left: Instant, right: Instant) -> Bool {
            left.offset < right.offset
        }
    }

    let time: VirtualTime

    package var now: Instant { Instant(offset: time.now) }
    package var minimumResolution: Duration { .nanoseconds(1) }

    /// - Throws: `CancellationError` at once when the calling task is cancelled.
    package func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        try await time.sleep(until: deadline.offset)
    }
}
