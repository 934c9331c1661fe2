import DeliveryQueue
import ProviderAPI
import RedeliverConfiguration
import Testing

@testable import DatabaseTools
@testable import Doctor

/// What each fact means to the doctor. Every case changes one thing of a healthy installation.
@Suite struct DoctorJudgementTests {
    typealias Change = @Sendable (inout DoctorFacts) -> Void

    private func findings(_ change: Change) throws -> [String: Finding] {
        var facts = try DoctorFacts.healthy()
        change(&facts)
        let findings = Doctor.judge(facts)
        #expect(findings.filter { $0.verdict == .bad }.allSatisfy { $0.advice != nil })
        return Dictionary(uniqueKeysWithValues: findings.map { ($0.name, $0) })
    }

    private func expect(
        _ name: String, _ verdict: Finding.Verdict, _ text: String, sourceLocation: SourceLocation = #_sourceLocation,
        _ change: Change
    ) throws {
        let found = try #require(try findings(change)[name], sourceLocation: sourceLocation)
        #expect(found.verdict == verdict, "\(found)", sourceLocation: sourceLocation)
        let all = found.found + " / " + (found.advice ?? "")
        #expect(all.contains(text), "\(all)", sourceLocation: sourceLocation)
    }

    @Test func `a healthy installation has nothing but good findings`() throws {
        let findings = Doctor.judge(try .healthy())
        #expect(findings.allSatisfy { $0.verdict == .ok && $0.advice == nil }, "\(findings)")
        #expect(
            findings.map(\.name) == [
                "configuration", "secrets and ids", "database schema", "database settings", "database integrity",
                "database size", "logs alike", "bodies",
                "daemon",
                "permissions", "metrics file", "provider", "credential", "endpoint core", "endpoint second", "clock",
                "disk database", "disk metrics",
            ])
    }

    @Test func `a faulty configuration leaves what needs it unknown, and the rest is judged`() throws {
        let error = ConfigurationError(
            path: "/etc/c.yaml",
            faults: [
                ConfigurationFault(line: 3, column: 5, key: "database", problem: "is missing"),
                ConfigurationFault(key: "endpoints", problem: "is missing"),
            ])
        let found = Doctor.judge(DoctorFacts(now: .noon, configuration: .failure(error)))

        #expect(found[0].verdict == .bad)
        #expect(found[0].found == "/etc/c.yaml:3:5: database: is missing (and 1 more)")
        #expect(found[0].advice == "`redeliver check --config /etc/c.yaml` prints every fault")
        #expect(found.dropFirst().allSatisfy { $0.verdict == .unknown })
        #expect(found.count == 16)
    }

    // MARK: - Database

    @Test func `a database that cannot be opened is bad, one that is not there yet a warning`() throws {
        let missing = StoreError(.inaccessible, operation: "read database x", cause: "no such file", hint: "make it")
        try expect("database schema", .bad, "read database x: no such file / make it") {
            $0.database = .failure(missing)
        }
        try expect("database integrity", .unknown, "not readable") { $0.database = .failure(missing) }
        try expect("database schema", .warning, "there is no database yet") {
            $0.database = .failure(missing)
            $0.files?.main = nil
        }
        try expect("permissions", .unknown, "no database file") { $0.files?.main = nil }
    }

    @Test func `the schema has to be this program's`() throws {
        try expect("database schema", .bad, "newer / run the redeliver version that wrote it") {
            $0.health { $0.schemaFault = "newer" }
        }
        try expect("database schema", .warning, "version 2; this program uses version") {
            $0.health { $0.schemaVersion = 2 }
        }
    }

    @Test(arguments: DatabaseHealth.wantedSettings.keys.sorted()) func `each setting has to be as it was made`(
        name: String
    )
        throws
    {
        try expect("database settings", .bad, "\(name) is odd, not ") { $0.health { $0.settings[name] = "odd" } }
        try expect("database settings", .bad, "\(name) is unset") { $0.health { $0.settings[name] = nil } }
    }

    @Test func `damage is bad, and a look that was not at everything says so`() throws {
        try expect("database integrity", .bad, "page 4 is odd / stop the daemon") {
            $0.health { $0.look.faults = ["page 4 is odd"] }
        }
        try expect("database integrity", .ok, "newest 2000 rows") { $0.health { $0.look.newestRows = 2_000 } }
    }

    @Test func `a write-ahead log or free space that grows is a warning`() throws {
        try expect("database size", .warning, "end old sqlite3 sessions") { $0.health { $0.walBytes = 300 << 20 } }
        try expect("database size", .warning, "prune --confirm") {
            $0.health { ($0.bytes, $0.freeBytes) = (500 << 20, 300 << 20) }
        }
        try expect("database size", .ok, "free inside 300 MiB") {
            $0.health { ($0.bytes, $0.freeBytes) = (5_000 << 20, 300 << 20) }
        }
    }

    @Test func `endpoints whose logs show the same rows are a warning`() throws {
        try expect("logs alike", .warning, "one and two: 3 rows / each failure is sent for one of them") {
            $0.health { $0.sameRows = [SameRows(endpoint: "one", other: "two", count: 3)] }
        }
        try expect("logs alike", .unknown, "the schema is not this program's") { $0.health { $0.sameRows = nil } }
    }

    @Test func `bodies that are strings without JSON are a warning`() throws {
        try expect("bodies", .warning, "not JSON: one (python) / it is sent as the log shows it") {
            $0.health { $0.oddBodies = ["one (python)"] }
        }
        try expect("bodies", .unknown, "the schema is not this program's") { $0.health { $0.oddBodies = nil } }
    }

    // MARK: - Daemon, files, metrics

    @Test func `whether a daemon runs`() throws {
        try expect("daemon", .warning, "no daemon runs") { $0.daemon = .absent }
        try expect("daemon", .unknown, "Permission denied") { $0.daemon = .unknown(cause: "Permission denied") }
        try expect("daemon", .ok, "runs") { $0.daemon = .running(process: nil) }
    }

    @Test func `nobody else may read the files, the group may`() throws {
        try expect("permissions", .bad, "mode 0644: every user") { $0.files?.main?.mode = 0o644 }
        try expect("permissions", .bad, "/db-wal has mode 0666") { $0.files?.wal?.mode = 0o666 }
        try expect("permissions", .bad, "replace the database") { $0.files?.folder?.mode = 0o777 }
        try expect("permissions", .warning, "doctor --fix") { $0.files?.shm?.mode = 0o600 }
        try expect("permissions", .warning, "the group cannot enter it / chmod 2750") { $0.files?.folder?.mode = 0o700 }
        try expect("permissions", .warning, "/db-wal has another group") { $0.files?.wal?.group = 77 }
    }

    @Test func `on-call has to be able to read all of them`() throws {
        try expect("permissions", .bad, "you cannot read /data/db (mode 0640) / join the group oncall") {
            $0.files?.main?.isReadable = false
        }
        try expect("permissions", .bad, "you cannot read /data/db-shm") { $0.files?.shm?.isReadable = false }
        try expect("permissions", .bad, "-wal removed under the running daemon") { $0.files?.wal = nil }
        try expect("permissions", .warning, "-wal and -shm missing") {
            $0.daemon = .absent
            $0.files?.wal = nil
            $0.files?.shm = nil
        }
        try expect("permissions", .warning, "-shm missing") {
            $0.daemon = .absent
            $0.files?.shm = nil
        }
    }

    @Test func `the graver of two faults of the files is told`() throws {
        try expect("permissions", .bad, "every user") {
            $0.files?.main?.mode = 0o606
            $0.files?.shm = nil
        }
    }

    @Test func `the metrics file has to be young while a daemon runs`() throws {
        let old = Timestamp.noon(-76)
        try expect("metrics file", .ok, "written 75 s ago") { $0.metrics?.file?.modified = .noon(-75) }
        try expect("metrics file", .bad, "76 s ago, not every 15.0 s / the daemon hangs") {
            $0.metrics?.file?.modified = old
        }
        try expect("metrics file", .warning, "the daemon writes it") {
            $0.metrics?.file?.modified = old
            $0.daemon = .absent
        }
        try expect("metrics file", .bad, "does not exist / look into") { $0.metrics?.file = nil }
        try expect("metrics file", .warning, "does not exist") {
            $0.metrics?.file = nil
            $0.daemon = .absent
        }
    }

    @Test func `the metrics folder has to be there and the daemon's to write`() throws {
        try expect("metrics file", .bad, "doctor --fix") {
            $0.metrics?.folder = nil
            $0.metrics?.file = nil
        }
        try expect("metrics file", .bad, "is not a folder") { $0.metrics?.folder?.isFolder = false }
        try expect("metrics file", .bad, "cannot be written by the database's owner") {
            $0.metrics?.folder?.mode = 0o555
        }
        try expect("metrics file", .ok, "written") {
            $0.metrics?.folder = .folder("/m", 0o770, user: 99, group: 20)
        }
        try expect("metrics file", .bad, "cannot be written") {
            $0.metrics?.folder = .folder("/m", 0o770, user: 99, group: 21)
        }
        // The user who asks is on-call, not the daemon.
        try expect("metrics file", .ok, "written") { $0.metrics?.folder?.isWritable = false }
    }

    @Test func `what a crash left of a metrics file is a warning once it is old`() throws {
        try expect("metrics file", .warning, "/m/redeliver.prom.partial-x was left") {
            $0.metrics?.leftovers = [FileFacts(path: "/m/redeliver.prom.partial-x", mode: 0o644, modified: .noon(-61))]
        }
        try expect("metrics file", .ok, "written") {
            $0.metrics?.leftovers = [FileFacts(path: "/m/redeliver.prom.partial-x", mode: 0o644, modified: .noon(-60))]
        }
    }

    // MARK: - Disk

    private static let edges: [(DiskFacts.Use, Int64, Finding.Verdict)] = [
        (.database, 1_073_741_824, .ok), (.database, 1_073_741_823, .warning), (.database, 134_217_727, .bad),
        (.metrics, 16_777_216, .ok), (.metrics, 16_777_215, .warning), (.metrics, 1_048_575, .bad),
    ]

    @Test(arguments: edges) func `space that runs out`(use: DiskFacts.Use, free: Int64, verdict: Finding.Verdict) throws
    {
        try expect("disk \(use.rawValue)", verdict, "free at /") { facts in
            facts.disks = facts.disks.map { $0.use == use ? DiskFacts(use: use, folder: "/", freeBytes: free) : $0 }
        }
    }

    @Test func `a file system without room for a file, and one that cannot be asked`() throws {
        try expect("disk database", .bad, "no more files can be created") {
            $0.disks[0] = DiskFacts(use: .database, folder: "/d", freeBytes: 1 << 40, freeFiles: 0)
        }
        try expect("disk database", .unknown, "the free space at /d cannot be read") {
            $0.disks[0] = DiskFacts(use: .database, folder: "/d", freeBytes: nil)
        }
        try expect("disk metrics", .unknown, "not known") { $0.disks.removeLast() }
        try expect("disk database", .bad, "/d is on NFS") {
            $0.disks[0] = DiskFacts(use: .database, folder: "/d", freeBytes: 1 << 40, network: "NFS")
        }
    }
}

extension DoctorFacts {
    /// A daemon that does well, asked by somebody of its group.
    static func healthy() throws -> DoctorFacts {
        func file(_ path: String, _ mode: UInt32 = 0o640) -> FileFacts {
            FileFacts(path: path, mode: mode, user: 10, group: 20, modified: .noon(-5))
        }
        let configuration = try WorkerConfiguration.sample(endpoints: "[{id: e1, name: core}, {id: e2, name: second}]")
        return DoctorFacts(
            now: .noon, configuration: .success(configuration), databasePath: "/data/db",
            database: .success(
                DatabaseHealth(
                    settings: DatabaseHealth.wantedSettings, schemaVersion: DatabaseHealth.newestSchema,
                    schemaFault: nil, look: QuickLook(faults: []), bytes: 5 << 20, walBytes: 1 << 20, freeBytes: 0,
                    sameRows: [], oddBodies: [])),
            daemon: .running(process: 4_711),
            files: DatabaseFiles(
                folder: .folder("/data", 0o2750), main: file("/data/db"), wal: file("/data/db-wal"),
                shm: file("/data/db-shm"),
                lock: file("/data/db.lock", 0o600), presence: file("/data/db.running"), groupName: "oncall"),
            metrics: MetricsFacts(
                path: "/m/redeliver.prom", interval: .seconds(15), folder: .folder("/m", 0o755),
                file: file("/m/redeliver.prom", 0o644)),
            provider: .success([.answering("core"), .answering("second")]),
            disks: [
                DiskFacts(use: .database, folder: "/data", freeBytes: 5 << 30, freeFiles: 1_000),
                DiskFacts(use: .metrics, folder: "/m", freeBytes: 5 << 30),
            ])
    }

    fileprivate mutating func health(_ change: (inout DatabaseHealth) -> Void) {
        guard case .success(var health)? = database else { return }
        change(&health)
        database = .success(health)
    }
}

extension FileFacts {
    fileprivate static func folder(_ path: String, _ mode: UInt32, user: UInt32 = 10, group: UInt32 = 20) -> FileFacts {
        FileFacts(path: path, mode: mode, user: user, group: group, modified: .noon(-5), isFolder: true)
    }
}

extension EndpointReading {
    /// Asked at noon and answered half a second later; the provider's clock may be another.
    static func answering(
        _ name: String, _ outcome: Result<Page, ProviderError>? = nil, clock: Double? = 0, unreadable: Int = 0
    ) -> EndpointReading {
        let page = Page(entries: 50, unreadable: unreadable, serverTime: clock.map { .noon($0) })
        return EndpointReading(
            id: name, name: name, outcome: outcome ?? .success(page), duration: .milliseconds(500), asked: .noon,
            answered: .noon(0.5))
    }
}
