import Foundation
import TestSupport
import Testing

/// What an on-call engineer does with the built program.
@Suite struct OperatorTests {
    /// Failures that nothing retries within a test.
    private func slow(_ sandbox: SandboxProcess) -> RedeliverSettings {
        var settings = RedeliverSettings(sandbox)
        settings.policy = "initial_delay: 1h, multiplier: 2, max_delay: 2h, max_attempts: 5, jitter: 0"
        return settings
    }

    private func json(_ finished: Finished) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(finished.output.utf8)) as? [String: Any])
    }

    @Test func `a running daemon sends a retry that is asked for, and its success cancels the schedule`() async throws {
        try await withBench { bench in
            let sandbox = try await bench.sandbox("--failures", "3", "--successes", "0")
            let redeliver = try bench.redeliver(slow(sandbox))
            let daemon = try await redeliver.start()
            try await waitUntil("the failures are known") { try redeliver.number("SELECT COUNT(*) FROM delivery") == 3 }
            let task = try redeliver.texts("SELECT task_id FROM delivery WHERE id = 2")[0]

            let asked = try await redeliver.run("deliveries", "retry", task, "--reason", "receiver is back")
            #expect(asked.ending == .code(0), "\(asked.errors)")
            #expect(asked.output.contains("process \(daemon.pid)"))
            try await waitUntil("it arrives") {
                try redeliver.texts("SELECT delivered_by FROM delivery WHERE id = 2") == ["operator"]
            }
            #expect(try redeliver.number("SELECT SUM(attempts_used) FROM delivery") == 0)
            #expect(try redeliver.texts("SELECT action || reason FROM operator_action") == ["retryreceiver is back"])
            let again = try await redeliver.run("deliveries", "retry", "id:2", "--reason", "x")
            #expect(again.ending == .code(64) && again.errors.contains("it is delivered already"))
            #expect(try await daemon.stop() == .code(0))
            #expect(try await sandbox.summary().retryCalls == 1)
        }
    }

    @Test func `without a daemon a filter's retries are made from the command, spread over time`() async throws {
        try await withBench { bench in
            let sandbox = try await bench.sandbox("--failures", "6", "--successes", "0")
            let redeliver = try bench.redeliver(slow(sandbox))
            _ = try await redeliver.once()

            let dry = try await redeliver.run("deliveries", "retry", "--since", "24h")
            #expect(dry.ending == .code(0) && dry.output.contains("would retry 6 deliveries"))
            #expect(try redeliver.number("SELECT COUNT(*) FROM operator_action") == 0)
            let refused = try await redeliver.run("deliveries", "retry", "--since", "24h", "--confirm")
            #expect(refused.ending == .code(64) && refused.errors.contains("--reason is missing"))

            let done = try await redeliver.run(
                "deliveries", "retry", "--since", "24h", "--confirm", "--reason", "x", "--per-second", "20", "--json")
            #expect(done.ending == .code(0), "\(done.errors)")
            let report = try json(done)
            #expect(report["done"] as? Int == 6 && report["called"] as? Int == 6 && report["accepted"] as? Int == 6)
            try await waitUntil("all are delivered") {
                _ = try await redeliver.once()
                return try redeliver.number("SELECT COUNT(*) FROM delivery WHERE state = 'delivered'") == 6
            }
            let summary = try await sandbox.summary()
            #expect(summary.retryCalls == 6 && summary.arrivedMoreThanOnce == 0)
        }
    }

    @Test func `a retry waits for a log that cannot be read and says so, and --unread sends it all the same`()
        async throws
    {
        try await withBench { bench in
            let sandbox = try await bench.sandbox("--failures", "2", "--successes", "0", "--endpoints", "1")
            let redeliver = try bench.redeliver(slow(sandbox))
            _ = try await redeliver.once()
            try await sandbox.control(#"{"fault":["logs:status=500"]}"#)

            let asked = try await redeliver.run("deliveries", "retry", "id:1", "--reason", "x")
            #expect(asked.ending != .code(0))
            #expect(asked.output.contains("1 retry waits until it is read") && asked.output.contains("HTTP 500"))
            #expect(asked.output.contains("run `redeliver deliveries retry` with --unread"))
            #expect(try await sandbox.summary().retryCalls == 0)

            let sent = try await redeliver.run("deliveries", "retry", "id:1", "--unread", "--reason", "x", "--json")
            #expect(try json(sent)["called"] as? Int == 1)
            #expect(try await sandbox.summary().retryCalls == 1)
        }
    }

    @Test func `without a daemon and a configuration a retry is kept for the next daemon`() async throws {
        try await withBench { bench in
            let sandbox = try await bench.sandbox("--failures", "2", "--successes", "0")
            let redeliver = try bench.redeliver(slow(sandbox))
            _ = try await redeliver.once()
            try FileManager.default.removeItem(at: redeliver.configuration)

            let asked = try await redeliver.run(
                "deliveries", "retry", "id:1", "--reason", "x", "--database", redeliver.database.path)
            #expect(asked.ending == .code(0), "\(asked.errors)")
            #expect(
                asked.output.contains("a retry is asked for\nno daemon runs; the next daemon acts on it at its start"))
            #expect(asked.errors.contains("no call can be made from here") && asked.errors.contains("does not exist"))
            #expect(try redeliver.texts("SELECT action || delivery_id FROM operator_action") == ["retry1"])
        }
    }

    @Test func `without a daemon and a provider a retry is kept for the next daemon, and the command ends with 69`()
        async throws
    {
        try await withBench { bench in
            let sandbox = try await bench.sandbox("--failures", "1", "--successes", "0")
            let redeliver = try bench.redeliver(slow(sandbox))
            _ = try await redeliver.once()
            var unreachable = slow(sandbox)
            unreachable.provider = "http://127.0.0.1:1"
            try redeliver.write(unreachable.yaml)

            let asked = try await redeliver.run("deliveries", "retry", "id:1", "--reason", "x")
            #expect(asked.ending == .code(69), "\(asked.errors)")
            #expect(asked.output.contains("is asked for\nno daemon runs, and no call could be made from here"))
            #expect(asked.errors.contains("no answer from the provider"))
            #expect(try redeliver.number("SELECT COUNT(*) FROM delivery WHERE manual_ms IS NOT NULL") == 1)
        }
    }

    @Test func `what else goes wrong after a retry was asked for does not hide what came of it`() async throws {
        try await withBench { bench in
            let sandbox = try await bench.sandbox("--failures", "1", "--successes", "0")
            let redeliver = try bench.redeliver(slow(sandbox))
            _ = try await redeliver.once()
            // The metrics file is written last, after the call.
            try FileManager.default.removeItem(at: redeliver.metrics)
            try FileManager.default.createDirectory(at: redeliver.metrics, withIntermediateDirectories: false)

            let asked = try await redeliver.run("deliveries", "retry", "id:1", "--reason", "x")
            #expect(asked.ending == .code(70) && asked.errors.contains("check `metrics.textfile`"))
            #expect(asked.output.contains("1 call was made from here; the provider accepted 1"), "\(asked.output)")
        }
    }

    @Test func `a paused endpoint is held, also over a restart, until it is resumed`() async throws {
        try await withBench { bench in
            let sandbox = try await bench.sandbox("--failures", "4", "--endpoints", "1", "--successes", "0")
            let redeliver = try bench.redeliver(slow(sandbox))
            _ = try await redeliver.once()
            try redeliver.write(RedeliverSettings(sandbox).yaml)
            let paused = try await redeliver.run("endpoints", "pause", "receiver-0", "--reason", "deploy")
            #expect(paused.ending == .code(0))
            #expect(paused.output == "endpoint receiver-0 is paused; a running daemon notices within a second\n")
            let twice = try await redeliver.run("endpoints", "pause", "receiver-0", "--reason", "again")
            #expect(twice.ending == .code(0))
            #expect(twice.output == "endpoint receiver-0 was already paused; nothing was changed\n")
            #expect(try await redeliver.status().endpoints[0].heldBecause == "operator")
            let daemon = try await redeliver.start()
            _ = try await redeliver.run("deliveries", "requeue", "--state", "dead", "--confirm", "--reason", "x")
            try await sandbox.control(#"{"fail":{"count":1}}"#)
            try await waitUntil("a new failure is known") { try redeliver.number("SELECT COUNT(*) FROM delivery") == 5 }
            #expect(try await sandbox.summary().retryCalls == 0)

            let shown = try await redeliver.run("deliveries", "show", "id:5")
            #expect(shown.ending == .code(0) && shown.output.contains("an operator paused it"), "\(shown.output)")
            let resumed = try await redeliver.run("endpoints", "resume", "receiver-0", "--reason", "done", "--json")
            let report = try json(resumed)
            #expect(report["done"] as? String == "resumed" && report["changed"] as? Bool == true)
            #expect(report["endpoint_id"] as? String == sandbox.endpoints[0])
            let again = try await redeliver.run("endpoints", "resume", "receiver-0", "--reason", "done")
            #expect(again.output == "endpoint receiver-0 was not held; nothing was changed\n")
            try await waitUntil("the new one arrives") { try await sandbox.summary().arrived >= 1 }
            try await daemon.stop()
        }
    }

    @Test func `deliveries are listed for people, scripts and spreadsheets, and shown without their body`() async throws
    {
        try await withBench { bench in
            let sandbox = try await bench.sandbox("--failures", "5", "--successes", "0")
            let redeliver = try bench.redeliver(slow(sandbox))
            _ = try await redeliver.once()

            let table = try await redeliver.run("deliveries", "list", "--limit", "3")
            #expect(table.output.hasPrefix("ID") && table.output.contains("there are more"))
            let csv = try await redeliver.run("deliveries", "list", "--csv")
            #expect(csv.output.split(separator: "\n").count == 6)
            let rows = try await redeliver.run("deliveries", "list", "--json", "--state", "scheduled")
            let list = try #require(
                try JSONSerialization.jsonObject(with: Data(rows.output.utf8)) as? [[String: Any]])
            #expect(list.count == 5 && list.allSatisfy { $0["state"] as? String == "scheduled" })
            let task = try #require(list[0]["task_id"] as? String)
            let largest = try await redeliver.run("deliveries", "list", "--json", "--limit", "\(Int.max)")
            #expect(largest.output == rows.output)
            let dead = try await redeliver.run("deliveries", "list", "--reason", "age", "--reason", "attempts")
            #expect(dead.ending == .code(0) && dead.output.contains("no delivery matches"))

            let body = try redeliver.texts("SELECT CAST(body AS TEXT) FROM delivery_body WHERE delivery_id = 5")[0]
            let shown = try await redeliver.run("deliveries", "show", task, "--json")
            #expect(try json(shown)["standing"] as? String == "waiting" && !shown.output.contains("\"body\""))
            #expect((try json(shown)["remaining_attempts"] as? [Any])?.count == 5)
            let whole = try await redeliver.run("deliveries", "show", task, "--body", "--json")
            #expect(try json(whole)["body"] as? String == body)

            for (arguments, text) in [
                (["list", "--endpoint", "nobody"], "there is no endpoint nobody"),
                (["list", "--json", "--csv"], "cannot be used together"),
                (["show", "nothing"], "there is no delivery nothing"),
                (["retry"], "name a delivery by task id or number"),
                (["discard", "--state", "dead"], "not for dead deliveries"),
                (["discard", "--dead-reason", "age"], "not for dead deliveries"),
                (["requeue", "id:1", "--since", "1h", "--reason", "x"], "not both"),
            ] {
                let finished = try await bench.run(
                    "redeliver", ["deliveries"] + arguments + ["--config", redeliver.configuration.path])
                #expect(
                    finished.ending == .code(64) && finished.errors.contains(text), "\(arguments): \(finished.errors)")
            }
        }
    }
}
