import Foundation
import TestSupport
import Testing

/// A daemon on a machine whose clock is a year wrong goes by the provider's.
@Suite struct WrongClockTests {
    private static let year = 365 * 86_400

    /// Killed in mid-run, then started again by another clock each time: what one life wrote holds in the next.
    @Test(arguments: [[year, 0, -year], [-year, year, 0]])
    func `a clock that is a year wrong, and then another, loses nothing and doubles nothing`(clocks: [Int]) async throws
    {
        try await withBench { bench in
            let sandbox = try await bench.sandbox(
                "--failures", "60", "--refail", "6:1", "--time", "milliseconds", "--latency", "30ms")
            var settings = RedeliverSettings(sandbox)
            settings.retry = "concurrency: 4, per_second: 30, burst: 4"
            settings.confirm = "interval: 250ms, within: 2s"
            let redeliver = try bench.redeliver(settings)
            for (number, clock) in clocks.enumerated() {
                let daemon = try await redeliver.start(environment: KillPoint.environment(clockAhead: clock))
                if number < clocks.count - 1 {
                    try await waitUntil("some calls are made") {
                        try await sandbox.summary().retryCalls >= 15 * (number + 1)
                    }
                    try await daemon.stop(SIGKILL)
                } else {
                    try await redeliver.waitUntilDelivered(60)
                    #expect(try await daemon.stop() == .code(0))
                }
            }

            let summary = try await sandbox.summary()
            #expect(summary.arrived == 60 && summary.arrivedBytesMatch == 60 && summary.arrivedMoreThanOnce == 0)
            #expect(summary.maxConcurrentRetriesPerTask == 1)
            let now = Int(Date().timeIntervalSince1970)
            let strange = """
                SELECT COUNT(*) FROM attempt
                WHERE abs(intent_ms / 1000 - \(now)) > 600 OR abs(settled_ms / 1000 - \(now)) > 600
                """
            #expect(try redeliver.number(strange) == 0)
        }
    }

    @Test func `run --once works by a clock that is a year ahead`() async throws {
        try await withBench { bench in
            let sandbox = try await bench.sandbox("--failures", "12")
            let redeliver = try bench.redeliver(RedeliverSettings(sandbox))
            let environment = try KillPoint.environment(clockAhead: Self.year)
            let turn = try await redeliver.run("run", "--once", environment: environment)
            #expect(turn.ending == .code(0))
            #expect(turn.errors.contains("this machine's clock and the provider's differ"))
            #expect(try redeliver.number("SELECT COUNT(*) FROM attempt") == 12)
        }
    }
}
