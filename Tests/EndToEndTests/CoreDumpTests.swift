import Foundation
import TestSupport
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

    /// The kernel gives the files of such a process below `/proc` to root, so that its user cannot read its memory.
    @Test func `another process of its user cannot look into it`() async throws {
        guard FileManager.default.fileExists(atPath: "/proc/self/environ") else { return }
        try await withBench { bench in
            let redeliver = try bench.redeliver(RedeliverSettings(unreachable: "e"))
            let reader = try await GroupReader(of: redeliver)
            guard reader.isUnprivileged, let sleep = BuiltPrograms.tool("sleep") else { return }
            for folder in [bench.folder, redeliver.folder] { try reader.give(folder) }
            try reader.give(redeliver.configuration)
            let usual = try reader.start(sleep, ["600"])
            let daemon = try reader.startRedeliver(["run", "--config", redeliver.configuration.path])
            try await waitUntil("the daemon starts") {
                guard daemon.isRunning else { throw SandboxError("it ended: \(daemon.errors)") }
                return daemon.errors.contains(" started")
            }
            func owner(_ program: RunningProgram) throws -> Int? {
                let facts = try FileManager.default.attributesOfItem(atPath: "/proc/\(program.pid)/environ")
                return facts[.ownerAccountID] as? Int
            }
            try await waitUntil("setpriv becomes sleep") { try owner(usual) == 65_534 }
            #expect(try owner(daemon) == 0)
            #expect(try await daemon.stop() == .code(0))
            try await usual.stop(SIGKILL)
        }
    }

    /// Swift's own handler would start a program that looks into it, and that waits for minutes.
    @Test(arguments: [SIGABRT, SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGSYS, SIGQUIT])
    func `a crash ends the daemon at once by its signal, and leaves no file`(signal: Int32) async throws {
        try await withBench { bench in
            let redeliver = try bench.redeliver(RedeliverSettings(unreachable: "e"))
            let daemon = try await redeliver.start(environment: ["SWIFT_BACKTRACE": "enable=yes,interactive=no"])
            #expect(try await daemon.stop(signal, within: .seconds(20)) == .signal(signal))
            #expect(!daemon.errors.contains("Crash") && !daemon.errors.contains("backtrace"), "\(daemon.errors)")
            let files = try FileManager.default.subpathsOfDirectory(atPath: bench.folder.path)
            #expect(!files.contains { $0.split(separator: "/").last?.hasPrefix("core") ?? false }, "\(files)")
        }
    }
}
