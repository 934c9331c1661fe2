import Foundation
import Testing

/// What becomes of results that cannot be handed over, and of texts that would steer a terminal.
@Suite struct OutputTests {
    @Test func `a result that stdout does not take ends with 74, whatever the command`() async throws {
        try await withBench { bench in
            let sandbox = try await bench.sandbox("--failures", "2", "--successes", "0")
            let redeliver = try bench.redeliver(RedeliverSettings(sandbox))
            _ = try await redeliver.once()
            let program = try BuiltPrograms.url(of: "redeliver").path

            for command in [
                "check", "status", "status --json", "policies", "policies x", "policies --csv", "deliveries list",
                "deliveries list --csv", "deliveries show id:1", "deliveries retry --since 9h", "events",
                "events --examples", "endpoints logs receiver-0", "endpoints secret receiver-0",
                "endpoints pause receiver-0 --reason x", "doctor", "database check", "database prune",
            ] {
                for place in ["> /dev/full", ">&-"] {
                    let line = "'\(program)' \(command) --config '\(redeliver.configuration.path)' \(place)"
                    let finished = try await bench.run(URL(filePath: "/bin/sh"), ["-c", line])
                    #expect(finished.ending == .code(74), "\(command) \(place): \(finished.errors)")
                    #expect(finished.errors.contains("write to stdout: "), "\(finished.errors)")
                }
            }
        }
    }

    @Test func `a message never steers the terminal, whatever the provider's ids hold`() async throws {
        try await withBench { bench in
            let sandbox = try await bench.sandbox("--failures", "2", "--successes", "0")
            let redeliver = try bench.redeliver(RedeliverSettings(sandbox))
            _ = try await redeliver.once()
            try redeliver.change(
                "UPDATE delivery SET task_id = 'task-' || CASE id WHEN 1 THEN '2' ELSE char(27) || '[2J' END")

            let shown = try await redeliver.run("deliveries", "show", "task-")
            #expect(
                shown.ending == .code(64) && shown.errors.contains("id:2 (task task-\u{FFFD}[2J,"), "\(shown.errors)")
            #expect(!shown.errors.contains("\u{1B}"))
        }
    }
}
