import Foundation
import Testing

/// `redeliver policies` as it is typed.
@Suite struct PoliciesCommandTests {
    private let yaml = """
        provider: {base_url: "https://provider.example", auth: {token: never-shown}}
        endpoints: [{id: e-1}]
        database: none.db
        policies:
          - {events: ["document_*"], schedule: [1m, 5m], jitter: 0}
        """

    private func run(_ bench: Bench, _ arguments: String...) async throws -> Finished {
        let file = bench.folder.appending(path: "redeliver.yaml")
        try yaml.write(to: file, atomically: true, encoding: .utf8)
        return try await bench.run("redeliver", ["policies"] + arguments + ["--config", file.path])
    }

    @Test func `policies and timetables need the configuration only, and no database`() async throws {
        try await withBench { bench in
            let all = try await run(bench)
            #expect(all.ending == .code(0) && all.errors.isEmpty)
            #expect(all.output.contains("document_*") && all.output.contains("65 h 3 min"))
            #expect(all.output.contains("\nDOCUMENTED EVENT TYPE"))

            let one = try await run(bench, "document_upload")
            #expect(one.output.hasPrefix("document_upload: matched by document_*\nwaits: schedule 1 min, 5 min;"))
            #expect(one.output.hasSuffix("2 attempts over 6 min, then dead: no attempt is left\n"))
            #expect(!(all.output + one.output).contains("never-shown"))
            #expect(!FileManager.default.fileExists(atPath: bench.folder.appending(path: "none.db").path))
        }
    }

    @Test func `scripts get rows or JSON and nothing else`() async throws {
        try await withBench { bench in
            let csv = try await run(bench, "document_upload", "--csv")
            #expect(
                csv.output.hasPrefix("attempt,wait_seconds,") && csv.output.hasSuffix("\n2,300,300,360,360,certain\n"))
            let all = try await run(bench, "--csv")
            #expect(all.output.split(separator: "\n").count == 3)
            for arguments in [[], ["document_upload"]] {
                let json = try await bench.run(
                    "redeliver",
                    ["policies", "--json", "--config", bench.folder.appending(path: "redeliver.yaml").path] + arguments)
                #expect(try JSONSerialization.jsonObject(with: Data(json.output.utf8)) is [String: Any])
            }
        }
    }

    @Test(arguments: [["document_*"], ["profile_?pdate"], [""], ["x", "--json", "--csv"], ["x", "y"]])
    func `what is no event type is refused with 64`(arguments: [String]) async throws {
        try await withBench { bench in
            let finished = try await bench.run("redeliver", ["policies"] + arguments)
            #expect(finished.ending == .code(64) && finished.output.isEmpty)
            #expect(finished.errors.contains("Usage: redeliver policies"))
        }
    }

    @Test func `without a configuration the exit code is 78`() async throws {
        try await withBench { bench in
            let file = bench.folder.appending(path: "no-such.yaml").path
            let finished = try await bench.run("redeliver", ["policies", "--config", file])
            #expect(finished.ending == .code(78) && finished.errors.contains(file))
        }
    }
}
