import Foundation
import TestSupport
import Testing

/// The daemon beside programs that do not do their part.
@Suite struct FullPipeTests {
    /// Its stderr is a pipe that is full and that nobody reads.
    @Test func `a full stderr stops neither the calls nor a stop`() async throws {
        try await withBench { bench in
            let sandbox = try await bench.sandbox("--failures", "5")
            let redeliver = try bench.redeliver(RedeliverSettings(sandbox))
            let pipe = bench.folder.appending(path: "stderr")
            #expect(mkfifo(pipe.path, 0o600) == 0)
            let shell = try #require(BuiltPrograms.tool("sh"))
            let program = try BuiltPrograms.url(of: "redeliver").path
            // Opened for both sides, it needs no reader. A pipe holds 65,536 bytes.
            let script = "exec 3<>'\(pipe.path)'; head -c 65536 /dev/zero >&3; exec \"$0\" \"$@\" 2>&3"
            let daemon = try bench.start(
                shell, ["-c", script, program, "run", "--log-level", "trace", "--config", redeliver.configuration.path])

            try await waitUntil("the database is made") {
                (try? redeliver.number("SELECT COUNT(*) FROM delivery WHERE state = 'delivered'")) == 5
            }
            #expect(try await daemon.stop() == .code(0))
        }
    }
}
