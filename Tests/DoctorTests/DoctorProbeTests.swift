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
        for name in ["redeliver.db", "redeliver.db-wal", "redeliver.db-shm", "redeliver.db.lock"] {
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
        try folder.write("redeliver.prom.tmp", "half")
        let probe = try probe(textfile: "redeliver.prom")
        #expect(DoctorRepair(probe, at: now).run() == [])

        try setAge("redeliver.prom.tmp", 90)
        #expect(
            DoctorRepair(probe, at: now).run() == [.fixed("removed \(folder.path)/redeliver.prom.tmp, left by a crash")]
        )
        #expect(!FileManager.default.fileExists(atPath: "\(folder.path)/redeliver.prom.tmp"))
    }

    @Test func `the group gets the right to read the database's files and no other`() throws {
        for name in ["redeliver.db", "redeliver.db-wal", "unrelated"] {
            try folder.write(name, "x")
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: "\(folder.path)/\(name)")
        }
        let done = DoctorRepair(try probe(textfile: "redeliver.prom"), at: now).run()

        let files = ["redeliver.db", "redeliver.db-wal"].map { "\(folder.path)/\($0)" }
        #expect(done == files.map { .fixed("gave the group the right to read \($0)") })
        #expect(try mode("redeliver.db") == 0o640 && mode("redeliver.db-wal") == 0o640)
        #expect(try mode("unrelated") == 0o600)
    }

    @Test func `what cannot be mended is said`() throws {
        try folder.write("metrics", "a file where the folder should be")
        let done = DoctorRepair(try probe(textfile: "metrics/deep/redeliver.prom"), at: now).run()
        #expect(done == [.failed("make the folder \(folder.path)/metrics/deep: Not a directory")])
    }
}
