import Foundation
import Logging
import NIOHTTP1
import Testing

@testable import DeliveryWorker
@testable import RedeliverConfiguration

/// The metrics file over HTTP, and whether the daemon is alive and ready.
@Suite struct MetricsListenerTests {
    private let time = VirtualTime()
    private let vitals: Vitals
    private let textfile = FileManager.default.temporaryDirectory.appending(path: "listener-\(UUID().uuidString).prom")

    init() {
        vitals = Vitals(started: .noon, clock: time.clock)
    }

    private func listener() throws -> MetricsListener {
        MetricsListener(
            address: try #require(ListenAddress("127.0.0.1:9464")), textfile: textfile.path, vitals: vitals,
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
        await vitals.polled("ep-1")
        let early = await listener.answer(.GET, "/readyz")
        #expect(early.status == .serviceUnavailable && text(early).contains("crm") && !text(early).contains("core"))

        await vitals.polled("ep-2")
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
}
