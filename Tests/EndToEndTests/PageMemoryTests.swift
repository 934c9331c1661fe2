import Foundation
import TestSupport
import Testing

/// What the real program takes for a page near the largest size that is made to take much.
@Suite struct PageMemoryTests {
    /// The most memory that it ever had, in bytes, as the kernel counts it (proc_pid_status(5)).
    private func peak(of program: RunningProgram) throws -> Int {
        let text = try String(contentsOfFile: "/proc/\(program.pid)/status", encoding: .utf8)
        let line = try #require(text.split(separator: "\n").first { $0.hasPrefix("VmHWM:") })
        return try #require(line.split(whereSeparator: \.isWhitespace).compactMap { Int($0) }.first) * 1_024
    }

    /// The bound is that of the promise, with the program itself and the connection's buffers among it. Memory does not
    /// depend on how busy the machine is, and a daemon is asked when the page is stored, so that nothing is missed.
    @Test(
        .enabled(if: FileManager.default.fileExists(atPath: "/proc/self/status"), "the kernel's count is there"),
        // Half of the size for small rows, which a build for debugging reads slowly.
        arguments: [
            ("rows", 32_000_000, "not_an_object"), ("long-id", 66_000_000, "too_long"),
            ("nested", 66_000_000, "not_an_object"),
        ])
    func `a page takes at most five times its bytes, and little of it is kept`(
        page: String, bytes: Int, reason: String
    ) async throws {
        try await withBench { bench in
            let sandbox = try await bench.sandbox(
                "--failures", "3", "--endpoints", "1", "--fault", "logs:page=\(page),\(bytes):1")
            let redeliver = try bench.redeliver(RedeliverSettings(sandbox))
            let daemon = try await redeliver.start()
            try await waitUntil("the page is stored", within: .seconds(900)) {
                try redeliver.number("SELECT COUNT(*) FROM unreadable_entry") == 1
            }
            #expect(try redeliver.texts("SELECT reason FROM unreadable_entry") == [reason])

            #expect(try peak(of: daemon) <= 5 * bytes)
            let sizes = try ["", "-wal"].map {
                try FileManager.default.attributesOfItem(atPath: redeliver.database.path + $0)[.size] as? Int ?? 0
            }
            #expect(sizes.reduce(0, +) < bytes / 3, "the page itself is not stored")
            try await redeliver.waitUntilDelivered(3)
            #expect(try await daemon.stop() == .code(0))
        }
    }
}
