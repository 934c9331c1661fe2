import Foundation
import Testing

/// One daemon per database; readers at any time.
@Suite struct InstanceTests {
    @Test func `a second daemon is refused and names the first one's process`() async throws {
        try await withBench { bench in
            let sandbox = try await bench.sandbox("--failures", "5")
            let redeliver = try bench.redeliver(RedeliverSettings(sandbox))
            let daemon = try await redeliver.start()
            for arguments in [["run"], ["run", "--once"]] {
                let second = try await bench.run("redeliver", arguments + ["--config", redeliver.configuration.path])
                #expect(second.ending == .code(75))
                #expect(second.errors.contains("process \(daemon.pid)"))
                #expect(second.errors.contains("stop that one first"))
            }
            #expect(daemon.isRunning)
            try await redeliver.waitUntilDelivered(5)
            #expect(try await daemon.stop() == .code(0))
            #expect(try await redeliver.once().ending == .code(0))
        }
    }

    @Test func `status works while the daemon runs, after a clean stop and after kill -9`() async throws {
        try await withBench { bench in
            let sandbox = try await bench.sandbox("--failures", "5")
            let redeliver = try bench.redeliver(RedeliverSettings(sandbox))
            let daemon = try await redeliver.start()
            try await redeliver.waitUntilDelivered(5)
            #expect(try await redeliver.status().totals.delivered == 5)
            try await daemon.stop()
            #expect(try await redeliver.status().totals.delivered == 5)
            let text = try await redeliver.run("status")
            #expect(text.ending == .code(0) && text.output.hasPrefix("5 delivered, 0 scheduled"))

            let next = try await redeliver.start()
            try await sandbox.control(#"{"fail":{"count":2}}"#)
            try await redeliver.waitUntilDelivered(7)
            try await next.stop(SIGKILL)
            #expect(try await redeliver.status().totals.delivered == 7)
            #expect(try redeliver.number("SELECT COUNT(*) FROM v_by_event_type") > 0)
        }
    }
}
