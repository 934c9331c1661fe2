import DeliveryQueue
import Foundation
import HostileInput
import Logging
import ProviderAPI
import Synchronization
import Testing

@testable import DeliveryWorker
@testable import RedeliverConfiguration

/// The daemon's loops on a road that has every fault once in each direction: logs and retries go over real sockets, and
/// only the sleeping is virtual.
@Suite(.timeLimit(.minutes(20))) struct NetworkTroubleTests {
    @Test func `no fault of the network stops a loop, and everything arrives once`() async throws {
        let bench = try await Workbench()
        let fake = FakeProvider(time: bench.time, confirmation: .sameTaskID)
        let count = 4 * NetworkFault.all.count
        for number in 0..<count {
            let line = LogLine("t\(number)", at: .noon(-600 - Double(number))).with { $0.body = "\(number)" }
            await fake.fail(line, again: 0)
        }
        let road = try TroubledRoad(to: fake)
        var configuration = WorkerConfiguration.for(bench)
        configuration.retry = .init(concurrency: 2, perSecond: 1_000, burst: 1_000, freshWithin: .seconds(5))
        let daemon = try await VirtualDaemon(bench, configuration, road)
        var turns: [String: Timestamp] = [:]
        try await daemon.run { now in
            turns = await daemon.generation.metrics.vitals.lastTurns
            let delivered = try bench.number("SELECT COUNT(*) FROM delivery WHERE state = 'delivered'")
            return (road.isThrough && delivered == count) || now - .noon > .seconds(4 * 3_600)
        }
        try await road.shutdown()

        #expect(road.isThrough, "faults left: \(road.left)")
        #expect(try bench.tasks(.delivered).count == count)
        #expect(try bench.number("SELECT COUNT(*) FROM delivery WHERE state = 'dead'") == 0)
        let received = await fake.received
        #expect(received.count == count && received.values.allSatisfy { $0.count == 1 })
        #expect(await fake.doubleCalls == 0)
        let last = bench.time.now
        for loop in LoopName.allCases where loop != .prune {
            let turn = try #require(turns[loop.rawValue], "\(loop) has not turned")
            #expect(last - turn < .seconds(900), "\(loop) turned last \(last - turn) before the end")
        }
    }
}

/// In front of a provider in memory: every second log page and every third retry goes to a server that treats it badly,
/// each fault once for either.
private final class TroubledRoad: HTTPTransport {
    private struct State {
        var log = NetworkFault.all
        var retries = NetworkFault.all
        var reads = 0
        var calls = 0
        var current: NetworkFault?
    }

    private let inner: FakeProvider
    private let real: AsyncHTTPTransport
    private let state = Mutex(State())

    init(to inner: FakeProvider) throws {
        self.inner = inner
        real = try AsyncHTTPTransport(concurrency: 8, now: { 0 }, logger: .silent)
    }

    var isThrough: Bool { left == 0 }
    var left: Int { state.withLock { $0.log.count + $0.retries.count } }

    func shutdown() async throws {
        try await real.shutdown()
    }

    func send(_ request: HTTPRequest) async throws(TransportError) -> HTTPResponse {
        let (fault, isExecuted) = next(request.isRetry)
        guard let fault else { return try await inner.send(request) }
        // What the provider makes of it. A redirect is no execution; all else leaves it open, so both happen.
        let answer = isExecuted || fault.truth == .good ? try await inner.send(request) : nil
        guard let server = try? Self.server(fault, answer.map { String(decoding: $0.body, as: UTF8.self) } ?? "") else {
            throw .notSent(.other)
        }
        var request = request
        request.url = server.url + "/"
        request.timeout = fault.timeout == .seconds(1) ? .milliseconds(400) : .seconds(20)
        defer { withExtendedLifetime(server) {} }
        return try await real.send(request)
    }

    private func next(_ isRetry: Bool) -> (NetworkFault?, isExecuted: Bool) {
        state.withLock { state in
            if isRetry {
                state.calls += 1
                guard state.calls % 3 == 0, !state.retries.isEmpty else { return (nil, true) }
                let fault = state.retries.removeFirst()
                return (fault, fault.truth != .redirected && state.retries.count % 2 == 0)
            }
            state.reads += 1
            guard state.reads % 2 == 0, !state.log.isEmpty else { return (nil, true) }
            return (state.log.removeFirst(), true)
        }
    }

    private static func server(_ fault: NetworkFault, _ good: String) throws -> RawServer {
        try RawServer { connection in
            while connection.readRequest() != nil {
                fault.happen(on: connection, good: good)
                if fault.after == .spoilt { connection.wait() }
                if fault.after != .good { return }
            }
        }
    }
}
