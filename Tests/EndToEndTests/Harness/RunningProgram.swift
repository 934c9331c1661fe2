import Foundation
import Synchronization
import TestSupport

/// A child process whose output goes to files. It is signalled by its own process id and by nothing else.
final class RunningProgram: Sendable {
    enum Ending: Equatable, CustomStringConvertible {
        case code(Int32)
        case signal(Int32)

        var description: String {
            switch self {
            case .code(let code): "exit code \(code)"
            case .signal(let number): "signal \(number)"
            }
        }
    }

    private let process: Process
    private let outputFile: URL
    private let errorsFile: URL
    private let begun: ContinuousClock.Instant
    private let ended = Mutex<ContinuousClock.Instant?>(nil)
    /// One start at a time: a child must not inherit the descriptors of another one's start.
    private static let starting = Mutex(())

    /// - Parameters:
    ///   - environment: added to our own.
    ///   - input: the file that is its standard input; nil: an empty one.
    ///   - files: path without extension; `.out` and `.err` are made.
    ///   - terminal: its input and output; nil: the input is `input`, and the output goes to a file.
    init(
        _ program: URL, _ arguments: [String], environment: [String: String] = [:], input: URL? = nil, files: URL,
        terminal: PseudoTerminal? = nil
    ) throws {
        outputFile = files.appendingPathExtension("out")
        errorsFile = files.appendingPathExtension("err")
        process = Process()
        process.executableURL = program
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.currentDirectoryURL = files.deletingLastPathComponent()
        try Data().write(to: outputFile)
        try Data().write(to: errorsFile)
        begun = .now
        process.terminationHandler = { [weak self] _ in self?.ended.withLock { $0 = .now } }
        try Self.starting.withLock { _ in
            process.standardInput =
                try terminal?.handle ?? input.map { try FileHandle(forReadingFrom: $0) } ?? FileHandle.nullDevice
            let output = try FileHandle(forWritingTo: outputFile)
            let errors = try FileHandle(forWritingTo: errorsFile)
            process.standardOutput = terminal?.handle ?? output
            process.standardError = errors
            try process.run()
            // The child has its own; a test of many programs would run out of descriptors.
            try output.close()
            try errors.close()
        }
    }

    var pid: Int32 { process.processIdentifier }
    var isRunning: Bool { process.isRunning }
    /// From its start to its end, or to now while it runs.
    var took: Duration { (ended.withLock { $0 } ?? .now) - begun }
    var output: String { (try? String(contentsOf: outputFile, encoding: .utf8)) ?? "" }
    /// Everything that was written to stderr, the daemon's log included.
    var errors: String { (try? String(contentsOf: errorsFile, encoding: .utf8)) ?? "" }

    /// Does nothing once the process has ended: its id may belong to another one by then.
    func send(_ signal: Int32) {
        if process.isRunning { kill(process.processIdentifier, signal) }
    }

    /// Waits for the end.
    ///
    /// - Throws: `WaitedInVain`, with what was printed.
    func ending(within limit: Duration = patience) async throws -> Ending {
        try await waitUntil("the end of process \(pid)", within: limit) { !process.isRunning }
        return process.terminationReason == .exit
            ? .code(process.terminationStatus) : .signal(process.terminationStatus)
    }

    /// Sends a signal and waits for the end.
    @discardableResult
    func stop(_ signal: Int32 = SIGTERM, within limit: Duration = patience) async throws -> Ending {
        send(signal)
        return try await ending(within: limit)
    }
}
