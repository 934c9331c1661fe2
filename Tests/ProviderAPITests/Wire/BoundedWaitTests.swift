import Foundation
import HostileInput
import TestSupport
import Testing

@testable import ProviderAPI

/// Each wait of the client ends, whatever the other side does.
@Suite("Bounded waits", .timeLimit(.minutes(20)))
struct BoundedWaitTests {
    /// A busy machine may need this much longer than the wait. What never ends would take longer.
    private static let grace = Duration.seconds(120)

    private func within(_ limit: Duration, _ work: () async throws -> Void) async throws {
        let begun = ContinuousClock.now
        try await work()
        #expect(ContinuousClock.now - begun < limit + Self.grace)
    }

    @Test func `a login that is never answered ends for all who wait for it, also for one that is cancelled`()
        async throws
    {
        let mute = try RawServer { connection in connection.wait() }
        try await withRealTransport { transport in
            let client = try NetworkOperation.login.client(transport, at: mute.url, timeout: .seconds(1))
            try await within(.seconds(1)) {
                await withTaskGroup(of: String.self) { group in
                    for _ in 0..<20 {
                        group.addTask { await Self.kind { _ = try await client.logs(of: "e-1") } }
                    }
                    let cancelled = Task { await Self.kind { _ = try await client.logs(of: "e-1") } }
                    cancelled.cancel()
                    #expect(["unreachable", "cancelled"].contains(await cancelled.value))
                    for await kind in group { #expect(kind == "unreachable") }
                }
            }
        }
    }

    @Test func `a shutdown ends the calls in flight`() async throws {
        let reading = Reading()
        let mute = try RawServer { connection in
            guard connection.readRequest() != nil else { return }
            reading.begin()
            connection.wait()
        }
        let transport = try AsyncHTTPTransport(concurrency: 4, now: { testNow }, logger: .silent)
        let client = try NetworkOperation.retry.client(transport, at: mute.url, timeout: .seconds(600))
        try await within(.seconds(1)) {
            async let outcome = NetworkOperation.retry.call(client)
            try await waitUntil("the server reads the call") { reading.hasBegun }
            try await transport.shutdown()
            #expect(await ["uncertain", "unreachable"].contains(outcome.kind))
        }
    }

    /// The only connection hangs. The other calls wait for it until their own deadlines.
    @Test func `calls that wait for a connection end in time`() async throws {
        let mute = try RawServer { connection in connection.wait() }
        try await withRealTransport(concurrency: 1) { transport in
            let client = try NetworkOperation.logs.client(transport, at: mute.url, timeout: .seconds(1))
            try await within(.seconds(1)) {
                await withTaskGroup(of: String.self) { group in
                    for _ in 0..<10 { group.addTask { await NetworkOperation.logs.call(client).kind } }
                    for await kind in group { #expect(kind == "unreachable") }
                }
            }
        }
    }

    @Test(.enabled(if: SelfSigned.openssl != nil, "openssl is not installed"))
    func `a certificate that nobody vouches for ends the call before anything is sent`() async throws {
        for name in ["127.0.0.1", "other.test"] {
            let server = try await SelfSigned(name: name)
            try await withRealTransport { transport in
                for operation in NetworkOperation.allCases where operation != .refresh {
                    let client = try operation.client(transport, at: server.url, timeout: .seconds(30))
                    let outcome = await operation.call(client)
                    let allowed = operation.isOnce ? ["unreachable", "unknown_outcome"] : ["unreachable"]
                    #expect(allowed.contains(outcome.kind), "\(operation): \(outcome.kind)")
                    #expect(outcome.text.contains("certificate_issuer_unknown"), "\(operation): \(outcome.text)")
                }
            }
            let seen = await server.stop()
            #expect(!seen.contains("HTTP/1.1") && !seen.contains("tok-1"), "\(seen)")
        }
    }

    /// What is left of the call's time bounds the second look too. Without any the reason is not looked for.
    @Test(.enabled(if: SelfSigned.openssl != nil, "openssl is not installed"))
    func `a certificate is judged by its dates and the caller's clock, while there is time to look`() async throws {
        let server = try await SelfSigned(name: "127.0.0.1")
        let origin = try URLReference(server.url).origin()
        let now = Int64(Date.now.timeIntervalSince1970 * 1_000)
        let year: Int64 = 365 * 86_400_000

        func fault(_ now: Int64, within time: Duration = .seconds(60)) async -> TransportError.Cause {
            await PeerCertificate.fault(of: origin, through: nil, within: time, at: now)
        }
        #expect(await fault(now + year) == .certificateExpired)
        #expect(await fault(now - year) == .certificateNotYetValid)
        #expect(await fault(now) == .certificateIssuerUnknown)
        #expect(await fault(now + year, within: .zero) == .certificateIssuerUnknown)
        #expect(await fault(now + year, within: .seconds(-1)) == .certificateIssuerUnknown)
        _ = await server.stop()
    }

    /// The answer is searched for thousands of values of the body.
    @Test func `a refusal of the largest body that is searched for does not take long`() async throws {
        let values = (10_000..<16_500).map { "\"v\($0)\"" }.joined(separator: ",")
        let request = RetryRequest(
            taskIDJSON: "1", customerIDJSON: "2", webhookIDJSON: "3", eventType: "x", body: Array("[\(values)]".utf8))
        let text = String(repeating: "no v99999, ", count: 1_480)
        try await within(.seconds(3)) {
            let answer = await makeClient(ScriptedTransport(HTTPResponse(400, text))).retry(request)
            #expect(answer.kind == .rejected && answer.detail?.hasPrefix("no v99999") == true)
        }
    }

    private static func kind(_ work: () async throws -> Void) async -> String {
        do {
            try await work()
            return "done"
        } catch {
            return (error as? ProviderError)?.kind.rawValue ?? "\(error)"
        }
    }
}

/// `openssl s_server` with a self-signed certificate. Prints what it receives.
private final class SelfSigned {
    static let openssl: URL? = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
        .map { URL(filePath: String($0)).appending(path: "openssl") }
        .first { FileManager.default.isExecutableFile(atPath: $0.path) }

    private let server: Process
    private let folder: URL
    private let port: UInt16

    var url: String { "https://127.0.0.1:\(port)" }

    init(name: String) async throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "redeliver-tls-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        port = try RawServer.freePort()
        let kind = name.contains("test") ? "DNS" : "IP"
        let request = try Self.start(
            [
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout",
                "key.pem",
                "-out", "certificate.pem", "-days", "1", "-subj", "/CN=\(name)", "-addext",
                "subjectAltName=\(kind):\(name)",
            ], in: folder)
        try await waitUntil("openssl req ends") { !request.isRunning }
        server = try Self.start(
            ["s_server", "-accept", "127.0.0.1:\(port)", "-cert", "certificate.pem", "-key", "key.pem"], in: folder)
        do {
            try await waitUntil("openssl s_server listens") { output.contains("ACCEPT") }
        } catch {
            _ = await stop()
            throw error
        }
    }

    private var output: String {
        (try? String(contentsOf: folder.appending(path: "s_server"), encoding: .utf8)) ?? ""
    }

    /// - Returns: everything that the server printed.
    func stop() async -> String {
        kill(server.processIdentifier, SIGKILL)
        try? await waitUntil("openssl s_server ends") { !server.isRunning }
        defer { try? FileManager.default.removeItem(at: folder) }
        return output
    }

    private static func start(_ arguments: [String], in folder: URL) throws -> Process {
        let output = folder.appending(path: arguments[0])
        try Data().write(to: output)
        let process = Process()
        process.executableURL = openssl
        process.arguments = arguments
        process.currentDirectoryURL = folder
        process.standardInput = Pipe()
        process.standardOutput = try FileHandle(forWritingTo: output)
        process.standardError = FileHandle.nullDevice
        try process.run()
        return process
    }
}
