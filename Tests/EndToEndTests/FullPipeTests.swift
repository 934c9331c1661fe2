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

    /// A line that is longer than all that may wait is the surest one to be dropped.
    @Test func `when the pipe is read again, the daemon says how many lines were dropped`() async throws {
        try await withBench { bench in
            let sandbox = try await bench.sandbox("--failures", "1")
            let redeliver = try bench.redeliver(RedeliverSettings(sandbox))
            let pipe = bench.folder.appending(path: "stderr")
            #expect(mkfifo(pipe.path, 0o600) == 0)
            let reading = open(pipe.path, O_RDONLY | O_NONBLOCK)
            defer { close(reading) }
            let shell = try #require(BuiltPrograms.tool("sh"))
            let program = try BuiltPrograms.url(of: "redeliver").path
            let script = "exec 3>'\(pipe.path)'; head -c 65536 /dev/zero >&3; exec \"$0\" \"$@\" 2>&3"
            let daemon = try bench.start(
                shell, ["-c", script, program, "run", "--log-level", "trace", "--config", redeliver.configuration.path])
            try await waitUntil("the database is made") {
                (try? redeliver.number("SELECT COUNT(*) FROM delivery WHERE state = 'delivered'")) == 1
            }
            let faults = (0..<12_000).map { "unknown\($0): 1" }.joined(separator: "\n")
            try redeliver.write(RedeliverSettings(sandbox).yaml + "\n" + faults)
            daemon.send(SIGHUP)

            var (text, buffer) = ("", [UInt8](repeating: 0, count: 1 << 16))
            try await waitUntil("it says what was dropped") {
                let count = read(reading, &buffer, buffer.count)
                if count > 0 { text += String(decoding: buffer[..<count], as: UTF8.self) }
                return text.contains("redeliver: 1 lines of the log were dropped here, because nobody read stderr")
            }
            #expect(try await daemon.stop() == .code(0))
        }
    }
}
