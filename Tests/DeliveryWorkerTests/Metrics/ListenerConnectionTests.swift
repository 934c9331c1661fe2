import Foundation
import Logging
import ServiceLifecycleTestKit
import TestSupport
import Testing

@testable import DeliveryWorker
@testable import ProviderAPI
@testable import RedeliverConfiguration

/// The metrics over real connections. Not beside tests that keep every thread busy: they wait for answers.
@Suite(.serialized) struct ListenerConnectionTests {
    private let textfile = FileManager.default.temporaryDirectory.appending(path: "listener-\(UUID().uuidString).prom")

    private func listener(at port: Int) throws -> MetricsListener {
        MetricsListener(
            address: try #require(ListenAddress("127.0.0.1:\(port)")), textfile: textfile.path,
            vitals: Vitals(started: .noon), endpoints: ["ep-1": "core"], clock: ContinuousClock(), logger: .silent)
    }

    /// One that is free, and below those that the system gives to outgoing connections: another test's could take it.
    private func freePort() throws -> Int {
        for _ in 0..<100 {
            let port = Int.random(in: 12_000..<30_000)
            let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            defer { close(descriptor) }
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = UInt16(port).bigEndian
            address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
            let isFree = withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
                }
            }
            if isFree { return port }
        }
        throw TransportError.notSent(.other)
    }

    private func withTransport(_ work: (AsyncHTTPTransport) async throws -> Void) async throws {
        let transport = try AsyncHTTPTransport(concurrency: 8, now: { 0 }, logger: .silent)
        do {
            try await work(transport)
        } catch {
            // One that is left open ends the whole process.
            try? await transport.shutdown()
            throw error
        }
        try await transport.shutdown()
    }

    private func get(_ path: String, port: Int, by transport: AsyncHTTPTransport) async throws -> HTTPResponse {
        let request = HTTPRequest(
            method: .get, url: "http://127.0.0.1:\(port)\(path)", timeout: .seconds(60), responseLimit: 16 << 20)
        var answer: HTTPResponse?
        try await waitUntil("\(path) is answered") {
            answer = try? await transport.send(request)
            return answer != nil
        }
        return try #require(answer)
    }

    @Test func `it answers over HTTP until the daemon stops, and can be started there again`() async throws {
        let page = Data(repeating: 0x61, count: 8_000_000)
        try page.write(to: textfile)
        defer { try? FileManager.default.removeItem(at: textfile) }
        let port = try freePort()
        let listener = try listener(at: port)
        try await withTransport { transport in
            for _ in 0..<2 {
                try await testGracefulShutdown { trigger in
                    async let running: Void = listener.run()
                    let metrics = try await get("/metrics", port: port, by: transport)
                    let readiness = try await get("/readyz", port: port, by: transport)
                    let nothing = try await get("/nothing", port: port, by: transport)
                    #expect(Data(metrics.body) == page && readiness.status == 503 && nothing.status == 404)
                    trigger.triggerGracefulShutdown()
                    await running
                }
            }
        }
    }

    /// 80 connections of one byte kept `/healthz` out for ten seconds.
    @Test func `connections that send nothing keep no probe out, and are cut`() async throws {
        let port = try freePort()
        let listener = try listener(at: port)
        try await withTransport { transport in
            try await testGracefulShutdown { trigger in
                async let running: Void = listener.run()
                _ = try await get("/healthz", port: port, by: transport)
                let silent = try (0..<200).map { _ in try SilentConnection(to: port) }
                let began = ContinuousClock.now
                let health = try await get("/healthz", port: port, by: transport)
                #expect(health.status == 200 && ContinuousClock.now - began < .seconds(1.5))
                // The oldest made room, and the newest is cut for its silence.
                #expect(silent[0].isCut(within: .seconds(1)) && silent[199].isCut(within: .seconds(20)))
                trigger.triggerGracefulShutdown()
                await running
            }
        }
    }

    @Test func `a client that sends a byte now and then is cut`() async throws {
        let port = try freePort()
        let listener = try listener(at: port)
        try await withTransport { transport in
            try await testGracefulShutdown { trigger in
                async let running: Void = listener.run()
                _ = try await get("/healthz", port: port, by: transport)
                let slow = try SilentConnection(to: port)
                try await waitUntil("it is cut", within: .seconds(20)) {
                    slow.say("E")
                    return slow.isCut(within: .zero)
                }
                trigger.triggerGracefulShutdown()
                await running
            }
        }
    }

    /// Its buffers are full, and a close alone would not reach it: what counts is that the daemon is rid of it.
    @Test func `a client that stops reading a large answer is cut`() async throws {
        try Data(repeating: 0x61, count: 50_000_000).write(to: textfile)
        defer { try? FileManager.default.removeItem(at: textfile) }
        let port = try freePort()
        let listener = try listener(at: port)
        try await withTransport { transport in
            try await testGracefulShutdown { trigger in
                async let running: Void = listener.run()
                _ = try await get("/healthz", port: port, by: transport)
                let stuck = try SilentConnection(to: port)
                stuck.say("ET /metrics HTTP/1.1\r\nHost: a\r\n\r\n")
                #expect(stuck.hasAnswer(within: .seconds(20)))
                #expect(stuck.isHeldByServer)
                try await waitUntil("the listener closes it", within: .seconds(30)) { !stuck.isHeldByServer }
                trigger.triggerGracefulShutdown()
                await running
            }
        }
    }

    @Test func `an address that another program has is tried again and disturbs nothing`() async throws {
        let port = try freePort()
        let (first, second) = (try listener(at: port), try listener(at: port))
        try await withTransport { transport in
            try await testGracefulShutdown { trigger in
                async let one: Void = first.run()
                let before = try await get("/healthz", port: port, by: transport)
                async let other: Void = second.run()
                let after = try await get("/healthz", port: port, by: transport)
                #expect(before.status == 200 && after.status == 200)
                trigger.triggerGracefulShutdown()
                _ = await (one, other)
            }
        }
    }
}

/// A client that connects and sends one byte.
private final class SilentConnection {
    private let descriptor: Int32

    init(to port: Int) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let isConnected = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        guard isConnected else { throw TransportError.notSent(.other) }
        say("G")
    }

    deinit { close(descriptor) }

    func say(_ text: String) {
        _ = send(descriptor, text, text.utf8.count, Int32(MSG_NOSIGNAL))
    }

    /// Whether the server closes it. It sends nothing before.
    func isCut(within limit: Duration) -> Bool { hasAnswer(within: limit) }

    /// Whether there is something to read.
    func hasAnswer(within limit: Duration) -> Bool {
        var event = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&event, 1, Int32(limit.components.seconds) * 1_000) == 1
    }

    /// Whether the server, which is in this process, has its side open.
    var isHeldByServer: Bool {
        let own = Self.address(descriptor, getsockname)
        return (0..<Int32(1_024)).contains { other in
            other != descriptor && own != nil && Self.address(other, getpeername) == own
        }
    }

    private static func address(
        _ descriptor: Int32,
        _ look: (Int32, UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Int32
    ) -> UInt16? {
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let code = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { look(descriptor, $0, &length) }
        }
        return code == 0 && address.sin_family == sa_family_t(AF_INET) ? address.sin_port : nil
    }
}
