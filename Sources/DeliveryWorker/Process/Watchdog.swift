import DeliveryQueue
import Logging
import ServiceLifecycle

/// Tells the service manager that the daemon is alive while every loop completes its turns in time. The manager kills
/// and restarts a daemon that hangs; the next start recovers the calls in flight, as after any kill.
struct Watchdog: Service, CustomStringConvertible {
    let manager: ServiceManager
    let vitals: Vitals
    let clock: any Clock<Duration>
    let logger: Logger

    var description: String { "watchdog" }

    func run() async throws {
        if let limit = manager.watchdog {
            // Two late messages in a row are no hang yet.
            await watch(every: limit / 3)
        } else {
            try? await gracefulShutdown()
        }
        manager.tell(.stopping)
    }

    private func watch(every interval: Duration) async {
        var known: Set<String> = []
        while !Task.isCancelled, !Task.isShuttingDownGracefully {
            let stalled = await vitals.stalledLoops
            if stalled.isEmpty { manager.tell(.alive) }
            for loop in stalled.subtracting(known).sorted() {
                logger.critical(
                    "a loop hangs; the service manager is not told any more that the daemon is alive",
                    metadata: ["loop": "\(loop)"])
            }
            known = stalled
            await cancelWhenGracefulShutdown { _ = try? await clock.sleep(for: interval) }
        }
    }
}
