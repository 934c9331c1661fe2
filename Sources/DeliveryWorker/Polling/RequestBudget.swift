import DeliveryQueue
import ServiceLifecycle

/// Spaces the requests for pages of the logs, of all endpoints together, by `poll.requests_per_minute`.
actor RequestBudget {
    /// Between the beginnings of two requests; nil: they are not limited.
    private let gap: Duration?
    private var queue = RequestQueue()
    /// When the next request may begin.
    private var isFree = Duration.zero
    private let clock: any Clock<Duration>
    private let steady: @Sendable () -> Duration

    /// While another's turn has come and it has not taken it yet.
    private static let moment = Duration.milliseconds(10)

    /// - Parameter perMinute: nil: no limit.
    init(perMinute: Int?, clock: any Clock<Duration>) {
        gap = perMinute.map { .seconds(60) / $0 }
        self.clock = clock
        steady = stopwatch(clock)
    }

    /// Waits until a page may be asked for.
    ///
    /// - Returns: false when a stop has begun meanwhile: the page is not wanted any more.
    /// - Throws: `CancellationError` when the task is cancelled.
    func turn(for purpose: PagePurpose, of endpointID: String) async throws -> Bool {
        guard let gap else { return true }
        let ticket = queue.add(purpose, of: endpointID)
        while !Task.isShuttingDownGracefully {
            let now = steady()
            if now >= isFree, queue.next == ticket {
                queue.take(ticket)
                isFree = now + gap
                return true
            }
            let pause = now < isFree ? isFree - now : Self.moment
            // A bell that nobody rings ends its sleep at a stop, and keeps to the caller's executor.
            await Bell().sleep(for: pause, clock: clock)
            guard !Task.isCancelled else { break }
        }
        queue.remove(ticket)
        try Task.checkCancellation()
        return false
    }
}
