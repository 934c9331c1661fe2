import Testing

/// Every shape that a log may have, each with a few failures over several pages.
@Suite struct LogShapeTests {
    @Test(arguments: [
        "--log-shape array --paging header --order newest --spelling default --time seconds",
        "--log-shape array --paging none --order oldest --spelling alternative --time iso --gzip",
        "--log-shape results --paging next --order shuffled --spelling alternative --time milliseconds",
        "--log-shape results --paging links --order oldest --spelling default --time iso --next-url absolute --gzip",
        "--log-shape logs --paging header --order shuffled --spelling default --time milliseconds --gzip",
        "--log-shape logs --paging next --order newest --spelling alternative --time iso --integer-ids",
        "--log-shape data --paging none --order newest --spelling default --time milliseconds --null-customers",
        "--log-shape data --paging links --order shuffled --spelling alternative --time seconds --gzip",
        "--log-shape items --paging header --order oldest --spelling alternative --time seconds --next-url absolute",
        "--log-shape items --paging next --order newest --spelling default --time iso --gzip --integer-ids",
        "--time microseconds --fault logs:wire=gzip-members",
        "--time nanoseconds --fault logs:wire=gzip-padded --log-shape array",
        "--time gmt --fault any:wire=x-gzip",
        "--time rfc1123 --fault any:wire=bom --order oldest",
        "--time short-offset --spelling alternative",
    ])
    func `a log is read whole, whatever its shape`(shape: String) async throws {
        try await withBench { bench in
            let flags = ["--failures", "12", "--successes", "6", "--page-size", "3", "--latency", "60ms"]
            let sandbox = try await bench.sandbox(flags + shape.split(separator: " ").map(String.init))
            let redeliver = try bench.redeliver(RedeliverSettings(sandbox))
            // A second turn only if the first one looked at the log before it showed the last outcomes.
            for _ in 1...3 {
                #expect(try await redeliver.once().ending == .code(0))
                if try redeliver.number(Self.undelivered) == 0 { break }
            }
            #expect(try redeliver.number(Self.undelivered) == 0)
            #expect(try redeliver.number("SELECT COUNT(*) FROM delivery") == 12)
            #expect(try redeliver.number("SELECT COUNT(*) FROM unreadable_entry") == 0)
            #expect(try redeliver.number("SELECT COUNT(*) FROM scan_gap") == 0)
            #expect(try redeliver.number("SELECT COUNT(*) FROM log_entry WHERE outcome = 'succeeded'") == 18)
            let summary = try await sandbox.summary()
            #expect(summary.arrivedBytesMatch == 12 && summary.arrivedMoreThanOnce == 0)
            #expect(summary.retryCalls == 12 && summary.retryMismatches == 0)
        }
    }

    private static let undelivered = "SELECT COUNT(*) FROM delivery WHERE state <> 'delivered'"
}
