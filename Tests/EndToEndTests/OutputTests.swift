import Foundation
import Testing

/// What becomes of texts that would steer a terminal.
@Suite struct OutputTests {
    @Test func `a message never steers the terminal, whatever the provider's ids hold`() async throws {
        try await withBench { bench in
            let sandbox = try await bench.sandbox("--failures", "2", "--successes", "0")
            let redeliver = try bench.redeliver(RedeliverSettings(sandbox))
            _ = try await redeliver.once()
            try redeliver.change("UPDATE delivery SET task_id = CASE id WHEN 1 THEN '2' ELSE char(27) || '[2J' END")

            let shown = try await redeliver.run("deliveries", "show", "2")
            #expect(shown.ending == .code(64) && shown.errors.contains("id:2 (task \u{FFFD}[2J,"), "\(shown.errors)")
            #expect(!shown.errors.contains("\u{1B}"))
        }
    }
}
