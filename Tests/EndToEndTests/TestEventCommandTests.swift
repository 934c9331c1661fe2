import Foundation
import TestSupport
import Testing

/// `redeliver endpoints test`: what it says of a test event, and that no daemon ever retries one.
@Suite struct TestEventCommandTests {
    private static let down = #"{"outage":{"down":true}}"#

    private func task(_ finished: Finished) throws -> String {
        let json = try JSONSerialization.jsonObject(with: Data(finished.output.utf8)) as? [String: Any]
        return try #require(json?["task_id"] as? String)
    }

    @Test func `a failing test event is stored and never retried by a running daemon`() async throws {
        try await withBench { bench in
            let sandbox = try await bench.sandbox("--failures", "2", "--endpoints", "1")
            let redeliver = try bench.redeliver(RedeliverSettings(sandbox))
            let daemon = try await redeliver.start()
            try await redeliver.waitUntilDelivered(2)
            try await sandbox.control(Self.down)

            let test = try await redeliver.run(
                "endpoints", "test", "receiver-0", "--event", "profile_create", "--wait", "--json")
            let task = try task(test)
            #expect(test.ending == .code(1) && test.output.contains(#""outcome" : "failed""#))
            try await waitUntil("the entry is stored") {
                try redeliver.number("SELECT COUNT(*) FROM log_entry WHERE task_id = '\(task)'") == 1
            }
            // A failure of the same time that is no test is retried again and again.
            try await sandbox.control(#"{"fail":{"count":1}}"#)
            try await waitUntil("the other failure is retried") {
                try redeliver.number("SELECT MAX(attempts_used) FROM delivery") > 1
            }
            try await daemon.stop()

            #expect(try await sandbox.ledger().retries.allSatisfy { $0.taskId != task })
            let open = "SELECT COUNT(*) FROM delivery WHERE task_id = '\(task)' AND state <> 'dead'"
            #expect(try redeliver.number(open) == 0)
            #expect(try redeliver.texts("SELECT task_id FROM test_event") == [task])
        }
    }

    @Test func `a test event that arrives ends with 0`() async throws {
        try await withBench { bench in
            let sandbox = try await bench.sandbox("--failures", "0", "--endpoints", "1", "--log-delay", "700ms")
            let redeliver = try bench.redeliver(RedeliverSettings(sandbox))
            let test = try await redeliver.run("endpoints", "test", "receiver-0", "--event", "profile_create", "--wait")
            #expect(test.ending == .code(0) && test.output.hasSuffix("\ndelivered\n"))
            #expect(test.errors.contains("the test event is not recorded, because the database"))
        }
    }

    @Test func `a test event that the log does not show in time ends with 69`() async throws {
        try await withBench { bench in
            let sandbox = try await bench.sandbox("--failures", "0", "--endpoints", "1", "--log-delay", "30s")
            let redeliver = try bench.redeliver(RedeliverSettings(sandbox))
            let test = try await redeliver.run(
                "endpoints", "test", "receiver-0", "--event", "profile_create", "--wait", "--timeout", "1s")
            #expect(test.ending == .code(69) && test.output.contains("the log did not show its result in time"))
        }
    }

    @Test func `an endpoint that the database does not know is tested, with a warning`() async throws {
        try await withBench { bench in
            let sandbox = try await bench.sandbox("--failures", "0", "--endpoints", "2")
            var settings = RedeliverSettings(sandbox)
            settings.endpoints = [sandbox.endpoints[0]]
            let redeliver = try bench.redeliver(settings)
            #expect(try await redeliver.once().ending == .code(0))
            let other = try await redeliver.run("endpoints", "test", sandbox.endpoints[1], "--event", "profile_create")
            #expect(other.ending == .code(0) && other.errors.contains("the endpoint is not in the database"))
            let known = try await redeliver.run("endpoints", "test", "receiver-0", "--event", "profile_create")
            #expect(known.ending == .code(0) && known.errors.isEmpty)
            #expect(try redeliver.texts("SELECT endpoint_id FROM test_event") == [sandbox.endpoints[0]])
        }
    }

    @Test func `a database that cannot be used keeps the event from being sent`() async throws {
        try await withBench { bench in
            let sandbox = try await bench.sandbox("--failures", "0", "--endpoints", "1")
            let redeliver = try bench.redeliver(RedeliverSettings(sandbox))
            try "no database, whatever its name says".write(to: redeliver.database, atomically: true, encoding: .utf8)
            let test = try await redeliver.run("endpoints", "test", "receiver-0", "--event", "profile_create")
            #expect(test.ending == .code(74))
            #expect(try await sandbox.summary().deliveries == 0)
        }
    }

    @Test func `an event that the provider does not know is refused with the provider's word`() async throws {
        try await withBench { bench in
            let sandbox = try await bench.sandbox("--failures", "0", "--endpoints", "1")
            let redeliver = try bench.redeliver(RedeliverSettings(sandbox))
            let test = try await redeliver.run("endpoints", "test", "receiver-0", "--event", "nope")
            #expect(test.ending == .code(77) && test.errors.contains("No such event."))
        }
    }
}
