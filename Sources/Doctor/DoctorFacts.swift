package import DeliveryQueue
package import ProviderAPI
package import RedeliverConfiguration

/// Everything that the doctor judges by, gathered at one moment. What could not be gathered says why.
package struct DoctorFacts: Sendable {
    package var now: Timestamp
    package var configuration: Result<WorkerConfiguration, ConfigurationError>
    /// nil: neither the configuration nor the command line names one.
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
    /// Whether the user who asks may read it; of a folder, also enter it.
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

    /// Whether its owner's user may write to it, by the permission bits alone.
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

/// The database's files and their folder; nil for those that do not exist.
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

/// The metrics file and its folder; nil for what does not exist.
package struct MetricsFacts: Sendable, Equatable {
    package var path: String
    package var interval: Duration
    package var folder: FileFacts?
    package var file: FileFacts?
    /// What a crash left of a file that was being written.
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

/// What came of reading the first page of an endpoint's log.
package struct EndpointReading: Sendable {
    package var id: String
    package var name: String
    /// nil: not asked, because an earlier answer told that it would be in vain.
    package var outcome: Result<Page, ProviderError>?
    /// From asking to the last byte of the answer.
    package var duration: Duration
    /// Our clock when it was asked, and when the answer was there.
    package var asked: Timestamp
    package var answered: Timestamp

    package struct Page: Sendable, Equatable {
        package var entries: Int
        package var unreadable: Int
        /// The provider's clock, in whole seconds; nil without a `Date` header.
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
    /// What a user who is not root may still write; nil: it could not be asked.
    package var freeBytes: Int64?
    /// nil where the file system has no such limit.
    package var freeFiles: Int64?
    /// The name of the network file system that the folder lies on; nil: it lies on none.
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
