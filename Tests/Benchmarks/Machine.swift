import Foundation
import GRDB

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// What the figures were taken on: they mean little without it.
struct Machine: Codable, Sendable {
    let processor: String
    let cores: Int
    let memoryMB: Int
    let system: String
    let fileSystem: String
    let sqlite: String
    /// Median time that appending a page to a file and syncing it takes: the floor of every commit.
    let syncMilliseconds: Double

    /// - Parameter folder: where the databases of the benchmark lie.
    static func current(folder: URL) throws -> Machine {
        Machine(
            processor: value(of: "model name", in: "/proc/cpuinfo") ?? "unknown",
            cores: ProcessInfo.processInfo.activeProcessorCount,
            memoryMB: Int(ProcessInfo.processInfo.physicalMemory >> 20),
            system: ProcessInfo.processInfo.operatingSystemVersionString,
            fileSystem: fileSystem(of: folder.path) ?? "unknown",
            sqlite: try DatabaseQueue().read { try String.fetchOne($0, sql: "SELECT sqlite_version()") ?? "unknown" },
            syncMilliseconds: try syncTime(in: folder))
    }

    private static func value(of key: String, in file: String) -> String? {
        guard let text = try? String(contentsOfFile: file, encoding: .utf8) else { return nil }
        let line = text.split(separator: "\n").first { $0.hasPrefix(key) }
        return line?.split(separator: ":", maxSplits: 1).last.map { $0.trimmingCharacters(in: .whitespaces) }
    }

    /// By the longest mount point above the folder.
    private static func fileSystem(of path: String) -> String? {
        guard let mounts = try? String(contentsOfFile: "/proc/mounts", encoding: .utf8) else { return nil }
        let fields = mounts.split(separator: "\n").map { $0.split(separator: " ") }.filter { $0.count > 2 }
        let above = fields.filter { path == $0[1] || path.hasPrefix($0[1] == "/" ? "/" : $0[1] + "/") }
        return above.max { $0[1].count < $1[1].count }.map { String($0[2]) }
    }

    private static func syncTime(in folder: URL) throws -> Double {
        let file = folder.appending(path: "sync-probe")
        try Data().write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        let handle = try FileHandle(forWritingTo: file)
        defer { try? handle.close() }
        let page = Data(count: 4_096)
        return try (0..<100).map { _ in
            try milliseconds {
                try handle.write(contentsOf: page)
                fdatasync(handle.fileDescriptor)
            }
        }.median
    }
}

/// How long `work` takes, in milliseconds.
func milliseconds(_ work: () throws -> Void) rethrows -> Double {
    try ContinuousClock().measure(work).milliseconds
}

func milliseconds(_ work: () async throws -> Void) async rethrows -> Double {
    try await ContinuousClock().measure(work).milliseconds
}

extension Duration {
    var milliseconds: Double {
        let (seconds, attoseconds) = components
        return Double(seconds) * 1_000 + Double(attoseconds) / 1e15
    }

    var seconds: Double { milliseconds / 1_000 }
}
