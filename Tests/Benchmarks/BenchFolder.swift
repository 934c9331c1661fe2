import DeliveryQueue
import DeliveryWorker
import Foundation
import LargeDatabase
import Logging
import RedeliverConfiguration

/// A folder that the benchmark's files lie in, and is removed with them.
struct BenchFolder: Sendable {
    let url: URL

    init(in parent: URL) throws {
        url = parent.appending(path: "redeliver-bench-\(UUID())")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    func remove() {
        try? FileManager.default.removeItem(at: url)
    }

    /// A folder within it for one measurement.
    func folder(_ name: String) throws -> URL {
        let folder = url.appending(path: name)
        try? FileManager.default.removeItem(at: folder)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        return folder
    }

    /// A database with so many deliveries, a copy that the caller may change. Made once for each number.
    ///
    /// - Parameter isDue: what is scheduled is due; else nothing of it for longer than any measurement lasts.
    /// - Returns: its path, in a folder of its own.
    func database(rows: Int, isDue: Bool = true, name: String) async throws -> URL {
        let original = url.appending(path: "rows-\(rows)-\(isDue ? "due" : "later").sqlite")
        if !FileManager.default.fileExists(atPath: original.path) { try await fill(original, rows: rows, isDue: isDue) }
        let copy = try folder(name).appending(path: "redeliver.sqlite")
        if rows == 0 { return copy }
        try FileManager.default.copyItem(at: original, to: copy)
        return copy
    }

    /// Of the many endpoints of a service.
    static let endpoints = (0..<4).map { (id: "endpoint-\($0)", name: "receiver-\($0)") }
    /// Scheduled deliveries that a measurement may use up.
    private static let due = 12_000

    private func fill(_ file: URL, rows: Int, isDue: Bool) async throws {
        let store = try QueueStore(path: file.path, now: .system)
        try await store.registerEndpoints(Self.endpoints, historyFrom: .system - .seconds(72 * 3_600), at: .system)
        try store.close()
        guard rows > 0 else { return }
        try LargeDatabase(
            url: file, rows: rows, openPercent: min(90, max(5, Self.due * 100 / rows)),
            body: Array(LogPages.body(0, name: "large").utf8), due: isDue ? -60..<0 : 36_000..<50_400
        ).fill()
    }

    /// A configuration whose rates let everything through.
    func configuration(
        database: URL, endpoints: [String] = endpoints.map(\.id), provider: String = "http://127.0.0.1:9",
        more: String = "", initialDelay: String = "100ms"
    ) throws -> URL {
        let file = database.deletingLastPathComponent().appending(path: "redeliver.yaml")
        let text = """
            provider:
              base_url: \(provider)
              auth: { token: bench }
            endpoints: [\(endpoints.map { "{ id: \($0) }" }.joined(separator: ", "))]
            database: redeliver.sqlite
            confirm: { by: answer }
            retry: { concurrency: 64, per_second: 10000, burst: 10000 }
            policies:
              - { events: ["*"], initial_delay: \(initialDelay), max_delay: 30d, max_age: 365d }
            \(more)
            """
        try Data(text.utf8).write(to: file)
        return file
    }
}

extension Timestamp {
    static var system: Timestamp { WallClock.system.now }
}

extension Logger {
    static let silent = Logger(label: "bench", factory: { _ in SwiftLogNoOpLogHandler() })
}
