import ServiceLifecycle

/// Lets one loop sleep until its time comes or somebody rings. A ring while nobody sleeps is kept for the next sleeper.
package actor Bell {
    private var isRung = false
    /// Ends the present sleep; nil when nobody sleeps.
    private var wake: AsyncStream<Never>.Continuation?

    package init() {}

    package func ring() {
        isRung = true
        wake?.finish()
    }

    /// Returns after `duration`, at a ring, when a graceful shutdown begins, or when the calling task is cancelled.
    ///
    /// It makes child tasks only, because a simulation needs them on the caller's executor.
    package func sleep(for duration: Duration, clock: any Clock<Duration>) async {
        guard !isRung, duration > .zero else {
            isRung = false
            return
        }
        let (wakes, wake) = AsyncStream<Never>.makeStream()
        self.wake = wake
        await withGracefulShutdownHandler {
            await withTaskGroup { group in
                group.addTask { _ = try? await clock.sleep(for: duration) }
                group.addTask { for await _ in wakes {} }
                await group.next()
                group.cancelAll()
            }
        } onGracefulShutdown: {
            wake.finish()
        }
        self.wake = nil
        isRung = false
    }
}
