import DeliveryQueue
import Logging
import ServiceLifecycle

/// Ends the daemon when it has lost its database. Every write is refused from that moment on; this only sees to it that
/// the process says so and ends, also when it has nothing to write.
struct TenureWatch: Service, CustomStringConvertible {
    let store: QueueStore
    let clock: any Clock<Duration>
    let deadline: StopDeadline
    let logger: Logger

    /// Short, because meanwhile calls are still under way.
    private static let interval = Duration.seconds(1)

    var description: String { "tenure" }

    /// - Throws: `StoreError` of the kind `displaced`, which ends all other services.
    func run() async throws {
        while !Task.isCancelled, !Task.isShuttingDownGracefully {
            do throws(StoreError) {
                try await store.confirmTenure()
            } catch  where error.kind == .displaced {
                logger.critical("the database is lost; no more calls are made", metadata: ["error": "\(error)"])
                deadline.begin()
                throw error
            } catch {
                // A database that cannot be read now is the loops' business.
            }
            await cancelWhenGracefulShutdown { _ = try? await clock.sleep(for: Self.interval) }
        }
    }
}
