import Foundation

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// An nginx that stands in for the provider: serves the pages of a log, takes on every retry at once and writes down
/// which it was. What it wrote proves what arrived, and when.
final class Sink {
    /// A retry as it arrived.
    struct Arrival {
        /// Seconds since 1970, to the millisecond.
        let time: Double
        let taskID: String
    }

    /// Where `redeliver` finds it.
    let address: String
    private let folder: URL
    private let nginx: Child
    /// Bytes of `sink.log` that belong to earlier runs.
    private var seen = 0

    static let retryPath = "/api/v2/webhook_endpoint/retry"
    /// Files that the measurement over HTTP consists of beside its code.
    static let sources = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Drain")

    init(in files: BenchFolder) throws {
        guard let program = tool("nginx") else { throw Missing(program: "nginx") }
        let port = Int.random(in: 20_000..<30_000)
        address = "http://127.0.0.1:\(port)"
        folder = try files.folder("sink")
        try FileManager.default.createDirectory(
            at: folder.appending(path: "pages"), withIntermediateDirectories: true)
        let template = try String(contentsOf: Self.sources.appending(path: "nginx.conf"), encoding: .utf8)
        let configuration = folder.appending(path: "nginx.conf")
        try Data(template.replacing("@PORT@", with: "\(port)").utf8).write(to: configuration)
        nginx = try Child(
            program, ["-p", folder.path, "-c", configuration.path], files: folder.appending(path: "nginx"))
        // Written once it listens.
        while !FileManager.default.fileExists(atPath: folder.appending(path: "nginx.pid").path) {
            guard nginx.isRunning else { throw Inexact(what: nginx.lastWords) }
            usleep(2_000)
        }
    }

    func stop() throws {
        try nginx.stop()
    }

    /// Serves these pages from now on, and forgets what has arrived.
    func serve(_ pages: LogPages) throws {
        let all = folder.appending(path: "pages")
        for page in try FileManager.default.contentsOfDirectory(at: all, includingPropertiesForKeys: nil) {
            try FileManager.default.removeItem(at: page)
        }
        for (number, bytes) in pages.bytes.enumerated() {
            try Data(bytes).write(to: all.appending(path: "\(number).json"))
        }
        seen = try size()
    }

    /// nginx writes down what it knows after 50 ms at the latest.
    static let patience = Duration.milliseconds(100)

    /// All that arrived since the pages are served, once nobody calls any more.
    func allArrivals() async throws -> [Arrival] {
        try await Task.sleep(for: Self.patience)
        return try arrivals()
    }

    /// What is known by now to have arrived since the pages are served.
    private func arrivals() throws -> [Arrival] {
        let bytes = try Data(contentsOf: log).dropFirst(seen)
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ", maxSplits: 1)
            guard words.count == 2, let time = Double(words[0]) else { return nil }
            return Arrival(time: time, taskID: String(words[1]))
        }
    }

    /// Waits until so many have arrived.
    ///
    /// - Parameter sender: need not be waited for when it has ended; nil: this process itself.
    /// - Throws: `Inexact` when they have not arrived within the limit.
    func wait(for count: Int, from sender: Child? = nil, within limit: Duration = .seconds(120)) async throws {
        let deadline = ContinuousClock.now + limit
        var (read, lines) = (seen, 0)
        while ContinuousClock.now < deadline {
            // Only what is new, and only counted: to look must not take from those who are measured.
            let handle = try FileHandle(forReadingFrom: log)
            try handle.seek(toOffset: UInt64(read))
            let bytes = try handle.readToEnd() ?? Data()
            try handle.close()
            read += bytes.count
            lines += bytes.count { $0 == UInt8(ascii: "\n") }
            if lines >= count { return }
            guard sender?.isRunning ?? true else { break }
            try await Task.sleep(for: .milliseconds(20))
        }
        throw Inexact(what: "\(try arrivals().count) of \(count) arrived; \(sender?.lastWords ?? "")")
    }

    /// When a daemon first read the log, in seconds since 1970.
    func firstRead(by daemon: Daemon) async throws -> Double {
        let file = folder.appending(path: "reads.log")
        for _ in 0..<1_000 {
            let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
            if let time = lines.lazy.compactMap({ Double($0) }).first(where: { $0 >= daemon.started }) { return time }
            try await Task.sleep(for: .milliseconds(10))
        }
        throw Inexact(what: "the log was not read; \(daemon.process.lastWords)")
    }

    private var log: URL { folder.appending(path: "sink.log") }

    private func size() throws -> Int {
        guard FileManager.default.fileExists(atPath: log.path) else { return 0 }
        return try FileManager.default.attributesOfItem(atPath: log.path)[.size] as? Int ?? 0
    }
}

/// A program that a measurement compares with is not installed.
struct Missing: Error, CustomStringConvertible {
    let program: String

    var description: String { "\(program) is not installed" }
}

extension [Sink.Arrival] {
    /// Arrivals a second, from the first to the last.
    var rate: Double {
        let times = map(\.time)
        guard let first = times.min(), let last = times.max(), last > first else { return 0 }
        return Double(count - 1) / (last - first)
    }

    /// - Throws: `Inexact` unless each of so many tasks of that name arrived once, and nothing else.
    func check(_ count: Int, name: String) throws {
        let wanted = Set((0..<count).map { "\(name)-\($0)" })
        let tasks = map(\.taskID)
        guard tasks.count == count, Set(tasks) == wanted else {
            throw Inexact(what: "\(tasks.count) calls for \(Set(tasks).count) of \(count) deliveries")
        }
    }
}
