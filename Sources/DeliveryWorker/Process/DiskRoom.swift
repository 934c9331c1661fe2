import DeliveryQueue
import Foundation
package import Logging

/// Measures the room on the database's file system for all duties, and logs when reading stops and when it continues.
package actor DiskRoom {
    private let measure: @Sendable () -> Int64?
    private let logger: Logger
    /// The reserve where none is configured.
    private let standard: Int64
    private var reserve: DiskReserve

    /// How long a poller waits that found no room.
    static let pause = Duration.seconds(5)

    /// A new one without limits, for simulations and tests. Simulations must not share one: an actor would run jobs of
    /// one on the thread of the other.
    package static var endless: DiskRoom {
        DiskRoom(logger: Logger(label: "redeliver", factory: { _ in SwiftLogNoOpLogHandler() })) { nil }
    }

    /// - Parameter measure: the bytes that this user may still write; nil when unknown.
    package init(
        logger: Logger, standard: Int64 = DiskReserve.standard(ofFileSystem: nil),
        _ measure: @escaping @Sendable () -> Int64?
    ) {
        self.measure = measure
        self.logger = logger
        self.standard = standard
        reserve = DiskReserve(standard)
    }

    package init(database path: String, logger: Logger) {
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
        let standard = DiskReserve.standard(ofFileSystem: DiskSpace(at: folder)?.allBytes)
        self.init(logger: logger, standard: standard) { DiskSpace(at: folder)?.freeBytes }
    }

    /// Keeps so much from now on; nil: the usual share.
    func keep(_ bytes: Int64?) {
        reserve.bytes = bytes ?? standard
    }

    /// Looks at the file system now.
    func look() -> DiskReserve {
        guard reserve.see(measure()) else { return reserve }
        let metadata: Logger.Metadata = [
            "disk.free": "\(reserve.free.map(ByteText.of) ?? "unknown")",
            "disk.reserve": "\(ByteText.of(reserve.bytes))",
        ]
        if reserve.isShort {
            logger.error(
                "disk nearly full: no log is read; calls go on, and their results are recorded", metadata: metadata)
        } else {
            logger.notice("disk has room again: logs are read again", metadata: metadata)
        }
        return reserve
    }

    /// Looks at the file system now; nil when there is room for another page.
    func shortage() -> DiskShortage? {
        let reserve = look()
        return reserve.isShort ? DiskShortage(free: reserve.free ?? 0, reserve: reserve.bytes) : nil
    }
}
