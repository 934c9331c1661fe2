import DatabaseTools
import DeliveryQueue
import DeliveryWorker
import Foundation
import ProviderAPI
import RedeliverConfiguration
import TestSupport
import Testing

@testable import Doctor

/// What the doctor sees of real files, and what it mends.
@Suite struct DoctorProbeTests {
    private let folder: TemporaryFolder
    private let now: Timestamp

    init() throws {
        folder = try TemporaryFolder()
        now = WallClock.system.now
    }

    private func probe(textfile: String = "metrics/redeliver.prom") throws -> DoctorProbe {
        DoctorProbe(configuration: .success(try .sample(folder: folder.path, textfile: textfile)), database: nil)
    }

    private func mode(_ name: String) throws -> Int? {
        try FileManager.default.attributesOfItem(atPath: "\(folder.path)/\(name)")[.posixPermissions] as? Int
    }

    private func setAge(_ name: String, _ seconds: Double) throws {
        try FileManager.default.setAttributes(
            [.modificationDate: Date(timeIntervalSince1970: Double(now.milliseconds) / 1_000 - seconds)],
            ofItemAtPath: "\(folder.path)/\(name)")
    }

    @Test func `every fact of a real installation is gathered`() async throws {
        let store = try QueueStore(path: "\(folder.path)/redeliver.db", now: now)
        let facts = try await probe().facts()

        #expect(try facts.database?.get().settings == DatabaseHealth.wantedSettings)
        #expect(facts.daemon == .running(process: Int(ProcessInfo.processInfo.processIdentifier)))
        #expect(facts.files?.main?.bytes ?? 0 > 0 && facts.files?.wal != nil && facts.files?.lock != nil)
        #expect(facts.files?.folder?.isFolder == true && facts.files?.main?.isReadable == true)
        #expect(facts.metrics?.folder == nil && facts.metrics?.interval == .seconds(15))
        #expect(facts.disks.map(\.use) == [.database, .metrics])
        #expect(facts.disks[0].freeBytes ?? 0 > 0 && facts.disks[1].freeBytes == nil)
        let answers = try facts.provider.get()
        #expect(throws: ProviderError.self) { try answers.first?.outcome?.get() }
        try store.close()
    }

    @Test func `looking makes no file`() async throws {
        _ = try await probe().facts()
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == [])
    }

    @Test func `a database that is named is looked at without a configuration`() async throws {
        try QueueStore(path: "\(folder.path)/other.db", now: now).close()
        let error = ConfigurationError(path: "x", faults: [ConfigurationFault(key: "", problem: "missing")])
        let probe = DoctorProbe(
            configuration: .failure(error), database: "\(folder.path)/other.db")

        let facts = await probe.facts()

        #expect(try facts.database?.get().schemaVersion == DatabaseHealth.newestSchema)
        #expect(facts.daemon == .absent && facts.metrics == nil && facts.disks.count == 1)
    }

    // MARK: - Mending

    @Test func `there is nothing to mend in a healthy installation`() throws {
        let store = try QueueStore(path: "\(folder.path)/redeliver.db", now: now)
        for name in ["redeliver.db", "redeliver.db-wal", "redeliver.db-shm", "redeliver.db.running"] {
            try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: "\(folder.path)/\(name)")
        }
        #expect(DoctorRepair(try probe(textfile: "redeliver.prom"), at: now).run() == [])
        try store.close()
    }

    @Test func `the metrics folder is made`() throws {
        #expect(DoctorRepair(try probe(), at: now).run() == [.fixed("made the folder \(folder.path)/metrics")])
        #expect(FileManager.default.fileExists(atPath: "\(folder.path)/metrics"))
        #expect(DoctorRepair(try probe(), at: now).run() == [])
    }

    @Test func `a metrics file that a crash left is removed, a young one is somebody's work`() throws {
        try folder.write("redeliver.prom.partial-0123456789ab", "half")
        let probe = try probe(textfile: "redeliver.prom")
        #expect(DoctorRepair(probe, at: now).run() == [])

        try setAge("redeliver.prom.partial-0123456789ab", 90)
        let removed = "removed \(folder.path)/redeliver.prom.partial-0123456789ab, left by a crash"
        #expect(DoctorRepair(try self.probe(textfile: "redeliver.prom"), at: now).run() == [.fixed(removed)])
        #expect(!FileManager.default.fileExists(atPath: "\(folder.path)/redeliver.prom.partial-0123456789ab"))
    }

    @Test func `the group gets the right to read the database's files and no other`() throws {
        for name in ["redeliver.db", "redeliver.db-wal", "redeliver.db-shm", "redeliver.db.lock", "unrelated"] {
            try folder.write(name, "x")
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: "\(folder.path)/\(name)")
        }
        let done = DoctorRepair(try probe(textfile: "redeliver.prom"), at: now).run()

        let files = ["redeliver.db", "redeliver.db-wal", "redeliver.db-shm"].map { "\(folder.path)/\($0)" }
        #expect(done == files.map { .fixed("gave the group the right to read \($0)") })
        #expect(try mode("redeliver.db") == 0o640 && mode("redeliver.db-wal") == 0o640)
        #expect(try mode("unrelated") == 0o600 && mode("redeliver.db.lock") == 0o600)
    }

    /// `sqlite3` removes them at its end; who may only read cannot open the database then.
    @Test func `the write-ahead log and its index are made again`() throws {
        let path = "\(folder.path)/redeliver.db"
        try QueueStore(path: path, now: now).close()
        for ending in ["-wal", "-shm"] { try FileManager.default.removeItem(atPath: path + ending) }
        for name in ["redeliver.db", "redeliver.db.running"] {
            try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: "\(folder.path)/\(name)")
        }

        let done = DoctorRepair(try probe(textfile: "redeliver.prom"), at: now).run()
        #expect(done.first == .fixed("made \(path)-wal and \(path)-shm again, which readers need"))
        #expect(try mode("redeliver.db-wal") == 0o640 && mode("redeliver.db-shm") == 0o640)
    }

    @Test func `a link in the place of a file is not opened to the group`() throws {
        try folder.write("victim", "x")
        try QueueStore(path: "\(folder.path)/redeliver.db", now: now).close()
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: "\(folder.path)/victim")
        try FileManager.default.removeItem(atPath: "\(folder.path)/redeliver.db.running")
        try FileManager.default.createSymbolicLink(
            atPath: "\(folder.path)/redeliver.db.running", withDestinationPath: "\(folder.path)/victim")

        let done = DoctorRepair(try probe(textfile: "redeliver.prom"), at: now).run()
        #expect(try mode("victim") == 0o600)
        #expect(done.contains { "\($0)".contains("it is a symbolic link, which is not followed here") })
    }

    @Test func `what cannot be mended is said`() throws {
        try folder.write("metrics", "a file where the folder should be")
        let done = DoctorRepair(try probe(textfile: "metrics/deep/redeliver.prom"), at: now).run()
        #expect(done == [.failed("make the folder \(folder.path)/metrics/deep: Not a directory")])
    }
}
