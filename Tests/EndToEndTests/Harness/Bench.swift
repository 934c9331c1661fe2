import Foundation
import Synchronization
import Testing

/// One test's temporary folder and everything that it started.
final class Bench: Sendable {
    let folder: URL
    private let programs = Mutex<[RunningProgram]>([])

    fileprivate init() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "redeliver-e2e-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    /// Starts one of the built programs; it is stopped when the test ends, whatever happens.
    func start(_ name: String, _ arguments: [String], environment: [String: String] = [:]) throws -> RunningProgram {
        try start(try BuiltPrograms.url(of: name), arguments, environment: environment)
    }

    func start(
        _ program: URL, _ arguments: [String], environment: [String: String] = [:], input: URL? = nil,
        terminal: PseudoTerminal? = nil
    ) throws -> RunningProgram {
        let number = programs.withLock { $0.count }
        let files = folder.appending(path: "\(program.lastPathComponent)-\(number)-\(UUID().uuidString.prefix(4))")
        let program = try RunningProgram(
            program, arguments, environment: environment, input: input, files: files, terminal: terminal)
        programs.withLock { $0.append(program) }
        return program
    }

    /// Runs one of the built programs to its end.
    func run(
        _ name: String, _ arguments: [String], environment: [String: String] = [:], input: URL? = nil
    ) async throws -> Finished {
        try await run(BuiltPrograms.url(of: name), arguments, environment: environment, input: input)
    }

    func run(
        _ program: URL, _ arguments: [String], environment: [String: String] = [:], input: URL? = nil
    ) async throws -> Finished {
        let program = try start(program, arguments, environment: environment, input: input)
        let ending = try await program.ending()
        return Finished(ending: ending, output: program.output, errors: program.errors)
    }

    func sandbox(_ flags: String...) async throws -> SandboxProcess {
        try await sandbox(flags)
    }

    func sandbox(_ flags: [String]) async throws -> SandboxProcess {
        try await SandboxProcess(start("provider-sandbox", flags))
    }

    /// A configuration in a folder of its own and the `redeliver` that works with it.
    func redeliver(_ settings: RedeliverSettings) throws -> RedeliverProcess {
        let own = folder.appending(path: "worker-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(at: own, withIntermediateDirectories: true)
        return try RedeliverProcess(bench: self, folder: own, settings: settings)
    }

    /// The ends of what the last programs wrote to stderr, for a failed test.
    fileprivate var story: String {
        programs.withLock { $0 }.suffix(12).map { "--- process \($0.pid):\n\($0.errors.suffix(2_500))" }.joined(
            separator: "\n")
    }

    fileprivate func close() async {
        let programs = programs.withLock { $0 }
        for program in programs { program.send(SIGKILL) }
        for program in programs { _ = try? await program.ending(within: .seconds(5)) }
        guard ProcessInfo.processInfo.environment["REDELIVER_TEST_KEEP_FOLDERS"] == nil else { return }
        try? FileManager.default.removeItem(at: folder)
    }
}

/// What became of a program that ran to its end.
struct Finished {
    let ending: RunningProgram.Ending
    let output: String
    let errors: String
}

/// Gives a test its bench and clears it away. Few at a time: the programs shall not starve each other of the processor.
func withBench(_ test: @Sendable (Bench) async throws -> Void) async throws {
    await Places.shared.take()
    do {
        let bench = try Bench()
        let failures = Mutex(0)
        let count = IssueHandlingTrait.compactMapIssues { issue in
            failures.withLock { $0 += 1 }
            return issue
        }
        do {
            try await count.provideScope(for: try #require(Test.current), testCase: Test.Case.current) {
                try await test(bench)
            }
        } catch {
            Issue.record("\(error)")
            failures.withLock { $0 += 1 }
        }
        if failures.withLock({ $0 }) > 0 { Issue.record("what its programs wrote:\n\(bench.story)") }
        await bench.close()
    } catch {
        Issue.record("\(error)")
    }
    await Places.shared.leave()
}

/// The places for tests that run at the same time; the others wait their turn.
private actor Places {
    static let shared = Places()

    private var free = 6
    private var waiting: [CheckedContinuation<Void, Never>] = []

    func take() async {
        if free > 0 {
            free -= 1
        } else {
            await withCheckedContinuation { waiting.append($0) }
        }
    }

    func leave() {
        if waiting.isEmpty {
            free += 1
        } else {
            waiting.removeFirst().resume()
        }
    }
}
