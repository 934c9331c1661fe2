import Foundation
import TestSupport
import Testing

/// `redeliver doctor` with the built programs, on a healthy installation and on each broken thing.
@Suite struct DoctorTests {
    /// The JSON's verdicts by name.
    private func verdicts(_ finished: Finished) throws -> [String: String] {
        struct Page: Decodable {
            struct Check: Decodable {
                let name: String
                let verdict: String
            }
            let checks: [Check]
        }
        let page = try JSONDecoder().decode(Page.self, from: Data(finished.output.utf8))
        return Dictionary(uniqueKeysWithValues: page.checks.map { ($0.name, $0.verdict) })
    }

    private func delivered(_ bench: Bench) async throws -> (SandboxProcess, RedeliverProcess, RunningProgram) {
        let sandbox = try await bench.sandbox("--failures", "3")
        let redeliver = try bench.redeliver(RedeliverSettings(sandbox))
        let daemon = try await redeliver.start()
        try await redeliver.waitUntilDelivered(3)
        try await waitUntil("the metrics file is there") {
            FileManager.default.fileExists(atPath: redeliver.metrics.path)
        }
        return (sandbox, redeliver, daemon)
    }

    @Test func `a healthy installation has nothing but good findings and sends nothing`() async throws {
        try await withBench { bench in
            let (sandbox, redeliver, daemon) = try await delivered(bench)
            let doctor = try await redeliver.run("doctor", "--json")
            #expect(doctor.ending == .code(0), "\(doctor.output)")
            #expect(try verdicts(doctor).values.allSatisfy { $0 == "ok" }, "\(doctor.output)")
            #expect(try verdicts(doctor).count == 18)
            let text = try await redeliver.run("doctor")
            #expect(text.output.contains("runs as process \(daemon.pid)"))
            #expect(text.output.hasSuffix("\nhealthy: 18 ok\n"))
            #expect(try await sandbox.summary().retryCalls == 3)
            try await daemon.stop()
        }
    }

    @Test func `without a daemon it warns and is still healthy`() async throws {
        try await withBench { bench in
            let (_, redeliver, daemon) = try await delivered(bench)
            try await daemon.stop()
            let doctor = try await redeliver.run("doctor", "--json")
            #expect(doctor.ending == .code(0))
            #expect(try verdicts(doctor).filter { $0.value != "ok" } == ["daemon": "warning"])
        }
    }

    @Test func `each broken thing is bad and named`() async throws {
        try await withBench { bench in
            let (sandbox, redeliver, daemon) = try await delivered(bench)
            // It would ask the provider too.
            try await daemon.stop()
            try await sandbox.control(#"{"fault":["logs:status=401:1"]}"#)
            try await expect(["credential", "endpoint receiver-0"], redeliver)
            try await sandbox.control(#"{"fault":["logs/0:status=404"]}"#)
            try await expect(["endpoint receiver-0"], redeliver)
            try await sandbox.control(#"{"clear_faults":true}"#)

            try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: redeliver.database.path)
            try await expect(["permissions"], redeliver)
            // SQLite gives the files beside it the mode of the database.
            for name in ["", "-wal", "-shm"] {
                try FileManager.default.setAttributes(
                    [.posixPermissions: 0o640], ofItemAtPath: redeliver.database.path + name)
            }

            let yaml = try String(contentsOf: redeliver.configuration, encoding: .utf8)
            try redeliver.write(
                yaml.replacing("metrics: {interval: 1s}", with: "metrics: {textfile: none/redeliver.prom}"))
            try await expect(["metrics file"], redeliver)
            let fixed = try await redeliver.run("doctor", "--fix")
            #expect(fixed.output.hasPrefix("fixed: made the folder \(redeliver.folder.path)/none\n"))

            try redeliver.write(yaml.replacing("poll: {", with: "pool: {"))
            try await expect(["configuration"], redeliver, ["--database", redeliver.database.path])
            try redeliver.write(yaml)
            try await sandbox.program.stop()
            try await expect(["endpoint receiver-0", "provider"], redeliver)
        }
    }

    private func expect(
        _ bad: [String], _ redeliver: RedeliverProcess, _ arguments: [String] = [],
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let doctor = try await redeliver.bench.run(
            "redeliver", ["doctor", "--json", "--config", redeliver.configuration.path] + arguments)
        #expect(doctor.ending == .code(1), sourceLocation: sourceLocation)
        let found = try verdicts(doctor).filter { $0.value == "bad" }.keys.sorted()
        #expect(found == bad, "\(doctor.output)", sourceLocation: sourceLocation)
    }
}
