/// Lets one loop sleep until its time comes or something happens that it should look at. A ring while nobody sleeps is
/// kept for the next sleeper.
package actor Bell {
    private var isRung = false
    private var sleeper: Task<Void, Never>?

    package init() {}

    package func ring() {
        isRung = true
        sleeper?.cancel()
    }

    /// Returns after `duration`, at a ring, or when the calling task is cancelled; never longer.
    package func sleep(for duration: Duration, clock: any Clock<Duration>) async {
        guard !isRung, duration > .zero else {
            isRung = false
            return
        }
        let sleeper = Task { _ = try? await clock.sleep(for: duration) }
        self.sleeper = sleeper
        await withTaskCancellationHandler {
            await sleeper.value
        } onCancel: {
            sleeper.cancel()
        }
        self.sleeper = nil
        isRung = false
    }
}
