import Foundation

/// A child process whose output goes to a file.
struct Program {
    private let process: Process

    /// The folder of the running program.
    static var ownFolder: URL {
        URL(filePath: CommandLine.arguments[0]).resolvingSymlinksInPath().deletingLastPathComponent()
    }

    /// Starts a program.
    ///
    /// - Parameters:
    ///   - output: the file for standard output, which is created.
    ///   - errors: the file for standard error; nil writes it into `output`.
    static func start(_ program: URL, _ arguments: [String], output: URL, errors: URL? = nil) throws -> Program {
        let process = Process()
        process.executableURL = program
        process.arguments = arguments
        let handle = try newFile(output)
        process.standardOutput = handle
        process.standardError = try errors.map(newFile) ?? handle
        process.standardInput = FileHandle.nullDevice
        try process.run()
        return Program(process: process)
    }

    private static func newFile(_ url: URL) throws -> FileHandle {
        try Data().write(to: url)
        return try FileHandle(forWritingTo: url)
    }

    /// Runs a program to its end and returns what it printed; nil when it failed.
    static func output(of program: URL, _ arguments: [String]) throws -> String? {
        let process = Process()
        let pipe = Pipe()
        process.executableURL = program
        process.arguments = arguments
        process.standardOutput = pipe
        process.standardError = FileHandle.nullDevice
        try process.run()
        let data = try pipe.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return process.terminationStatus == 0 ? String(decoding: data, as: UTF8.self) : nil
    }

    var isRunning: Bool { process.isRunning }

    /// Sends SIGTERM and waits until the process has ended.
    func stop() {
        if process.isRunning { process.terminate() }
        process.waitUntilExit()
    }
}
