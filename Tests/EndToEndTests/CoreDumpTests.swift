import Foundation
import Testing

/// The memory of the daemon holds tokens and bodies.
@Suite struct CoreDumpTests {
    @Test func `no core file is written of a process that holds a secret`() async throws {
        guard FileManager.default.fileExists(atPath: "/proc/self/limits") else { return }
        try await withBench { bench in
            let sandbox = try await bench.sandbox("--failures", "1")
            let daemon = try await bench.redeliver(RedeliverSettings(sandbox)).start()
            let limits = try String(contentsOfFile: "/proc/\(daemon.pid)/limits", encoding: .utf8)
            #expect(limits.contains(/Max core file size +0 +0/), "\(limits)")
            #expect(try await daemon.stop() == .code(0))
        }
    }
}
