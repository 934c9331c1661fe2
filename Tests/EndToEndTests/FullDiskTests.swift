import Foundation
import TestSupport
import Testing

/// The built daemon on a disk that fills up: reading logs stops first, calls and their outcomes go on for as long as
/// they can, and everything goes on by itself when there is room.
@Suite struct FullDiskTests {
    private static let mebibyte = 1 << 20

    private func settings(_ sandbox: SandboxProcess) -> RedeliverSettings {
        var settings = RedeliverSettings(sandbox)
        settings.retry = "concurrency: 4, per_second: 100, burst: 4"
        settings.confirm = "interval: 250ms, within: 1s"
        settings.more = "disk: {reserve_mib: 128}"
        return settings
    }

    private func polling(_ redeliver: RedeliverProcess) throws -> Double? {
        try MetricsFile(redeliver.metrics).values[#"redeliver_polling_paused{reason="disk"}"#]
    }

    @Test func `on a disk that is nearly full no log is read, and what is called is recorded`() async throws {
        try await withBench { bench in
            try await SmallDisk.with(megabytes: 200, bench) { disk in
                let sandbox = try await bench.sandbox(
                    "--failures", "24", "--endpoints", "1", "--time", "milliseconds", "--latency", "700ms")
                let redeliver = try RedeliverProcess(bench: bench, folder: disk.folder, settings: settings(sandbox))
                let daemon = try await redeliver.start()
                try await waitUntil("calls are in flight") { try await sandbox.summary().retryCalls >= 4 }
                #expect(try polling(redeliver) == 0)

                try disk.fill(leaving: 60 * Self.mebibyte)
                try await waitUntil("reading stops") {
                    try redeliver.number("SELECT COUNT(*) FROM endpoint WHERE last_poll_error LIKE 'no log is read%'")
                        == 1
                }
                try await sandbox.control(#"{"fail":{"count":6}}"#)
                try await waitUntil("all that was known is called and recorded") {
                    try redeliver.number("SELECT COUNT(*) FROM attempt WHERE answer = 'accepted'") == 24
                }
                #expect(try redeliver.number("SELECT COUNT(*) FROM delivery") == 24)
                try await waitUntil("the metrics tell it") { try polling(redeliver) == 1 }
                let error = try await redeliver.status().endpoints.first?.lastPollError
                #expect(error?.contains("MiB are free on the database's disk") == true, "\(error ?? "")")

                disk.empty()
                try await redeliver.waitUntilDelivered(30)
                #expect(try await daemon.stop() == .code(0))
                #expect(daemon.errors.components(separatedBy: "disk nearly full").count == 2)
                #expect(daemon.errors.components(separatedBy: "disk has room again").count == 2)
                try await expectEachArrivedOnce(30, sandbox, redeliver)
            }
        }
    }

    /// The answers of four calls come back when nothing can be written any more.
    @Test func `outcomes that no disk takes are kept and recorded when there is room`() async throws {
        try await withBench { bench in
            try await SmallDisk.with(megabytes: 200, bench) { disk in
                let sandbox = try await bench.sandbox(
                    "--failures", "12", "--endpoints", "1", "--time", "milliseconds", "--latency", "2s")
                let redeliver = try RedeliverProcess(bench: bench, folder: disk.folder, settings: settings(sandbox))
                let daemon = try await redeliver.start()
                try await waitUntil("four calls are in flight") {
                    try redeliver.number("SELECT COUNT(*) FROM delivery WHERE state = 'attempting'") == 4
                }

                // The write-ahead log has room from before the start, where it began anew.
                try redeliver.change("CREATE TABLE ballast AS SELECT zeroblob(1000000) AS bytes")
                try disk.fill(leaving: 0)
                try await waitUntil("an outcome cannot be recorded") {
                    daemon.errors.contains("record results of retry calls: SQLite error 13")
                }
                try await waitUntil("the metrics file cannot be replaced") {
                    daemon.errors.split(separator: "\n").contains {
                        $0.contains("loop=metrics") && $0.contains("No space left on device")
                    }
                }
                // The old page, to its last line.
                #expect(try polling(redeliver) != nil)
                #expect(try String(contentsOf: redeliver.metrics, encoding: .utf8).hasSuffix("\n"))
                #expect(try redeliver.texts("PRAGMA integrity_check") == ["ok"])
                // No call without its intent on the disk.
                let calls = try await sandbox.summary().retryCalls
                #expect(calls <= (try redeliver.number("SELECT COUNT(*) FROM attempt")))

                disk.empty()
                try await redeliver.waitUntilDelivered(12)
                #expect(try await daemon.stop() == .code(0))
                #expect(try redeliver.number("SELECT COUNT(*) FROM attempt WHERE answer <> 'accepted'") == 0)
                try await expectEachArrivedOnce(12, sandbox, redeliver)
            }
        }
    }

    @Test func `a disk that is full from the start is an error that says so, and a start once there is room`()
        async throws
    {
        try await withBench { bench in
            try await SmallDisk.with(megabytes: 200, bench) { disk in
                let sandbox = try await bench.sandbox("--failures", "3", "--endpoints", "1")
                let redeliver = try RedeliverProcess(bench: bench, folder: disk.folder, settings: settings(sandbox))
                for room in [0, 4_096, 20_480, 90_112] {
                    disk.empty()
                    try disk.fill(leaving: room)
                    let refused = try await redeliver.run("run")
                    #expect(refused.ending == .code(74), "\(room): \(refused.ending)")
                    #expect(refused.errors.contains("free") && refused.errors.contains("space"), "\(refused.errors)")
                }

                disk.empty()
                let daemon = try await redeliver.start()
                try await redeliver.waitUntilDelivered(3)
                #expect(try await daemon.stop() == .code(0))
                try await expectEachArrivedOnce(3, sandbox, redeliver)
            }
        }
    }

    private func expectEachArrivedOnce(
        _ count: Int, _ sandbox: SandboxProcess, _ redeliver: RedeliverProcess
    ) async throws {
        let summary = try await sandbox.summary()
        #expect(summary.arrived == count && summary.arrivedBytesMatch == count && summary.arrivedMoreThanOnce == 0)
        #expect(summary.retriesExecuted == count && summary.retriesWhilePending == 0)
        #expect(try redeliver.texts("PRAGMA integrity_check") == ["ok"])
        #expect(try redeliver.texts("PRAGMA foreign_key_check") == [])
    }
}
