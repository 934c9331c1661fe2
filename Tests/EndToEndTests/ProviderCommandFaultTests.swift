import Foundation
import Testing

/// A provider in trouble and wrong configurations: exit codes, clear texts, and no secret in any of them.
@Suite struct ProviderCommandFaultTests {
    /// A command for each operation, by its name in the sandbox.
    private static let commands: [String: [String]] = [
        "events": ["events"],
        "create": ["endpoints", "create", "--url", "https://a.test", "--event", "profile_create"],
        "update": ["endpoints", "update", "receiver-0", "--event", "profile_create"],
        "secret": ["endpoints", "secret", "receiver-0"],
        "rotate": ["endpoints", "secret", "rotate", "receiver-0"],
        "logs": ["endpoints", "logs", "receiver-0"],
        "test": ["endpoints", "test", "receiver-0", "--event", "profile_create"],
    ]

    @Test(arguments: [
        ("status=401", 77), ("status=403", 77), ("status=404", 77), ("status=400", 77), ("status=422", 77),
        ("redirect=http://127.0.0.1:9/", 77), ("status=429,retry-after=1", 69), ("status=503", 69), ("status=500", 69),
        ("drop-before", 69), ("drop-after", 69), ("garbage", 69), ("html", 69), ("truncate", 69), ("slow=60s", 69),
        ("huge=70000000", 69),
    ]) func `every operation ends with the right code for every fault`(fault: String, code: Int32) async throws {
        try await withBench { bench in
            let sandbox = try await bench.sandbox("--failures", "3", "--endpoints", "1")
            var settings = RedeliverSettings(sandbox)
            if fault.hasPrefix("slow") { settings.requestTimeout = "1s" }
            let redeliver = try bench.redeliver(settings)
            for (operation, command) in Self.commands {
                try await sandbox.control(#"{"fault":["\#(operation):\#(fault):1"]}"#)
                let finished = try await bench.run("redeliver", command + ["--config", redeliver.configuration.path])
                #expect(finished.ending == .code(code), "\(operation): \(finished.errors)")
                #expect(finished.output.isEmpty && !finished.errors.contains(sandbox.token), "\(operation)")
                #expect(finished.errors.hasPrefix("redeliver: "), "\(operation): \(finished.errors)")
                let isOpen = ["create", "rotate", "test"].contains(operation) && code == 69
                let isSurelyNothing = fault.contains("429") || fault.contains("503")
                #expect(finished.errors.contains("is unknown") == (isOpen && !isSurelyNothing), "\(operation)")
            }
        }
    }

    @Test func `a provider that is not there is told as such`() async throws {
        try await withBench { bench in
            let sandbox = try await bench.sandbox("--failures", "0", "--endpoints", "1")
            let redeliver = try bench.redeliver(RedeliverSettings(sandbox))
            try await sandbox.program.stop()
            for command in Self.commands.values {
                let finished = try await bench.run("redeliver", command + ["--config", redeliver.configuration.path])
                #expect(finished.ending == .code(69))
                #expect(finished.errors.contains("no answer from the provider (connection_refused)"))
            }
        }
    }

    @Test func `a wrong token, endpoint or configuration has its code and its text`() async throws {
        try await withBench { bench in
            let sandbox = try await bench.sandbox("--failures", "0", "--endpoints", "1")
            var settings = RedeliverSettings(sandbox)
            settings.auth = "token: wr0ng-t0ken"
            let redeliver = try bench.redeliver(settings)
            for command in Self.commands.values {
                let refused = try await bench.run("redeliver", command + ["--config", redeliver.configuration.path])
                #expect(refused.ending == .code(77) && refused.errors.contains("refused the token (HTTP 401)"))
                #expect(!refused.errors.contains("wr0ng"))
                let missing = try await bench.run("redeliver", command + ["--config", "none.yaml"])
                #expect(missing.ending == .code(78) && missing.errors.contains("none.yaml"))
            }
            let good = try bench.redeliver(RedeliverSettings(sandbox))
            for command in Self.commands.values where command.contains("receiver-0") {
                let unknown = command.map { $0 == "receiver-0" ? "nowhere" : $0 }
                let finished = try await bench.run("redeliver", unknown + ["--config", good.configuration.path])
                #expect(finished.ending == .code(77))
                #expect(finished.errors.contains("endpoint 'nowhere'") && finished.errors.contains("HTTP 404"))
            }
        }
    }
}
