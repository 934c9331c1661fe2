import Foundation
import GRDB
import TestSupport
import Testing

/// The database can be read in every state by a user of its group who may not write, and no reader stops the daemon.
@Suite struct ReadingTests {
    /// Both ways in which on-call reads, and what they have to find.
    private func expectReadable(
        _ reader: GroupReader, delivered: Int? = nil, _ state: String, at location: SourceLocation = #_sourceLocation
    ) async throws {
        let status = try await reader.status()
        #expect(status.ending == .code(0), "\(state): \(status.errors)", sourceLocation: location)
        if let delivered {
            let totals = try RedeliverStatus(json: status.output).totals
            #expect(totals.delivered == delivered, "\(state)", sourceLocation: location)
        }
        guard let shell = try await reader.shell("SELECT COUNT(*) FROM v_by_endpoint; PRAGMA quick_check") else {
            return
        }
        #expect(shell.ending == .code(0), "\(state): \(shell.errors)", sourceLocation: location)
        #expect(shell.output == "2\nok\n", "\(state): \(shell.output)", sourceLocation: location)
    }

    @Test func `a reader of the group reads while the daemon runs, after a clean stop and after kill -9`() async throws
    {
        try await withBench { bench in
            let sandbox = try await bench.sandbox("--failures", "5")
            let redeliver = try bench.redeliver(RedeliverSettings(sandbox))
            let reader = try await GroupReader(of: redeliver)
            let daemon = try await redeliver.start()
            try await redeliver.waitUntilDelivered(5)
            #expect(try await reader.mayWrite() == !reader.isUnprivileged)
            try await expectReadable(reader, delivered: 5, "running")

            #expect(try await daemon.stop() == .code(0))
            try await expectReadable(reader, delivered: 5, "stopped")

            let next = try await redeliver.start()
            try await sandbox.control(#"{"fail":{"count":2}}"#)
            try await redeliver.waitUntilDelivered(7)
            try await next.stop(SIGKILL)
            try await expectReadable(reader, delivered: 7, "killed")

            let last = try await redeliver.start()
            try await expectReadable(reader, delivered: 7, "running again")
            #expect(try await last.stop() == .code(0))
        }
    }

    /// The write-ahead log ends in the middle of what was being written, and nobody has repaired it.
    @Test func `a reader of the group reads what a daemon left that was killed while it wrote much`() async throws {
        try await withBench { bench in
            let sandbox = try await bench.sandbox("--failures", "300", "--refail", "2:2", "--latency", "5ms")
            let redeliver = try bench.redeliver(RedeliverSettings(sandbox))
            let reader = try await GroupReader(of: redeliver)
            for calls in [20, 80, 160] {
                let daemon = try await redeliver.start()
                try await waitUntil("\(calls) retry calls are made") {
                    try await sandbox.summary().retryCalls >= calls
                }
                try await expectReadable(reader, "busy, \(calls) calls")
                try await daemon.stop(SIGKILL)
                try await expectReadable(reader, "killed after \(calls) calls")
            }
        }
    }

    @Test func `before the first start a reader is told what is missing`() async throws {
        try await withBench { bench in
            let sandbox = try await bench.sandbox("--failures", "1")
            let redeliver = try bench.redeliver(RedeliverSettings(sandbox))
            let reader = try await GroupReader(of: redeliver)

            let status = try await reader.status()
            #expect(status.ending == .code(74) && status.output.isEmpty)
            #expect(status.errors.contains("read database \(redeliver.database.path): there is no such file"))
            #expect(status.errors.contains("redeliver run makes it at its first start"))
            if let shell = try await reader.shell("SELECT * FROM v_health") { #expect(shell.ending == .code(1)) }
            #expect(FileManager.default.fileExists(atPath: redeliver.database.path) == false)
        }
    }

    @Test func `a reader outside the group is told that it may not read`() async throws {
        try await withBench { bench in
            let sandbox = try await bench.sandbox("--failures", "1")
            let redeliver = try bench.redeliver(RedeliverSettings(sandbox))
            let reader = try await GroupReader(of: redeliver)
            #expect(try await redeliver.once().ending == .code(0))
            try GroupReader.change(redeliver.database, to: 0o600)
            guard reader.isUnprivileged else { return print("not run by root: the owner may always read") }

            let status = try await reader.status()
            #expect(status.ending == .code(74))
            #expect(status.errors.contains("this user may not read it"))
        }
    }

    /// A daemon of the next release changes the schema and has not committed yet; the reader sees the one before, and
    /// is refused after that.
    @Test func `a reader of the group reads while a migration runs`() async throws {
        try await withBench { bench in
            let sandbox = try await bench.sandbox("--failures", "1")
            let redeliver = try bench.redeliver(RedeliverSettings(sandbox))
            let reader = try await GroupReader(of: redeliver)
            let next = try ForeignRelease(at: redeliver.database)
            try next.write(
                "INSERT INTO endpoint (id, name, active, history_from_ms) VALUES ('a', 'a', 1, 0), ('b', 'b', 1, 0)")
            for suffix in ["", "-wal", "-shm"] {
                let file = URL(filePath: redeliver.database.path + suffix)
                try GroupReader.own(file)
                try GroupReader.change(file, to: 0o640)
            }

            try next.beginNextStep()
            try await expectReadable(reader, "migrating")
            try next.commit()
            let status = try await reader.status()
            #expect(status.ending != .code(0) && status.errors.contains("(next), this program knows up to version"))
        }
    }

    /// A copy, or a file system that is mounted for reading only.
    @Test func `a reader reads in a folder where nobody may write`() async throws {
        try await withBench { bench in
            let sandbox = try await bench.sandbox("--failures", "3")
            let redeliver = try bench.redeliver(RedeliverSettings(sandbox))
            let reader = try await GroupReader(of: redeliver)
            #expect(try await redeliver.once().ending == .code(0))
            for name in try FileManager.default.contentsOfDirectory(atPath: redeliver.folder.path) {
                try GroupReader.change(redeliver.folder.appending(path: name), to: 0o440)
            }
            try GroupReader.change(redeliver.folder, to: 0o2550)
            defer { try? GroupReader.change(redeliver.folder, to: 0o755) }

            try await expectReadable(reader, "read-only folder")
        }
    }

    // MARK: - A reader that stays

    /// The write-ahead log cannot be begun anew while somebody reads from before it: it grows, the metric says so, and
    /// nothing else happens.
    @Test func `a reader that keeps a transaction open stops neither deliveries nor a clean stop`() async throws {
        try await withBench { bench in
            let sandbox = try await bench.sandbox("--failures", "300", "--refail", "2:2")
            let redeliver = try bench.redeliver(RedeliverSettings(sandbox))
            let daemon = try await redeliver.start()
            let reader = try LongReader(redeliver.database)
            let seen = try reader.count("SELECT COUNT(*) FROM counter")

            try await redeliver.waitUntilDelivered(300)
            // SQLite begins the log anew at 4 MB when nobody reads.
            try await waitUntil("the metrics file shows a large write-ahead log") {
                try MetricsFile(redeliver.metrics).sum("redeliver_database_size_bytes", "file=\"wal\"") > 5 << 20
            }
            #expect(try reader.count("SELECT COUNT(*) FROM counter") == seen)
            #expect(try await daemon.stop() == .code(0))
            #expect(try reader.count("SELECT COUNT(*) FROM delivery WHERE state = 'delivered'") < 300)
            try reader.end()

            #expect(try redeliver.number("SELECT COUNT(*) FROM delivery WHERE state = 'delivered'") == 300)
            #expect(try await redeliver.once().ending == .code(0))
            let size = try FileManager.default.attributesOfItem(atPath: redeliver.database.path + "-wal")[.size]
            #expect(size as? Int == 0)
            #expect(try redeliver.texts("PRAGMA integrity_check") == ["ok"])
        }
    }
}

/// A connection that began to read and does not end.
private struct LongReader {
    private let queue: DatabaseQueue

    init(_ database: URL) throws {
        var configuration = Configuration()
        configuration.readonly = true
        configuration.allowsUnsafeTransactions = true
        queue = try DatabaseQueue(path: database.path, configuration: configuration)
        try queue.inDatabase { try $0.execute(sql: "BEGIN; SELECT * FROM endpoint") }
    }

    func count(_ sql: String) throws -> Int {
        try queue.inDatabase { try Int.fetchOne($0, sql: sql) ?? -1 }
    }

    func end() throws {
        try queue.inDatabase { try $0.execute(sql: "COMMIT") }
        try queue.close()
    }
}
