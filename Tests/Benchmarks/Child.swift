import Foundation

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A program that a measurement has started, and what the kernel says that it uses.
final class Child {
    private let process = Process()
    private let files: URL

    /// - Parameter files: a path without an ending; what the program writes to its standard streams goes there.
    init(
        _ program: URL, _ arguments: [String], environment: [String: String] = [:], files: URL
    ) throws {
        self.files = files
        process.executableURL = program
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.standardOutput = try Self.handle(files.appendingPathExtension("out"))
        process.standardError = try Self.handle(files.appendingPathExtension("err"))
        process.standardInput = FileHandle.nullDevice
        try Self.withOpenSignals { try process.run() }
    }

    /// The threads that Swift's tasks run on have their signals blocked, and a child would inherit that: nothing but
    /// SIGKILL could end it.
    private static func withOpenSignals(_ start: () throws -> Void) rethrows {
        var (none, before) = (sigset_t(), sigset_t())
        sigemptyset(&none)
        pthread_sigmask(SIG_SETMASK, &none, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        try start()
    }

    deinit {
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
    }

    private static func handle(_ file: URL) throws -> FileHandle {
        try Data().write(to: file)
        return try FileHandle(forWritingTo: file)
    }

    var isRunning: Bool { process.isRunning }

    /// Asks it to stop and waits until it has.
    func stop() throws {
        kill(process.processIdentifier, SIGTERM)
        try end()
    }

    /// Waits until it has ended.
    ///
    /// - Throws: `Inexact` with the end of what it had to say when it did not end well, or not in time.
    func end(within limit: Duration = .seconds(60)) throws {
        let deadline = ContinuousClock.now + limit
        // `waitUntilExit` runs the thread's run loop, which on a thread of Swift's own has nothing to wait for and
        // spins.
        while process.isRunning {
            guard ContinuousClock.now < deadline else { throw Inexact(what: "does not end: \(lastWords)") }
            usleep(2_000)
        }
        guard process.terminationStatus == 0 else { throw Inexact(what: "failed: \(lastWords)") }
    }

    /// The program's name and the end of what it wrote to its standard error.
    var lastWords: String {
        let said = text("err")
        return "\(process.executableURL?.lastPathComponent ?? ""): \(said.suffix(500))"
    }

    /// What it wrote to its standard output.
    var output: String { text("out") }

    private func text(_ ending: String) -> String {
        (try? String(contentsOf: files.appendingPathExtension(ending), encoding: .utf8)) ?? ""
    }

    // MARK: - What it uses

    /// Memory that is its own or shared and in use at this moment, in MB of 2^20 bytes.
    var residentMB: Double { status("VmRSS") / 1_024 }

    /// The most that it ever was.
    var peakMB: Double { status("VmHWM") / 1_024 }

    /// Seconds of processor time of all its threads, also of those that have ended; to a hundredth (proc_pid_stat(5)).
    var processorSeconds: Double {
        // The program's name in parentheses may have blanks in it; `utime` and `stime` are the 12th and 13th after it.
        let fields = text(of: "stat").split(separator: ")").last?.split(separator: " ").compactMap { Double($0) } ?? []
        return fields.count > 11 ? (fields[10] + fields[11]) / Double(sysconf(Int32(_SC_CLK_TCK))) : 0
    }

    /// How often each of its threads that there are now has slept and was woken again, by its number.
    var wakeUps: [String: Double] {
        let counts = threads.map { ($0, status("voluntary_ctxt_switches", of: "task/\($0)/status")) }
        return Dictionary(uniqueKeysWithValues: counts)
    }

    private var threads: [String] {
        (try? FileManager.default.contentsOfDirectory(atPath: folder + "task")) ?? []
    }

    private var folder: String { "/proc/\(process.processIdentifier)/" }

    private func text(of file: String) -> String {
        (try? String(contentsOfFile: folder + file, encoding: .utf8)) ?? ""
    }

    /// 0 for a program that has ended.
    private func status(_ key: String, of file: String = "status") -> Double {
        let line = text(of: file).split(separator: "\n").first { $0.hasPrefix(key + ":") }
        return line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Double($0) } ?? 0
    }
}

/// Seconds of processor time of all programs that this one has started and that have ended.
func processorSecondsOfEnded() -> Double {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_CHILDREN.rawValue), &usage)
    return Double(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
        + Double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6
}

/// A program of the system, looked for as a shell does; nil when it is not installed.
func tool(_ name: String) -> URL? {
    let folders = "\(ProcessInfo.processInfo.environment["PATH"] ?? ""):/usr/sbin".split(separator: ":")
    return folders.map { URL(filePath: String($0)).appending(path: name) }
        .first { FileManager.default.isExecutableFile(atPath: $0.path) }
}
