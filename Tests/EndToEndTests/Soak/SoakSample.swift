import Foundation

/// What a soak measures. Each has to level off.
enum SoakFigure: String, CaseIterable {
    case memory = "resident memory, MB"
    case files = "open files"
    case threads = "threads"
    case log = "write-ahead log, MB"
    case database = "database, MB"
    case open = "open deliveries"

    /// What stands for a quarter, of its values in order: the median, but of what comes and goes with the calls the
    /// lowest.
    func typical(_ sorted: [Double]) -> Double {
        switch self {
        case .files: sorted.first ?? .nan
        case .memory, .threads, .log, .database, .open: sorted.isEmpty ? .nan : sorted[sorted.count / 2]
        }
    }

    /// What the last quarter may have above the second one: a share of that, and so much on top.
    var mayGrow: (share: Double, plus: Double) {
        switch self {
        case .memory: (0.10, 4)
        case .files: (0, 4)
        case .threads: (0, 2)
        // Its file keeps the size that the longest reader, a backup, has once made of it. One that is never worked off
        // grows by megabytes in a minute.
        case .log: (1, 8)
        case .database: (0.10, 1)
        // How many wait depends on what the machine has to do besides.
        case .open: (0.25, 50)
        }
    }
}

/// One look at the daemon and its files.
struct SoakSample {
    /// Since the start.
    let second: Double
    var values: [SoakFigure: Double]
    /// Seconds that the process has used of any processor.
    let processorSeconds: Double

    /// - Parameter open: deliveries that are neither delivered nor dead.
    init(of pid: Int32, _ redeliver: RedeliverProcess, open: Int, at second: Double) throws {
        self.second = second
        let status = try Self.lines(of: "/proc/\(pid)/status")
        let megabyte = 1_048_576.0
        values = [
            .memory: try Self.number(of: "VmRSS:", in: status) * 1_024 / megabyte,
            .threads: try Self.number(of: "Threads:", in: status),
            .files: Double(try FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/fd").count),
            .log: Self.size(redeliver.database.path + "-wal") / megabyte,
            .database: Self.size(redeliver.database.path) / megabyte,
            .open: Double(open),
        ]
        // The fields after the program's name, which may hold anything: user and system time are the 12th and 13th.
        let stat = try String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)
        let fields = stat[(stat.lastIndex(of: ")") ?? stat.startIndex)...].split(separator: " ")
        guard fields.count > 13, let user = Double(fields[12]), let system = Double(fields[13]) else {
            throw SandboxError("/proc/\(pid)/stat cannot be read: \(stat)")
        }
        processorSeconds = (user + system) / Double(sysconf(Int32(_SC_CLK_TCK)))
    }

    /// For what only the verdict has to look at.
    init(second: Double, values: [SoakFigure: Double], processorSeconds: Double = 0) {
        (self.second, self.values, self.processorSeconds) = (second, values, processorSeconds)
    }

    private static func lines(of path: String) throws -> [Substring] {
        try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
    }

    private static func number(of name: String, in lines: [Substring]) throws -> Double {
        let line = lines.first { $0.hasPrefix(name) }?.split(whereSeparator: \.isWhitespace)
        guard let line, line.count > 1, let number = Double(line[1]) else { throw SandboxError("no \(name)") }
        return number
    }

    /// 0 when there is no such file, as a log that was worked in and removed.
    private static func size(_ path: String) -> Double {
        let size = (try? FileManager.default.attributesOfItem(atPath: path)[.size]) as? NSNumber
        return size?.doubleValue ?? 0
    }
}
