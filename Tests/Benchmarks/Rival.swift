import AsyncHTTPClient
import DeliveryQueue
import Foundation
import NIOCore
import NIOHTTP1

/// Another way to make the same calls.
enum Rival: Int, CaseIterable {
    /// The client that we use, with nothing around it: no database, no log.
    case httpClient
    /// A worker as one would write it by hand: `Drain/worker.py`, as durable as ours.
    case pythonWorker
    /// A load generator: the wall.
    case wrk

    var title: String {
        switch self {
        case .httpClient: "async-http-client alone"
        case .pythonWorker: "hand-written Python worker"
        case .wrk: "wrk"
        }
    }

    /// The share of its rate that ours must reach; nil: printed for comparison.
    var goal: Double? {
        switch self {
        case .httpClient: 0.6
        case .pythonWorker: 1.5
        case .wrk: nil
        }
    }

    /// - Returns: calls a second, as they arrived.
    func rate(_ bench: Bench, _ count: Int, name: String, _ sink: Sink) async throws -> Double {
        let pages = LogPages(failures: count, newest: Timestamp.system.milliseconds, name: name)
        try sink.serve(pages)
        switch self {
        case .httpClient: try await Self.callAlone(count, name: name, sink)
        case .pythonWorker: try Self.work(bench, sink)
        case .wrk:
            let rate = try Self.load(bench, sink)
            try await Task.sleep(for: Sink.patience)
            return rate
        }
        let arrivals = try await sink.allArrivals()
        try arrivals.check(count, name: name)
        return arrivals.rate
    }

    private static func callAlone(_ count: Int, name: String, _ sink: Sink) async throws {
        var configuration = HTTPClient.Configuration()
        configuration.httpVersion = .http1Only
        configuration.tracing.tracer = nil  // as ours
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = DrainBench.inFlight
        let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        let url = sink.address + Sink.retryPath
        try await withThrowingDiscardingTaskGroup { group in
            for first in 0..<DrainBench.inFlight {
                group.addTask {
                    for number in stride(from: first, to: count, by: DrainBench.inFlight) {
                        try await call(number, name: name, url, client)
                    }
                }
            }
        }
        try await client.shutdown()
    }

    private static func call(_ number: Int, name: String, _ url: String, _ client: HTTPClient) async throws {
        var request = HTTPClientRequest(url: url)
        request.method = .POST
        request.headers = [
            "Accept": "application/json", "Accept-Encoding": "gzip", "User-Agent": "redeliver",
            "Content-Type": "application/json", "Authorization": "Bearer bench",
        ]
        request.body = .bytes(ByteBuffer(string: LogPages.retry(number, name: name)))
        let response = try await client.execute(request, deadline: .distantFuture)
        guard response.status == .ok else { throw Inexact(what: "status \(response.status.code)") }
        _ = try await response.body.collect(upTo: 1 << 20)
    }

    private static func work(_ bench: Bench, _ sink: Sink) throws {
        guard let python = bench.python ?? tool("python3") else { throw Missing(program: "python3") }
        let folder = try bench.files.folder("python")
        let worker = try Child(
            python,
            [
                Sink.sources.appending(path: "worker.py").path, "--base-url", sink.address, "--endpoint",
                Daemon.endpoint, "--database", folder.appending(path: "worker.sqlite").path, "--concurrency",
                "\(DrainBench.inFlight)",
            ], files: folder.appending(path: "worker"))
        try worker.end()
    }

    private static func load(_ bench: Bench, _ sink: Sink) throws -> Double {
        guard let program = tool("wrk") else { throw Missing(program: "wrk") }
        let folder = try bench.files.folder("wrk")
        let script = Sink.sources.appending(path: "wrk.lua").path
        let wrk = try Child(
            program, ["-t1", "-c\(DrainBench.inFlight)", "-d2s", "-s", script, sink.address + Sink.retryPath],
            files: folder.appending(path: "wrk"))
        try wrk.end()
        let line = wrk.output.split(separator: "\n").first { $0.hasPrefix("Requests/sec:") }
        guard let rate = line?.split(whereSeparator: \.isWhitespace).last.flatMap({ Double($0) }) else {
            throw Inexact(what: "wrk names no rate")
        }
        return rate
    }
}
