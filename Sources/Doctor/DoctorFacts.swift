package import DeliveryQueue
package import ProviderAPI
package import RedeliverConfiguration

/// All facts that the doctor judges, gathered at one moment. A missing fact says why it is missing.
package struct DoctorFacts: Sendable {
    package var now: Timestamp
    package var configuration: Result<WorkerConfiguration, ConfigurationError>
    /// nil when neither the configuration nor the command line names a database.
    package var databasePath: String?
    package var database: Result<DatabaseHealth, StoreError>?
    package var daemon: DaemonPresence?
    package var files: DatabaseFiles?
    package var metrics: MetricsFacts?
    package var provider: Result<[EndpointReading], Unknown>
    package var disks: [DiskFacts]

    package init(
        now: Timestamp, configuration: Result<WorkerConfiguration, ConfigurationError>, databasePath: String? = nil,
        database: Result<DatabaseHealth, StoreError>? = nil, daemon: DaemonPresence? = nil,
        files: DatabaseFiles? = nil, metrics: MetricsFacts? = nil,
        provider: Result<[EndpointReading], Unknown> = .failure(Unknown("the configuration cannot be used")),
        disks: [DiskFacts] = []
    ) {
        self.now = now
        self.configuration = configuration
        self.databasePath = databasePath
        self.database = database
        self.daemon = daemon
        self.files = files
        self.metrics = metrics
        self.provider = provider
        self.disks = disks
    }
}

/// A file or folder as `stat` and `access` see it.
package struct FileFacts: Sendable, Equatable {
    package var path: String
    /// The permission bits, set-group-ID included.
    package var mode: UInt32
    package var user: UInt32
    package var group: UInt32
    package var bytes: Int64
    package var modified: Timestamp
    package var isFolder: Bool
    /// Whether this user may read it; for a folder, also enter it.
    package var isReadable: Bool
    package var isWritable: Bool

    package init(
        path: String, mode: UInt32, user: UInt32 = 0, group: UInt32 = 0, bytes: Int64 = 0, modified: Timestamp,
        isFolder: Bool = false, isReadable: Bool = true, isWritable: Bool = true
    ) {
        self.path = path
        self.mode = mode
        self.user = user
        self.group = group
        self.bytes = bytes
        self.modified = modified
        self.isFolder = isFolder
        self.isReadable = isReadable
        self.isWritable = isWritable
    }

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
package struct DatabaseFiles: Sendable, Equatable {
    package var folder: FileFacts?
    package var main: FileFacts?
    package var wal: FileFacts?
    package var shm: FileFacts?
    package var lock: FileFacts?
    /// The name of the main file's group, or its number.
    package var groupName: String

    package init(
        folder: FileFacts?, main: FileFacts?, wal: FileFacts? = nil, shm: FileFacts? = nil, lock: FileFacts? = nil,
        groupName: String = "root"
    ) {
        self.folder = folder
        self.main = main
        self.wal = wal
        self.shm = shm
        self.lock = lock
        self.groupName = groupName
    }

    var all: [FileFacts] { [main, wal, shm, lock].compactMap { $0 } }
}

/// The metrics file and its folder; nil for a file that does not exist.
package struct MetricsFacts: Sendable, Equatable {
    package var path: String
    package var interval: Duration
    package var folder: FileFacts?
    package var file: FileFacts?
    /// A half-written file that a crash left.
    package var leftover: FileFacts?

    package init(
        path: String, interval: Duration, folder: FileFacts?, file: FileFacts?, leftover: FileFacts? = nil
    ) {
        self.path = path
        self.interval = interval
        self.folder = folder
        self.file = file
        self.leftover = leftover
    }
}

/// The result of reading the first page of an endpoint's log.
package struct EndpointReading: Sendable {
    package var id: String
    package var name: String
    /// nil when it was not read, because an earlier answer showed that it would fail too.
    package var outcome: Result<Page, ProviderError>?
    /// From the request to the last byte of the answer.
    package var duration: Duration
    /// Our time of the request and of the answer.
    package var asked: Timestamp
    package var answered: Timestamp

    package struct Page: Sendable, Equatable {
        package var entries: Int
        package var unreadable: Int
        /// The provider's time, in whole seconds; nil without a `Date` header.
        package var serverTime: Timestamp?

        package init(entries: Int, unreadable: Int = 0, serverTime: Timestamp?) {
            self.entries = entries
            self.unreadable = unreadable
            self.serverTime = serverTime
        }
    }

    package init(
        id: String, name: String, outcome: Result<Page, ProviderError>?, duration: Duration = .zero, asked: Timestamp,
        answered: Timestamp
    ) {
        self.id = id
        self.name = name
        self.outcome = outcome
        self.duration = duration
        self.asked = asked
        self.answered = answered
    }
}

/// The space of a file system, as `statvfs` sees it.
package struct DiskFacts: Sendable, Equatable {
    package enum Use: String, Sendable {
        case database, metrics
    }

    package var use: Use
    package var folder: String
    /// The bytes that a user other than root may still write; nil when unknown.
    package var freeBytes: Int64?
    /// nil when the file system has no such limit.
    package var freeFiles: Int64?
    /// The network file system of the folder, such as nfs; nil for a local disk.
    package var network: String?

    package init(
        _ use: Use, folder: String, freeBytes: Int64?, freeFiles: Int64? = nil, network: String? = nil
    ) {
        self.use = use
        self.folder = folder
        self.freeBytes = freeBytes
        self.freeFiles = freeFiles
        self.network = network
    }
}
