import DatabaseTools
package import DeliveryQueue
import DeliveryWorker
import ProviderAPI
import RedeliverConfiguration

/// All facts that the doctor judges, gathered at one moment. A missing fact says why it is missing.
package struct DoctorFacts: Sendable {
    package var now: Timestamp
    var configuration: Result<WorkerConfiguration, ConfigurationError>
    /// nil when neither the configuration nor the command line names a database.
    var databasePath: String?
    var database: Result<DatabaseHealth, StoreError>?
    var daemon: DaemonPresence?
    var files: DatabaseFiles?
    var metrics: MetricsFacts?
    var provider: Result<[EndpointReading], Unknown> = .failure(Unknown("the configuration cannot be used"))
    var disks: [DiskFacts] = []
}

/// A file or folder as `stat` and `access` see it.
struct FileFacts: Sendable, Equatable {
    var path: String
    /// The permission bits, set-group-ID included.
    var mode: UInt32
    var user: UInt32 = 0
    var group: UInt32 = 0
    var bytes: Int64 = 0
    var modified: Timestamp
    var isFolder = false
    /// Whether this user may read it; for a folder, also enter it.
    var isReadable = true
    var isWritable = true

    /// Whether another user may write to it, by the permission bits alone.
    func isWritable(byUser other: UInt32, group otherGroup: UInt32) -> Bool {
        if other == 0 { return true }
        if other == user { return mode & 0o200 != 0 }
        return mode & (otherGroup == group ? 0o020 : 0o002) != 0
    }

    /// `0640`.
    var modeText: String {
        let digits = String(mode, radix: 8)
        return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }
}

/// The database's files and their folder; nil for a file that does not exist.
struct DatabaseFiles: Sendable, Equatable {
    var folder: FileFacts?
    var main: FileFacts?
    var wal: FileFacts?
    var shm: FileFacts?
    /// For the owner alone.
    var lock: FileFacts?
    /// Tells readers that a daemon runs.
    var presence: FileFacts?
    /// The name of the main file's group, or its number.
    var groupName = "root"

    var all: [FileFacts] { readable + [lock].compactMap { $0 } }
    /// Those that the group reads.
    var readable: [FileFacts] { [main, wal, shm, presence].compactMap { $0 } }
}

/// The metrics file and its folder; nil for a file that does not exist.
struct MetricsFacts: Sendable, Equatable {
    var path: String
    var interval: Duration
    var folder: FileFacts?
    var file: FileFacts?
    /// Half-written files that crashes left, or that are being written.
    var leftovers: [FileFacts] = []
}

/// The result of reading the first page of an endpoint's log.
struct EndpointReading: Sendable {
    var id: String
    var name: String
    /// nil when it was not read, because an earlier answer showed that it would fail too.
    var outcome: Result<Page, ProviderError>?
    /// From the request to the last byte of the answer.
    var duration = Duration.zero
    /// Our time of the request and of the answer.
    var asked: Timestamp
    var answered: Timestamp

    struct Page: Sendable, Equatable {
        var entries: Int
        var unreadable = 0
        /// The provider's time, in whole seconds; nil without a `Date` header.
        var serverTime: Timestamp?
        /// What its link to the next page has wrong although it can be followed.
        var nextCorrection: LinkCorrection?
        /// Why its link to the next page cannot be followed.
        var nextFault: ProviderError?
    }
}

/// The space of a file system, as `statvfs` sees it.
struct DiskFacts: Sendable, Equatable {
    enum Use: String, Sendable, CaseIterable {
        case database, metrics
    }

    var use: Use
    var folder: String
    /// The bytes that a user other than root may still write; nil when unknown.
    var freeBytes: Int64?
    /// nil when the file system has no such limit.
    var freeFiles: Int64?
    /// What the daemon keeps free for the results of calls.
    var reserve = DiskReserve.standard(ofFileSystem: nil)
    /// The network file system of the folder, such as nfs; nil for a local disk.
    var network: String?
}
