import Foundation
import TestSupport
import Testing

/// A daemon that has lost its database says so and ends, before it sends anything twice.
@Suite struct TenureTests {
    private static let lost = "the database is lost; no more calls are made"

    /// Runs a daemon, does something to its database, and expects the end of the daemon.
    private func expectEnd(
        saying cause: String, after change: @escaping @Sendable (Bench, RedeliverProcess) async throws -> Void,
        then look: @escaping @Sendable (Bench, RedeliverProcess) async throws -> Void = { _, _ in }
    ) async throws {
        try await withBench { bench in
            let sandbox = try await bench.sandbox("--failures", "3")
            let redeliver = try bench.redeliver(RedeliverSettings(sandbox))
            let backup = bench.folder.appending(path: "backup.db").path
            let daemon = try await redeliver.start()
            try await redeliver.waitUntilDelivered(3)
            #expect(try await redeliver.run("database", "backup", backup).ending == .code(0))
            let calls = try await sandbox.summary().retryCalls

            try await change(bench, redeliver)
            #expect(try await daemon.ending() == .code(72))
            #expect(daemon.errors.contains(Self.lost) && daemon.errors.contains(cause), "\(daemon.errors)")
            try await look(bench, redeliver)
            #expect(try await sandbox.summary().retryCalls == calls)
        }
    }

    @Test func `moved away`() async throws {
        try await expectEnd(saying: "its file was moved, removed or replaced") { bench, redeliver in
            try FileManager.default.moveItem(at: redeliver.database, to: bench.folder.appending(path: "moved.db"))
        }
    }

    @Test func `removed`() async throws {
        try await expectEnd(saying: "its file was moved, removed or replaced") { _, redeliver in
            try FileManager.default.removeItem(at: redeliver.database)
        }
    }

    @Test func `replaced by a rename`() async throws {
        try await expectEnd(saying: "its file was moved, removed or replaced") { bench, redeliver in
            #expect(rename(bench.folder.appending(path: "backup.db").path, redeliver.database.path) == 0)
        }
    }

    @Test func `written over in place`() async throws {
        try await expectEnd(saying: "another program has written over its file") { bench, redeliver in
            let cp = try #require(BuiltPrograms.tool("cp"))
            let copied = try await bench.run(
                cp, [bench.folder.appending(path: "backup.db").path, redeliver.database.path])
            #expect(copied.ending == .code(0))
        } then: { _, redeliver in
            #expect(try await redeliver.run("database", "check").ending == .code(0))
            #expect(try await redeliver.once().ending == .code(0))
            let check = try await redeliver.run("database", "check")
            #expect(check.ending == .code(0), "\(check.output)")
        }
    }

    @Test func `its log removed`() async throws {
        try await expectEnd(saying: "its -wal or -shm file was removed or replaced") { _, redeliver in
            for ending in ["-wal", "-shm"] {
                try FileManager.default.removeItem(atPath: redeliver.database.path + ending)
            }
        } then: { _, redeliver in
            let next = try await redeliver.once()
            let delivered = try redeliver.number("SELECT COUNT(*) FROM delivery WHERE state = 'delivered'")
            #expect(next.ending == .code(0) && delivered == 3)
        }
    }

    @Test func `a second daemon after its lock file was removed is the only one that goes on`() async throws {
        try await withBench { bench in
            let sandbox = try await bench.sandbox("--failures", "3")
            let redeliver = try bench.redeliver(RedeliverSettings(sandbox))
            let first = try await redeliver.start()
            try await redeliver.waitUntilDelivered(3)
            try FileManager.default.removeItem(atPath: redeliver.database.path + ".lock")

            let second = try await redeliver.start()
            #expect(try await first.ending() == .code(72))
            #expect(first.errors.contains("another redeliver has taken it over"), "\(first.errors)")
            try await sandbox.control(#"{"fail":{"count":4}}"#)
            try await redeliver.waitUntilDelivered(7)
            #expect(try await second.stop() == .code(0))
            #expect(try await sandbox.summary().arrivedMoreThanOnce == 0)
        }
    }

    /// On-call reads the second file; nobody waits for it.
    @Test func `a reader can neither open the lock nor keep the daemon from starting`() async throws {
        try await withBench { bench in
            let sandbox = try await bench.sandbox("--failures", "1")
            let redeliver = try bench.redeliver(RedeliverSettings(sandbox))
            let reader = try await GroupReader(of: redeliver)
            #expect(try await redeliver.once().ending == .code(0))
            guard reader.isUnprivileged, let flock = BuiltPrograms.tool("flock") else { return }

            let lock = try await reader.run(flock, ["--nonblock", redeliver.database.path + ".lock", "true"])
            #expect(lock.ending != .code(0) && lock.errors.contains("Permission denied"), "\(lock.errors)")
            let held = try reader.start(flock, ["--no-fork", redeliver.database.path + ".running", "sleep", "600"])
            try await waitUntil("the reader holds it") {
                try await bench.run(flock, ["--nonblock", redeliver.database.path + ".running", "true"]).ending
                    != .code(0)
            }

            let idle = try await redeliver.run("doctor")
            #expect(idle.output.contains("no daemon runs"), "\(idle.output)")
            let daemon = try await redeliver.start()
            let doctor = try await redeliver.run("doctor")
            #expect(doctor.output.contains("runs as process \(daemon.pid)"), "\(doctor.output)")
            #expect(try await daemon.stop() == .code(0))
            try await held.stop(SIGKILL)
        }
    }

    @Test func `after root opened the stopped database with sqlite3, readers are told what to do, and it helps`()
        async throws
    {
        try await withBench { bench in
            let sandbox = try await bench.sandbox("--failures", "1")
            let redeliver = try bench.redeliver(RedeliverSettings(sandbox))
            let reader = try await GroupReader(of: redeliver)
            #expect(try await redeliver.once().ending == .code(0))
            guard reader.isUnprivileged else { return }
            // As sqlite3 does at its end.
            for ending in ["-wal", "-shm"] {
                try FileManager.default.removeItem(atPath: redeliver.database.path + ending)
            }

            let refused = try await reader.status()
            #expect(refused.ending == .code(74))
            #expect(refused.errors.contains("redeliver doctor --fix"), "\(refused.errors)")
            _ = try await redeliver.run("doctor", "--fix")
            #expect(try await reader.status().ending == .code(0))
        }
    }
}
