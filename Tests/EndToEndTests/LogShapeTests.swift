import Foundation
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
        "--next-url inner --order newest", "--mount /gw --next-url relative --order oldest",
        "--mount /gw/eu --next-url absolute --log-shape array --gzip",
        "--mount /gw --next-url inner --paging links --order shuffled",
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

    /// As behind a TLS proxy that does not tell the provider its address.
    @Test func `links to a host that only the provider knows are followed, and that is said`() async throws {
        try await withBench { bench in
            let sandbox = try await bench.sandbox(
                "--failures", "12", "--endpoints", "1", "--page-size", "3", "--next-url", "inner", "--mount", "/gw")
            let redeliver = try bench.redeliver(RedeliverSettings(sandbox))
            let turn = try await redeliver.once()
            let notice = "the log's links to the next page do not lead to base_url"
            #expect(turn.errors.components(separatedBy: notice).count == 2, "\(turn.errors)")
            #expect(turn.errors.contains("http://inner-host:8000"))
            let doctor = try await redeliver.run("doctor")
            #expect(doctor.output.contains("names http://inner-host:8000 and lacks /gw, the path of base_url"))
            #expect(doctor.output.contains("paging receiver-0"))
        }
    }

    private static let undelivered = "SELECT COUNT(*) FROM delivery WHERE state <> 'delivered'"
}
