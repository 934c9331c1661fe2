import DeliveryQueue
import Foundation
package import Logging

/// The room on the database's file system, as all who fill it see it. Says once in the log that reading stops, and once
/// that it goes on.
package actor DiskRoom {
    private let measure: @Sendable () -> Int64?
    private let logger: Logger
    private var reserve = DiskReserve()

    /// How often a poller that found no room looks again.
    static let pause = Duration.seconds(5)

    /// A new one without limits, for what is thrown away: simulations and tests. Two simulations must not share an actor:
    /// one would run the other's jobs on its own thread.
    package static var endless: DiskRoom {
        DiskRoom(logger: Logger(label: "redeliver", factory: { _ in SwiftLogNoOpLogHandler() })) { nil }
    }

    /// - Parameter measure: what is free for this user, in bytes; nil: unknown.
    package init(logger: Logger, _ measure: @escaping @Sendable () -> Int64?) {
        self.measure = measure
        self.logger = logger
    }

    package init(database path: String, logger: Logger) {
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
        self.init(logger: logger) { DiskSpace(at: folder)?.freeBytes }
    }

    /// Looks at the file system now.
    func look() -> DiskReserve {
        guard reserve.see(measure()) else { return reserve }
        let metadata: Logger.Metadata = [
            "disk.free": "\(reserve.free.map(ByteText.of) ?? "unknown")",
            "disk.reserve": "\(ByteText.of(DiskReserve.bytes))",
        ]
        if reserve.isShort {
            logger.error(
                "disk nearly full: no log is read; calls go on, and what comes of them is recorded", metadata: metadata)
        } else {
            logger.notice("disk has room again: logs are read", metadata: metadata)
        }
        return reserve
    }

    /// Looks now whether there is room for another page; nil: there is.
    func shortage() -> DiskShortage? {
        let reserve = look()
        return reserve.isShort ? DiskShortage(free: reserve.free ?? 0) : nil
    }
}
