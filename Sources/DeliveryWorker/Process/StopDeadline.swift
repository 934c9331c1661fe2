import DeliveryQueue
import Dispatch
import Logging
import Synchronization

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Ends the process when its stop does not end by itself. It stands outside of all tasks: what hangs may hold their
/// threads.
final class StopDeadline: Sendable {
    private let limit: Duration
    private let logger: Logger
    private let giveUp: @Sendable () -> Void
    private let hasBegun = Mutex(false)

    /// - Parameters:
    ///   - limit: how long a stop may take.
    ///   - giveUp: ends the process with an exit code of its own.
    init(after limit: Duration, logger: Logger, giveUp: @escaping @Sendable () -> Void) {
        self.limit = limit
        self.logger = logger
        self.giveUp = giveUp
    }

    /// The stop begins now. A second call changes nothing.
    func begin() {
        let isFirst = hasBegun.withLock { hasBegun in
            defer { hasBegun = true }
            return !hasBegun
        }
        guard isFirst else { return }
        let (limit, logger, giveUp) = (limit, logger, giveUp)
        DispatchQueue.global().asyncAfter(deadline: .now() + .milliseconds(Int(limit.wholeMilliseconds))) {
            logger.critical(
                "the stop takes too long and is given up; the next start recovers the calls in flight",
                metadata: ["limit": "\(limit)"])
            giveUp()
        }
    }

    /// Runs the daemon's work. SIGTERM and SIGINT, which others turn into its stop, begin the deadline.
    func watchingSignals(_ work: () async throws -> Void) async throws {
        let sources = [SIGTERM, SIGINT].map { number in
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { [self] in begin() }
            source.activate()
            return source
        }
        defer { sources.forEach { $0.cancel() } }
        try await work()
    }
}
