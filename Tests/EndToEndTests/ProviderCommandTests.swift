import Foundation
import TestSupport
import Testing

/// The provider's operations from the command line, against the sandbox.
@Suite struct ProviderCommandTests {
    private func prepare(
        _ bench: Bench, _ flags: String..., change: (inout RedeliverSettings) -> Void = { _ in }
    ) async throws -> (SandboxProcess, RedeliverProcess) {
        let sandbox = try await bench.sandbox(["--endpoints", "1"] + flags)
        var settings = RedeliverSettings(sandbox)
        change(&settings)
        return (sandbox, try bench.redeliver(settings))
    }

    private func json(_ finished: Finished) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(finished.output.utf8)) as? [String: Any])
    }

    @Test func `the events are listed, with their examples when asked for`() async throws {
        try await withBench { bench in
            let (_, redeliver) = try await prepare(bench, "--failures", "0", "--events", "odd_event")
            let table = try await redeliver.run("events")
            #expect(table.ending == .code(0) && table.output.hasPrefix("EVENT TYPE"))
            for name in ["profile_create", "video_call_status_change", "odd_event"] {
                #expect(table.output.contains("\n\(name) "))
            }
            let examples = try await redeliver.run("events", "--examples")
            #expect(examples.output.contains("profile_create\n{\n  \"event\": \"profile_create\","))
            let raw = try await redeliver.run("events", "--examples", "--raw")
            #expect(raw.output.contains("profile_create\n{\"event\":"))
            let rows = try JSONSerialization.jsonObject(
                with: Data(try await redeliver.run("events", "--json", "--examples").output.utf8))
            let first = try #require((rows as? [[String: Any]])?.first)
            #expect(first["event_type"] as? String == "profile_create")
            #expect((first["example_payload"] as? String)?.hasPrefix("{") == true)
            #expect(try await redeliver.run("events", "--csv").output.hasPrefix("event_type,example\nprofile_create,"))
        }
    }

    @Test func `a new endpoint is registered, and its lines make a configuration`() async throws {
        try await withBench { bench in
            let (sandbox, redeliver) = try await prepare(bench, "--failures", "0")
            let created = try await redeliver.run(
                "endpoints", "create", "--url", "https://a.test/x?k=1", "--event", "profile_create", "--event",
                "document_upload", "--header", "X-Key=s3cret=1", "--metadata", "team=core", "--json")
            #expect(created.ending == .code(0), "\(created.errors)")
            let report = try json(created)
            let id = try #require(report["id"] as? String)
            #expect(report["enabled_events"] as? [String] == ["profile_create", "document_upload"])
            #expect(!created.output.contains("s3cret") && !created.errors.contains("s3cret"))

            let stored = try await sandbox.send(
                "PUT", "/api/v2/webhook_endpoint/\(id)", token: sandbox.token, body: "{}")
            #expect(stored["url"] as? String == "https://a.test/x?k=1")
            #expect(stored["custom_headers"] as? [String: String] == ["X-Key": "s3cret=1"])
            #expect(stored["metadata"] as? [String: String] == ["team": "core"])

            let lines = try #require(report["configuration"] as? String)
            let yaml = try String(contentsOf: redeliver.configuration, encoding: .utf8)
            try redeliver.write(yaml.replacing("database:", with: "\(lines)\ndatabase:"))
            #expect(try await redeliver.run("check").output.contains("no faults; 2 endpoints"))
            #expect(try await redeliver.run("endpoints", "logs", "a.test").ending == .code(0))
        }
    }

    @Test func `an endpoint can be described in a file or on stdin`() async throws {
        try await withBench { bench in
            let (sandbox, redeliver) = try await prepare(bench, "--failures", "0")
            let file = redeliver.folder.appending(path: "endpoint.json")
            try #"{"url":"https://a.test","enabled_events":["profile_create"],"metadata":{"n":1.50,"l":[1]}}"#
                .write(to: file, atomically: true, encoding: .utf8)
            let created = try await redeliver.run("endpoints", "create", "--from-json", file.path, "--json")
            let id = try #require(try json(created)["id"] as? String)
            let stored = try await sandbox.send(
                "PUT", "/api/v2/webhook_endpoint/\(id)", token: sandbox.token, body: "{}")
            #expect(stored.text.contains(#""metadata":{"n":1.50,"l":[1]}"#))
            // The tests' programs have an empty stdin.
            let empty = try await redeliver.run("endpoints", "create", "--from-json", "-")
            #expect(empty.ending == .code(64) && empty.errors.contains("--from-json -: the text is not JSON"))
            try #"{"url":"https://a.test"}"#.write(to: file, atomically: true, encoding: .utf8)
            let half = try await redeliver.run("endpoints", "create", "--from-json", file.path)
            #expect(half.ending == .code(64) && half.errors.contains("needs url and enabled_events"))
            let missing = try await redeliver.run("endpoints", "update", "receiver-0", "--from-json", "none.json")
            #expect(missing.ending == .code(64) && missing.errors.contains("cannot read the file"))
        }
    }

    @Test func `an update sends only what is given, and replaces whole objects`() async throws {
        try await withBench { bench in
            let (sandbox, redeliver) = try await prepare(bench, "--failures", "0")
            let path = "/api/v2/webhook_endpoint/\(sandbox.endpoints[0])"
            _ = try await redeliver.run(
                "endpoints", "update", "receiver-0", "--header", "A=1", "--header", "B=2", "--metadata", "m=1")
            let updated = try await redeliver.run(
                "endpoints", "update", sandbox.endpoints[0], "--header", "C=s3cret", "--event", "document_upload")
            #expect(updated.ending == .code(0))
            #expect(updated.output.hasPrefix("endpoint receiver-0 is updated: enabled_events, custom_headers\n"))
            #expect(!updated.output.contains("s3cret"))
            let stored = try await sandbox.send("PUT", path, token: sandbox.token, body: "{}")
            #expect(stored["custom_headers"] as? [String: String] == ["C": "s3cret"])
            #expect(stored["metadata"] as? [String: String] == ["m": "1"])
            #expect(stored["enabled_events"] as? [String] == ["document_upload"])
        }
    }

    @Test func `a log is shown as it is understood, unreadable entries as such`() async throws {
        try await withBench { bench in
            let (_, redeliver) = try await prepare(bench, "--failures", "40", "--successes", "80") {
                $0.more = ""
            }
            let all = try await redeliver.run("endpoints", "logs", "receiver-0", "--limit", "0", "--csv")
            #expect(all.output.split(separator: "\n").count == 121)
            let few = try await redeliver.run("endpoints", "logs", "receiver-0", "--limit", "7", "--json")
            #expect(try rows(few).count == 7)
            let failed = try await redeliver.run("endpoints", "logs", "receiver-0", "--failed", "--json")
            #expect(
                try rows(failed).compactMap { $0["outcome"] as? String } == [String](repeating: "failed", count: 40))
            #expect(
                try await redeliver.run("endpoints", "logs", "receiver-0", "--limit", "7").output.contains("--limit 0"))

            let yaml = try String(contentsOf: redeliver.configuration, encoding: .utf8)
            try redeliver.write(yaml.replacing("  log_fields: {}", with: "  log_fields: {task_id: nothing}"))
            let strange = try await redeliver.run("endpoints", "logs", "receiver-0", "--limit", "0", "--json")
            #expect(try rows(strange).count == 120)
            #expect(try rows(strange).allSatisfy { $0["outcome"] as? String == "unreadable" })
            #expect(strange.output.contains("no_task_id: "))
            for hidden in [all, few, failed, strange] { #expect(!hidden.output.contains("\"data\"")) }
        }
    }

    private func rows(_ finished: Finished) throws -> [[String: Any]] {
        try #require(try JSONSerialization.jsonObject(with: Data(finished.output.utf8)) as? [[String: Any]])
    }

    @Test(arguments: [SIGINT, SIGTERM]) func `a followed log survives faults and ends cleanly`(signal: Int32)
        async throws
    {
        try await withBench { bench in
            let (sandbox, redeliver) = try await prepare(bench, "--failures", "3", "--fault", "logs:status=503:2") {
                $0.poll = "interval: 250ms"
            }
            let follower = try bench.start(
                "redeliver",
                ["endpoints", "logs", "receiver-0", "--follow", "--json", "--config", redeliver.configuration.path])
            try await waitUntil("the log is shown") { follower.output.split(separator: "\n").count == 3 }
            #expect(follower.errors.contains("(HTTP 503); next reading in"))
            try await sandbox.control(#"{"fault":["logs:garbage:2"]}"#)
            try await waitUntil("the faults are told") { follower.errors.contains("is not JSON") }
            let test = try await redeliver.run(
                "endpoints", "test", "receiver-0", "--event", "profile_create", "--json")
            let task = try #require(try json(test)["task_id"] as? String)
            try await waitUntil("the new entry is shown") { follower.output.contains(task) }
            #expect(try await follower.stop(signal) == .code(0))
            let lines = follower.output.split(separator: "\n")
            #expect(lines.count == 4 && lines.allSatisfy { $0.hasPrefix("{") && $0.hasSuffix("}") })
        }
    }
}
