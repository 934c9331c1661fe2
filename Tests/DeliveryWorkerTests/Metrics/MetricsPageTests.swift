import DeliveryQueue
import Foundation
import GRDB
import Testing

@testable import DeliveryWorker

@Suite struct MetricsPageTests {
    private let worker = MetricsPage.Worker(
        version: "9.9.9", started: .noon(-3_600), lastTurns: ["poll": .noon(-1.5)],
        gate: GateStanding(rate: 1, isTrial: false),
        databaseSize: 40_960, walSize: 0)

    private func page(_ bench: Workbench) async throws -> String {
        MetricsPage.text(queue: try await bench.store.snapshot(at: .noon), worker: worker, at: .noon)
    }

    @Test func `a whole page looks like this`() {
        let page = MetricsPage.text(queue: MetricsSample.snapshot, worker: MetricsSample.worker, at: .noon)

        #expect(page == MetricsSample.page)
    }

    /// The name, and its label names.
    private static let families: [(name: String, labels: Set<String>)] = [
        ("redeliver_build_info", ["version"]), ("redeliver_start_time_seconds", []),
        ("redeliver_textfile_written_timestamp_seconds", []), ("redeliver_last_loop_timestamp_seconds", ["loop"]),
        ("redeliver_last_poll_success_timestamp_seconds", ["endpoint"]), ("redeliver_log_entries_total", ["result"]),
        ("redeliver_deliveries", ["event_type", "state"]), ("redeliver_deliveries_dead", ["event_type", "reason"]),
        ("redeliver_deliveries_finalized_total", ["event_type", "outcome"]),
        ("redeliver_oldest_undelivered_timestamp_seconds", ["event_type"]),
        ("redeliver_oldest_due_timestamp_seconds", []), ("redeliver_retry_requests_total", ["answer"]),
        ("redeliver_unconfirmed_total", []), ("redeliver_retry_request_duration_seconds", ["le"]),
        ("redeliver_recovery_duration_seconds", ["le"]), ("redeliver_auth_ok", []),
        ("redeliver_database_size_bytes", ["file"]), ("redeliver_disk_free_bytes", []),
        ("redeliver_disk_reserve_bytes", []),
        ("redeliver_polling_paused", ["reason"]), ("redeliver_scan_gap_seconds", ["endpoint"]),
        ("redeliver_deliveries_behind_gap", ["endpoint"]), ("redeliver_log_requests_total", ["purpose"]),
        ("redeliver_log_entries_in_progress", []),
    ]

    @Test func `every metric that was asked for is there with its labels, in an empty database`() async throws {
        let parsed = try MetricsParser(try await page(try await Workbench()))

        for (name, labels) in Self.families {
            let samples = parsed.samples.filter { $0.name == name || $0.name == name + "_bucket" }
            #expect(!samples.isEmpty, "\(name)")
            #expect(samples.allSatisfy { Set($0.labels.keys) == labels }, "\(name)")
            #expect(parsed.types[name] != nil && parsed.helps[name] != nil, "\(name)")
        }
        #expect(parsed.types.keys.sorted() == parsed.helps.keys.sorted())
        for (name, type) in parsed.types {
            #expect((type == "counter") == name.hasSuffix("_total"), "\(name)")
        }
    }

    @Test func `every combination of labels is written as 0 in an empty database`() async throws {
        let bench = try await Workbench(endpoints: ["e1", "e2"])
        try await bench.store.registerEventTypes(["a", "b"], at: .noon(-3_600))

        let parsed = try MetricsParser(try await page(bench))

        func zeros(_ name: String) -> Int { parsed.values(name).count { $0 == "0" } }
        #expect(zeros("redeliver_log_entries_total") == 5)
        #expect(zeros("redeliver_deliveries") == 3 * 3)
        #expect(zeros("redeliver_deliveries_dead") == 3 * 6)
        #expect(zeros("redeliver_deliveries_finalized_total") == 3 * 2)
        #expect(zeros("redeliver_oldest_undelivered_timestamp_seconds") == 3)
        #expect(zeros("redeliver_retry_requests_total") == Answer.allCases.count)
        #expect(zeros("redeliver_retry_request_duration_seconds_bucket") == 11)
        #expect(zeros("redeliver_recovery_duration_seconds_bucket") == 13)
        #expect(zeros("redeliver_scan_gap_seconds") == 2)
        #expect(zeros("redeliver_last_poll_success_timestamp_seconds") == 2)
        #expect(zeros("redeliver_endpoint_held") == 2 * HoldReason.allCases.count)
        #expect(parsed.values("redeliver_last_loop_timestamp_seconds").count == 7)
        #expect(parsed.values("redeliver_unconfirmed_total") == ["0"])
    }

    @Test func `event types beyond 32 become other, also in the counts of open deliveries`() async throws {
        let bench = try await Workbench()
        try await bench.store.registerEventTypes((0..<32).map { "type_\($0)" }, at: .noon(-3_600))

        try await bench.ingest((30..<40).map { number in LogLine("t\(number)").with { $0.type = "type_\(number)" } })

        let parsed = try MetricsParser(try await page(bench))
        #expect(parsed.values("redeliver_deliveries", ["event_type": "other", "state": "scheduled"]) == ["8"])
        #expect(parsed.values("redeliver_deliveries", ["event_type": "type_31", "state": "scheduled"]) == ["1"])
        #expect(Set(parsed.samples.compactMap { $0.labels["event_type"] }).count == 33)
    }

    @Test func `an event type that is named other does not make a series twice`() async throws {
        let bench = try await Workbench()
        try await bench.store.registerEventTypes(["other"] + (0..<32).map { "type_\($0)" }, at: .noon(-3_600))
        try await bench.ingest([LogLine("t1").with { $0.type = "other" }, LogLine("t2").with { $0.type = "unknown" }])

        let parsed = try MetricsParser(try await page(bench))

        #expect(parsed.values("redeliver_deliveries", ["event_type": "other", "state": "scheduled"]) == ["2"])
    }

    @Test func `an event type that nobody named before has series of its own from its first failure on`() async throws {
        let bench = try await Workbench()

        try await bench.ingest([LogLine("t1").with { $0.type = "brand_new" }])

        let parsed = try MetricsParser(try await page(bench))
        #expect(parsed.values("redeliver_deliveries", ["event_type": "brand_new", "state": "scheduled"]) == ["1"])
        #expect(parsed.values("redeliver_deliveries_finalized_total", ["event_type": "brand_new"]) == ["0", "0"])
    }

    @Test(arguments: [
        "quote\"s", "back\\slash", "\\\"", "new\nline", "return\r", "both\r\nof them", "accent on a quote\"\u{301}",
        "accent on a backslash\\\u{301}", "accent on a break\n\u{301}", "brace}", "a=\"b\",c=\"d\"} 1\n# HELP x",
        "", " ", "emoji \u{1F600}\u{200D}", "тест", "\u{2028}",
    ])
    func `a hostile event type stays one label value`(type: String) async throws {
        let bench = try await Workbench()
        try await bench.store.registerEventTypes([type], at: .noon(-3_600))

        let parsed = try MetricsParser(try await page(bench))

        #expect(
            parsed.values("redeliver_deliveries", ["event_type": type]).count == 3,
            "\(parsed.samples.compactMap { $0.labels["event_type"] })")
    }

    @Test func `a hostile endpoint name stays one label value`() async throws {
        let bench = try await Workbench()
        try bench.execute("UPDATE endpoint SET name = 'a\"} 1' || char(13, 10) || 'evil 1'")

        let parsed = try MetricsParser(try await page(bench))

        #expect(parsed.values("redeliver_scan_gap_seconds", ["endpoint": "a\"} 1\r\nevil 1"]) == ["0"])
    }

    @Test(
        arguments: [
            (0, "0"), (1, "1"), (-3, "-3"), (0.5, "0.5"), (1_749_988_800.125, "1749988800.125"),
            (1e14, "100000000000000"),
            (1e300, "1e+300"), (.infinity, "+Inf"), (-.infinity, "-Inf"), (.nan, "NaN"),
        ] as [(Double, String)])
    func `numbers are written as Prometheus reads them`(value: Double, text: String) {
        #expect(PrometheusText.number(value) == text)
    }

    @Test(.enabled(if: Promtool.path != nil, "promtool is not installed; Debian has it in the package prometheus"))
    func `promtool finds nothing wrong with a page`() async throws {
        let bench = try await Workbench()
        try await bench.store.registerEventTypes(["quote\"s", "both\r\nof them", "accent\"\u{301}"], at: .noon(-3_600))
        try await bench.ingest([LogLine("t1"), LogLine("t2", "success"), LogLine("t3", "pending")])

        #expect(try Promtool.check(try await page(bench)) == "")
    }
}

/// Prometheus' own checker, where it is installed.
enum Promtool {
    static let path: String? = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
        .map { "\($0)/promtool" }.first { FileManager.default.isExecutableFile(atPath: $0) }

    /// What it complains about; empty when nothing.
    static func check(_ page: String) throws -> String {
        let process = Process()
        let (input, output) = (Pipe(), Pipe())
        process.executableURL = URL(filePath: path ?? "promtool")
        process.arguments = ["check", "metrics"]
        (process.standardInput, process.standardOutput, process.standardError) = (input, output, output)
        try process.run()
        try input.fileHandleForWriting.write(contentsOf: Data(page.utf8))
        try input.fileHandleForWriting.close()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return process.terminationStatus == 0 ? text : "exit \(process.terminationStatus): \(text)"
    }
}
