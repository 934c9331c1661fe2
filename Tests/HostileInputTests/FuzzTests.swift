import Foundation
import TestSupport
import Testing

/// A short run of `make fuzz` with a fixed seed.
@Suite(.timeLimit(.minutes(20))) struct FuzzTests {
    @Test func `hostile input neither crashes nor hangs a reader, and what must hold holds`() async throws {
        let found = FileManager.default.temporaryDirectory.appending(path: "redeliver-fuzz-\(UUID().uuidString)").path
        let finished = try await run("--inputs", "12000", "--seed", "20260101", "--found", found, "--limit", "300")
        #expect(finished.code == 0, "\(finished.output)")
        #expect(finished.output.contains("none did harm"))
        try? FileManager.default.removeItem(atPath: found)
    }

    @Test func `a target that is not there is an error`() async throws {
        #expect(try await run("--target", "nothing").code != 0)
    }

    /// Runs the built program to its end, and kills it when it takes too long.
    private func run(_ arguments: String...) async throws -> (code: Int32, output: String) {
        let output = FileManager.default.temporaryDirectory.appending(path: "redeliver-fuzz-\(UUID().uuidString).out")
        try Data().write(to: output)
        defer { try? FileManager.default.removeItem(at: output) }
        let process = Process()
        let program = try #require(Self.program, "redeliver-fuzz is not built")
        process.executableURL = program
        process.arguments = arguments
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = try FileHandle(forWritingTo: output)
        process.standardError = FileHandle.nullDevice
        try process.run()
        try? await waitUntil("redeliver-fuzz ends", within: .seconds(900)) { !process.isRunning }
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
        process.waitUntilExit()
        return (process.terminationStatus, try String(contentsOf: output, encoding: .utf8))
    }

    /// The program beside the test bundle, where the build puts it.
    private static let program: URL? = {
        let bundles = CommandLine.arguments.filter { $0.hasSuffix(".xctest") }.map { URL(filePath: $0) }
        let package = URL(filePath: #filePath).appending(path: "../../..").standardizedFileURL
        let folders = bundles.map { $0.deletingLastPathComponent() } + [package.appending(path: ".build/debug")]
        return folders.map { $0.appending(path: "redeliver-fuzz") }
            .first { FileManager.default.isExecutableFile(atPath: $0.path) }
    }()
}
