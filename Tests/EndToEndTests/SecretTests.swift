import Foundation
import TestSupport
import Testing

/// A secret is nowhere but in the configuration and in the calls to the provider.
@Suite struct SecretTests {
    private static let token = "tok-5ecret-4711-do-not-show"
    private static let password = "pa55-5ecret-0815-do-not-show"

    @Test func `a token appears in no output, file or process list`() async throws {
        try await withBench { bench in
            let sandbox = try await bench.sandbox("--failures", "6", "--token", Self.token)
            let redeliver = try bench.redeliver(RedeliverSettings(sandbox))
            try await expectHidden(Self.token, redeliver, sandbox)
        }
    }

    @Test(arguments: ["password: \(password)", "password_env: SANDBOX_PASSWORD", "password_file: password.txt"])
    func `a password and the tokens it gives appear in no output, file or process list`(form: String) async throws {
        try await withBench { bench in
            let sandbox = try await bench.sandbox(
                "--failures", "6", "--username", "worker", "--password", Self.password, "--token-lifetime", "1s")
            var settings = RedeliverSettings(sandbox)
            settings.auth = "username: worker, \(form)"
            let redeliver = try bench.redeliver(settings)
            let file = redeliver.folder.appending(path: "password.txt")
            if form.contains("file") { try (Self.password + "\n").write(to: file, atomically: true, encoding: .utf8) }
            try await expectHidden(Self.password, redeliver, sandbox, but: ["password.txt"])
        }
    }

    /// The beginning of every JSON web token, which is what the sandbox gives out.
    private static let webToken = "eyJ"

    private func expectHidden(
        _ secret: String, _ redeliver: RedeliverProcess, _ sandbox: SandboxProcess, but expected: Set<String> = []
    ) async throws {
        let environment = ["SANDBOX_PASSWORD": Self.password]
        let daemon = try await redeliver.start(["--log-level", "trace"], environment: environment)
        let commandLine = try Data(contentsOf: URL(filePath: "/proc/\(daemon.pid)/cmdline"))
        #expect(!String(decoding: commandLine, as: UTF8.self).contains(secret))
        try await redeliver.waitUntilDelivered(6)
        // Refused calls have texts of their own.
        try await sandbox.control(#"{"fault":["logs:status=401:1","retry:status=401:1"],"fail":{"count":2}}"#)
        try await waitUntil("a call is refused") { try await sandbox.summary().unauthorizedCalls > 0 }
        try await waitUntil("the metrics file is there") {
            FileManager.default.fileExists(atPath: redeliver.metrics.path)
        }
        let status = try await redeliver.run("status", environment: environment)
        let check = try await redeliver.run("check", environment: environment)
        try await daemon.stop()
        #expect(status.ending == .code(0) && check.ending == .code(0))

        for text in [daemon.output, daemon.errors, status.output, status.errors, check.output, check.errors] {
            #expect(!text.contains(secret) && !text.contains(Self.webToken))
        }
        for name in try FileManager.default.contentsOfDirectory(atPath: redeliver.folder.path)
        where name != "redeliver.yaml" && !expected.contains(name) {
            let bytes = try Data(contentsOf: redeliver.folder.appending(path: name))
            for hidden in [secret, Self.webToken] {
                #expect(bytes.range(of: Data(hidden.utf8)) == nil, "\(name)")
            }
        }
    }

    @Test(arguments: [
        "provider: {base_url: 'https://user:\(token)@example.com', auth: {token: x}}",
        "provider: {base_url: 'https://example.com?key=\(token)', auth: {token: x}}",
        "provider: {base_url: 'https://example.com', auth: {token: '\(token) with a space'}}",
        "provider: {base_url: 'https://example.com', auth: {token_file: '\(token)'}}",
        "provider: {base_url: 'https://example.com', auth: {token_env: '\(token)'}}",
        "provider: {base_url: 'https://example.com', auth: {tokn: '\(token)'}}",
        "provider: {base_url: 'https://example.com', auth: '\(token)'}",
        "provider: {base_url: 'https://example.com', auth: {username: a, password: ['\(token)']}}",
    ])
    func `a fault of the configuration does not show the secret in it`(yaml: String) async throws {
        try await withBench { bench in
            let file = bench.folder.appending(path: "redeliver.yaml")
            try yaml.write(to: file, atomically: true, encoding: .utf8)
            let finished = try await bench.run("redeliver", ["check", "--config", file.path])
            #expect(finished.ending == .code(78))
            #expect(!finished.errors.contains(Self.token) && !finished.output.contains(Self.token))
        }
    }
}
