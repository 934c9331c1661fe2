import Foundation
import Logging
import NIOHTTP1
import ProviderAPI
import ServiceLifecycleTestKit
import Testing

@testable import DeliveryWorker

/// The metrics file over HTTP, and whether the daemon is alive and ready.
@Suite struct MetricsListenerTests {
    private let time = VirtualTime()
    private let vitals: Vitals
    private let textfile = FileManager.default.temporaryDirectory.appending(path: "listener-\(UUID().uuidString).prom")

    init() {
        vitals = Vitals(started: .noon, clock: time.clock)
    }

    private func listener(port: Int = 9_464) throws -> MetricsListener {
        MetricsListener(
            address: try #require(ListenAddress("127.0.0.1:\(port)")), textfile: textfile.path, vitals: vitals,
            endpoints: ["ep-1": "core", "ep-2": "crm"], clock: ContinuousClock(), logger: .silent)
    }

    private func text(_ answer: MetricsListener.Answer) -> String { String(decoding: answer.body, as: UTF8.self) }

    @Test func `metrics are the bytes of the file, and none before there is one`() async throws {
        let listener = try listener()
        #expect(await listener.answer(.GET, "/metrics").status == .serviceUnavailable)

        let bytes = Data("redeliver_auth_ok 1\n# \u{fc}\n".utf8)
        try bytes.write(to: textfile)
        defer { try? FileManager.default.removeItem(at: textfile) }
        let answer = await listener.answer(.GET, "/metrics?x=1")
        #expect(answer.status == .ok && Data(answer.body) == bytes && answer.type.contains("version=0.0.4"))
    }

    @Test func `it is healthy while every loop completes its turns`() async throws {
        let listener = try listener()
        let loop = await vitals.began("dispatch", patience: .seconds(900))
        #expect(await listener.answer(.GET, "/healthz").status == .ok)

        time.advance(by: .seconds(901))
        let stalled = await listener.answer(.GET, "/healthz")
        #expect(stalled.status == .serviceUnavailable && text(stalled).contains("dispatch"))
        await vitals.ended(loop)
        #expect(await listener.answer(.GET, "/healthz").status == .ok)
    }

    @Test func `it is ready once the log of every endpoint was read`() async throws {
        let listener = try listener()
        _ = await vitals.polled("ep-1")
        let early = await listener.answer(.GET, "/readyz")
        #expect(early.status == .serviceUnavailable && text(early).contains("crm") && !text(early).contains("core"))

        _ = await vitals.polled("ep-2")
        #expect(await listener.answer(.GET, "/readyz").status == .ok)
    }

    @Test func `nothing else is answered`() async throws {
        let listener = try listener()
        for path in ["/", "", "/metrics/", "/metric", "//metrics", "/../metrics"] {
            #expect(await listener.answer(.GET, path).status == .notFound)
        }
        for method in ["POST", "PUT", "DELETE", "CONNECT"] {
            #expect(await listener.answer(.init(rawValue: method), "/metrics").status == .methodNotAllowed)
        }
    }

    @Test(arguments: [
        ("127.0.0.1:9464", "127.0.0.1"), ("0.0.0.0:1", "0.0.0.0"), ("[::1]:65535", "::1"),
        ("localhost:80", "localhost"),
    ]) func `an address is an IP address and a port`(text: String, host: String) throws {
        let address = try #require(ListenAddress(text))
        #expect(address.host == host && address.description == text)
    }

    @Test(arguments: [
        "", "9464", ":9464", "127.0.0.1", "127.0.0.1:0", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:x", "127.0.1:1",
        "256.0.0.1:1", "example.com:9464", "::1:9464", "[::1]", "[]:1", "[127.0.0.1]:1", "http://127.0.0.1:1",
    ]) func `anything else is no address`(_ text: String) {
        #expect(ListenAddress(text) == nil)
    }

    // MARK: - Over a real connection

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
        let transport = AsyncHTTPTransport(concurrency: 8, logger: .silent)
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
            method: .get, url: "http://127.0.0.1:\(port)\(path)", timeout: .seconds(5), responseLimit: 16 << 20)
        let deadline = ContinuousClock.now + .seconds(40)
        while true {
            do throws(TransportError) {
                return try await transport.send(request)
            } catch {
                guard ContinuousClock.now < deadline else { throw error }
                try await Task.sleep(for: .milliseconds(20))
            }
        }
    }

    @Test func `it answers over HTTP until the daemon stops, and can be started there again`() async throws {
        let page = Data(repeating: 0x61, count: 8_000_000)
        try page.write(to: textfile)
        defer { try? FileManager.default.removeItem(at: textfile) }
        let port = try freePort()
        let listener = try listener(port: port)
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

    @Test func `an address that another program has is tried again and disturbs nothing`() async throws {
        let port = try freePort()
        let (first, second) = (try listener(port: port), try listener(port: port))
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
