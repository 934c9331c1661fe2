import DeliveryQueue
import ProviderAPI
import ServiceLifecycle

/// Every request for a page of a log begins here, also one that fails later. It spaces them, of all endpoints together,
/// by `poll.requests_per_minute`, and counts them for the metrics.
actor RequestBudget {
    /// Between the beginnings of two requests; nil: they are not limited.
    private let gap: Duration?
    private var queue = RequestQueue()
    /// When the next request may begin.
    private var isFree = Duration.zero
    /// Requests that the database does not know of yet.
    private var uncounted: [PagePurpose: Int] = [:]
    private let clock: any Clock<Duration>
    private let pause: @Sendable () async -> Duration?
    private let steady: @Sendable () -> Duration

    /// While another's turn has come and it has not taken it yet.
    private static let moment = Duration.milliseconds(10)

    /// - Parameters:
    ///   - perMinute: nil: no limit.
    ///   - pause: for how long the provider wants no log to be read; nil: it lets them be read.
    init(
        perMinute: Int?, clock: any Clock<Duration>, pause: @escaping @Sendable () async -> Duration? = { nil }
    ) {
        gap = perMinute.map { .seconds(60) / $0 }
        self.clock = clock
        self.pause = pause
        steady = stopwatch(clock)
    }

    /// Waits until a page may be asked for.
    ///
    /// - Returns: false when a stop has begun meanwhile: the page is not wanted any more.
    /// - Throws: `ReadingPaused` while the provider wants no log to be read; `CancellationError` when the task is
    ///   cancelled.
    func turn(for purpose: PagePurpose, of endpointID: String) async throws -> Bool {
        guard try await isGranted(purpose, of: endpointID) else { return false }
        if let pause = await pause() { throw ReadingPaused(left: pause) }
        uncounted[purpose, default: 0] += 1
        return true
    }

    private func isGranted(_ purpose: PagePurpose, of endpointID: String) async throws -> Bool {
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

    /// Adds the requests since the last time to the counters of the database. A kill between two of these loses a few;
    /// to write each request down would cost a transaction more than the page.
    ///
    /// - Throws: `StoreError`; the requests are then added the next time.
    func count(in store: QueueStore, at now: Timestamp) async throws {
        let requests = uncounted
        uncounted = [:]
        do {
            try await store.count(requests, at: now)
        } catch {
            uncounted.merge(requests) { $0 + $1 }
            throw error
        }
    }
}

/// The provider has answered 429 to another request for a page, and wants none to follow for a while.
struct ReadingPaused: Error, CustomStringConvertible {
    let left: Duration

    var description: String {
        "read log: the provider wants no log to be read for another \(max(1, Int(left.inSeconds))) s (HTTP 429)"
    }
}
