import Foundation
import Testing

/// Secrets of endpoints: shown where they are asked for, never lost, and nowhere else.
@Suite struct EndpointSecretTests {
    private func prepare(_ bench: Bench, timeout: String? = nil) async throws -> (SandboxProcess, RedeliverProcess) {
        let sandbox = try await bench.sandbox("--endpoints", "1", "--failures", "0")
        var settings = RedeliverSettings(sandbox)
        if let timeout { settings.requestTimeout = timeout }
        return (sandbox, try bench.redeliver(settings))
    }

    /// As the provider has it, asked without our client.
    private func secret(of sandbox: SandboxProcess) async throws -> String {
        let path = "/api/v2/webhook_endpoint/\(sandbox.endpoints[0])/secret"
        let answer = try await sandbox.send("GET", path, token: sandbox.token)
        return try #require(answer["secret_token"] as? String)
    }

    private func text(_ folder: URL, _ name: String) throws -> String {
        let path = folder.appending(path: name).path
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? NSNumber
        #expect(mode?.intValue == 0o600)
        return try String(contentsOfFile: path, encoding: .utf8)
    }

    private func files(_ folder: URL) throws -> Set<String> {
        Set(try FileManager.default.contentsOfDirectory(atPath: folder.path)).subtracting(["redeliver.yaml"])
    }

    @Test func `a secret is printed alone, or stored in a private file that is never overwritten`() async throws {
        try await withBench { bench in
            let (sandbox, redeliver) = try await prepare(bench)
            let secret = try await secret(of: sandbox)
            let file = redeliver.folder.appending(path: "secret").path
            let shown = try await redeliver.run("endpoints", "secret", "receiver-0")
            #expect(shown.ending == .code(0) && shown.output == secret + "\n" && shown.errors.isEmpty)
            #expect(
                try await redeliver.run("endpoints", "secret", "show", sandbox.endpoints[0]).output == secret + "\n")

            let stored = try await redeliver.run("endpoints", "secret", "receiver-0", "--output", file)
            #expect(stored.ending == .code(0) && stored.output.isEmpty && !stored.errors.contains(secret))
            #expect(try text(redeliver.folder, "secret") == secret)
            for command in [["secret", "show"], ["secret", "rotate"]] {
                let again = try await bench.run(
                    "redeliver",
                    ["endpoints"] + command
                        + ["receiver-0", "--output", file, "--config", redeliver.configuration.path])
                #expect(again.ending == .code(64) && again.errors.contains("it exists already and is not overwritten"))
            }
            #expect(try text(redeliver.folder, "secret") == secret)
            #expect(try await self.secret(of: sandbox) == secret)
        }
    }

    @Test func `a rotation keeps the old secret, stores the new one and says what it means`() async throws {
        try await withBench { bench in
            let (sandbox, redeliver) = try await prepare(bench)
            let (old, new) = ("\(redeliver.folder.path)/old", "\(redeliver.folder.path)/new")
            let before = try await secret(of: sandbox)
            let rotated = try await redeliver.run(
                "endpoints", "secret", "rotate", "receiver-0", "--output", new, "--keep-old", old)
            let after = try await secret(of: sandbox)
            #expect(rotated.ending == .code(0) && before != after)
            #expect(try text(redeliver.folder, "old") == before)
            #expect(try text(redeliver.folder, "new") == after)
            #expect(rotated.errors.contains("redeliver verify --secret-file \(new) --secret-file \(old)"))
            for output in [rotated.output, rotated.errors] {
                #expect(!output.contains(before) && !output.contains(after) && !output.contains(sandbox.token))
            }
            let printed = try await redeliver.run("endpoints", "secret", "rotate", "receiver-0")
            #expect(printed.output == (try await secret(of: sandbox)) + "\n")
        }
    }

    @Test(arguments: [
        ("secret:status=403", 77), ("secret:status=503", 69), ("secret:html", 69), ("rotate:status=401", 77),
        ("rotate:status=404", 77), ("rotate:status=429,retry-after=1", 69), ("rotate:redirect=http://127.0.0.1:9/", 77),
    ]) func `a rotation that is refused changes nothing and leaves no file`(fault: String, code: Int32) async throws {
        try await withBench { bench in
            let (sandbox, redeliver) = try await prepare(bench)
            let before = try await secret(of: sandbox)
            try await sandbox.control(#"{"fault":["\#(fault):1"]}"#)
            let rotated = try await redeliver.run(
                "endpoints", "secret", "rotate", "receiver-0", "--output", "\(redeliver.folder.path)/new", "--keep-old",
                "\(redeliver.folder.path)/old")
            #expect(rotated.ending == .code(code), "\(rotated.errors)")
            #expect(rotated.output.isEmpty && !rotated.errors.contains(before))
            #expect(try files(redeliver.folder).isEmpty)
            #expect(try await secret(of: sandbox) == before)
        }
    }

    @Test(arguments: [
        "drop-after", "garbage", "truncate", "huge=3000000", "slow=60s", "drop-before", "status=500", "html",
    ])
    func `a rotation whose answer is lost says so, keeps the old secret and tells how to read the new one`(
        fault: String
    ) async throws {
        try await withBench { bench in
            let (sandbox, redeliver) = try await prepare(bench, timeout: fault.hasPrefix("slow") ? "5s" : nil)
            let before = try await secret(of: sandbox)
            try await sandbox.control(#"{"fault":["rotate:\#(fault):1"]}"#)
            let rotated = try await redeliver.run(
                "endpoints", "secret", "rotate", "receiver-0", "--output", "\(redeliver.folder.path)/new", "--keep-old",
                "\(redeliver.folder.path)/old")
            #expect(rotated.ending == .code(69))
            #expect(rotated.errors.contains("is unknown (") && rotated.errors.contains("the secret may have changed"))
            #expect(rotated.errors.contains("`redeliver endpoints secret show 'receiver-0'`"))
            #expect(try text(redeliver.folder, "old") == before)
            #expect(try files(redeliver.folder) == ["old"])
            let after = try await secret(of: sandbox)
            #expect(try await redeliver.run("endpoints", "secret", "show", "receiver-0").output == after + "\n")
            #expect(!rotated.errors.contains(after) && !rotated.errors.contains(before))
        }
    }

    @Test func `a place that cannot take the new secret is found before the secret is changed`() async throws {
        try await withBench { bench in
            let (sandbox, redeliver) = try await prepare(bench)
            let before = try await secret(of: sandbox)
            let (good, bad) = ("\(redeliver.folder.path)/good", "\(redeliver.folder.path)/none/bad")
            for arguments in [["--output", bad], ["--output", good, "--keep-old", bad]] {
                let rotated = try await bench.run(
                    "redeliver",
                    ["endpoints", "secret", "rotate", "receiver-0", "--config", redeliver.configuration.path]
                        + arguments)
                #expect(rotated.ending == .code(64) && rotated.errors.contains("cannot make \(bad)"))
            }
            #expect(try files(redeliver.folder).isEmpty)
            #expect(try await secret(of: sandbox) == before)
        }
    }
}
