import Testing

/// A log in which each page holds a row that cannot be read, over real HTTP.
@Suite struct DamagedRowTests {
    @Test(arguments: [
        ("nan", "bad_json"), ("infinity", "bad_json"), ("tab", "bad_json"), ("escape", "bad_json"),
        ("latin-1", "bad_json"), ("quotes", "bad_json"), ("signed-url", "no_task_id"), ("long-id", "too_long"),
        ("long-type", "too_long"), ("long-customer", "too_long"),
    ])
    func `one row that cannot be read is kept once, and all others are delivered`(
        fault: String, reason: String
    ) async throws {
        try await withBench { bench in
            let sandbox = try await bench.sandbox(
                "--failures", "12", "--page-size", "4", "--fault", "logs:row=\(fault)")
            let redeliver = try bench.redeliver(RedeliverSettings(sandbox))
            for _ in 1...3 { #expect(try await redeliver.once().ending == .code(0)) }
            #expect(try redeliver.number("SELECT COUNT(*) FROM delivery WHERE state = 'delivered'") == 12)
            #expect(try redeliver.number("SELECT COUNT(*) FROM scan_gap") == 0)
            #expect(
                try redeliver.number("SELECT COUNT(*) FROM unreadable_entry WHERE reason = '\(reason)'") == 2,
                "one for each of two endpoints")
            #expect(try redeliver.number("SELECT COUNT(*) FROM unreadable_entry") == 2)
            let summary = try await sandbox.summary()
            #expect(summary.arrivedBytesMatch == 12 && summary.arrivedMoreThanOnce == 0)
        }
    }

    /// Its end cannot be told from that of the list: here the structure is lost.
    @Test func `a page with a row that lacks its last bracket is given up, said, and read whole when it is mended`()
        async throws
    {
        try await withBench { bench in
            let sandbox = try await bench.sandbox("--failures", "12", "--fault", "logs:row=unclosed:2")
            let redeliver = try bench.redeliver(RedeliverSettings(sandbox))
            let first = try await redeliver.once()
            #expect(first.ending == .code(69) && first.errors.contains("was it cut on its way"), "\(first.errors)")
            #expect(try redeliver.number("SELECT COUNT(*) FROM delivery") == 0)
            for _ in 1...2 { #expect(try await redeliver.once().ending == .code(0)) }
            #expect(try redeliver.number("SELECT COUNT(*) FROM delivery WHERE state = 'delivered'") == 12)
            #expect(try redeliver.number("SELECT COUNT(*) FROM scan_gap") == 0)
            #expect(try redeliver.number("SELECT COUNT(*) FROM unreadable_entry") == 0)
            #expect(try await sandbox.summary().arrivedMoreThanOnce == 0)
        }
    }

    @Test func `a page of very many rows that are nothing does no harm to the others`() async throws {
        try await withBench { bench in
            let sandbox = try await bench.sandbox("--failures", "3", "--fault", "logs:page=rows,400000:1")
            let redeliver = try bench.redeliver(RedeliverSettings(sandbox))
            for _ in 1...3 { #expect(try await redeliver.once().ending == .code(0)) }
            #expect(try redeliver.number("SELECT COUNT(*) FROM delivery WHERE state = 'delivered'") == 3)
            #expect(try redeliver.number("SELECT COUNT(*) FROM unreadable_entry") == 1)
        }
    }
}
