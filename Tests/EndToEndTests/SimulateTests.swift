import Foundation
import Testing

/// `redeliver simulate` as it is typed: a configuration file and nothing else.
@Suite struct SimulateTests {
    private static let yaml = """
        provider: {base_url: "https://provider.example", auth: {token_file: not-here}}
        endpoints: [{id: e-1}]
        database: none.db
        """
    private static let small = ["--outage", "10m", "--failures", "20"]

    private func arguments(_ bench: Bench, _ arguments: [String]) throws -> [String] {
        let file = bench.folder.appending(path: "redeliver.yaml")
        try Self.yaml.write(to: file, atomically: true, encoding: .utf8)
        return ["simulate", "--config", file.path] + arguments
    }

    private func runs(_ output: String) throws -> [[String: Any]] {
        let json = try JSONSerialization.jsonObject(with: Data(output.utf8)) as? [String: Any]
        return try #require(json?["runs"] as? [[String: Any]])
    }

    @Test func `it needs no secret, no database and no network, and leaves no file`() async throws {
        try await withBench { bench in
            let finished = try await bench.run("redeliver", arguments(bench, Self.small))
            #expect(finished.ending == .code(0) && finished.errors.isEmpty)
            let lines = finished.output.split(separator: "\n")
            #expect(lines.count == 5)
            #expect(lines[2].hasPrefix("this configuration") && lines[3].hasPrefix("5s, 5m, 30m"))
            let files = try FileManager.default.contentsOfDirectory(atPath: bench.folder.path)
            #expect(!files.contains { $0.contains(".db") || $0.hasSuffix(".prom") }, "\(files)")
        }
    }

    @Test func `the same seed prints the same JSON, this configuration first`() async throws {
        try await withBench { bench in
            let first = try await bench.run("redeliver", arguments(bench, Self.small + ["--json", "--seed", "7"]))
            let second = try await bench.run("redeliver", arguments(bench, Self.small + ["--json", "--seed", "7"]))
            let third = try await bench.run("redeliver", arguments(bench, Self.small + ["--json", "--seed", "8"]))
            #expect(first.ending == .code(0) && first.output == second.output && first.output != third.output)
            let runs = try runs(first.output)
            #expect(runs.count == 3 && runs[0]["schedule"] as? String == "this configuration")
            for run in runs {
                #expect(run["lost"] as? Int == 0 && run["failures"] as? Int == 20)
                #expect(run["p50_lag_seconds"] is Double && run["wasted_calls_per_failure"] is Double)
            }
        }
    }

    /// The container's image sets it for every command.
    @Test func `an address for the metrics does not matter`() async throws {
        try await withBench { bench in
            let finished = try await bench.run(
                "redeliver", arguments(bench, Self.small), environment: ["REDELIVER_METRICS_LISTEN": "127.0.0.1:1"])
            #expect(finished.ending == .code(0) && finished.errors.isEmpty, "\(finished.errors)")
        }
    }

    @Test func `with healthy endpoints beside it their lag is told as well`() async throws {
        try await withBench { bench in
            let wanted = Self.small + ["--neighbours", "2"]
            let text = try await bench.run("redeliver", arguments(bench, wanted))
            #expect(text.ending == .code(0) && text.output.contains("2 healthy endpoints beside it"))
            #expect(text.output.contains("HEALTHY ENDPOINTS"))
            let json = try await bench.run("redeliver", arguments(bench, wanted + ["--json"]))
            for run in try runs(json.output) {
                let half = try #require(run["neighbour_p50_lag_seconds"] as? Double)
                let most = try #require(run["neighbour_p99_lag_seconds"] as? Double)
                #expect(half > 0 && half <= most)
            }
            let alone = try await bench.run("redeliver", arguments(bench, Self.small + ["--json"]))
            #expect(try runs(alone.output).allSatisfy { $0["neighbour_p50_lag_seconds"] is NSNull })
        }
    }

    @Test func `a terminal gets the chart, without colours where they are not wanted`() async throws {
        try await withBench { bench in
            let terminal = try PseudoTerminal(columns: 90)
            let program = try bench.start(
                "redeliver", try arguments(bench, Self.small + ["--receiver", "flapping", "--quiet"]), in: terminal,
                environment: ["NO_COLOR": "1"])
            #expect(try await program.ending() == .code(0))
            let written = terminal.written
            #expect(written.contains("one delivery every 10 min") && written.contains("ARRIVED SINCE RECOVERY"))
            #expect(written.contains("█") && !written.contains("\u{1B}"))
        }
    }

    @Test(arguments: [
        ["--outage", "6"], ["--outage", "10s"], ["--outage", "31d"], ["--failures", "0"], ["--failures", "100001"],
        ["--receiver", "up"], ["--provider-outage", "8d"], ["--seed", "-1"], ["--outage", "0s"],
        ["--neighbours", "21"],
        ["--failures", "99999999999999999999"],
    ]) func `values out of range are refused with 64 and what to do`(bad: [String]) async throws {
        try await withBench { bench in
            let finished = try await bench.run("redeliver", arguments(bench, bad))
            #expect(finished.ending == .code(64) && finished.output.isEmpty)
            #expect(finished.errors.contains(bad[0]), "\(finished.errors)")
        }
    }

    @Test func `a faulty configuration is refused with 78 and all its faults`() async throws {
        try await withBench { bench in
            let file = bench.folder.appending(path: "redeliver.yaml")
            try "endpoints: []\n".write(to: file, atomically: true, encoding: .utf8)
            let finished = try await bench.run("redeliver", ["simulate", "--config", file.path])
            #expect(finished.ending == .code(78))
            #expect(finished.errors.contains("provider.base_url") && finished.errors.contains("database"))
        }
    }
}
