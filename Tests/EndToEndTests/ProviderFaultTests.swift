import Foundation
import TestSupport
import Testing

/// A provider in trouble: everything arrives in the end, nothing dies, and the blame lands where it belongs.
@Suite struct ProviderFaultTests {
    /// Surely not executed: such calls cost no attempt.
    @Test(arguments: [
        "status=429,retry-after=1:3", "status=429,retry-after-date=2:3", "status=503,retry-after=1:3",
        "status=425,retry-after=1:3",
    ])
    func `a retry that was surely not executed uses no attempt`(fault: String) async throws {
        try await withBench { bench in
            let sandbox = try await bench.sandbox("--failures", "8", "--fault", "retry:\(fault)")
            let redeliver = try await deliverAll(8, sandbox, bench)
            #expect(try redeliver.number("SELECT SUM(attempts_used) FROM delivery") == 0)
            #expect(try redeliver.number("SELECT COUNT(*) FROM attempt WHERE outcome = 'not_executed'") == 3)
            #expect(try await sandbox.summary().retryCalls == 11)
        }
    }

    /// Executed, but the answer does not say so: the log settles them, and nothing is doubled.
    @Test(arguments: ["drop-after", "garbage", "truncate", "huge=3000000"])
    func `a retry whose answer is lost or useless is settled by the log and not repeated`(fault: String) async throws {
        try await withBench { bench in
            let sandbox = try await bench.sandbox("--failures", "8", "--fault", "retry:\(fault):4")
            let redeliver = try await deliverAll(8, sandbox, bench)
            #expect(try await sandbox.summary().retryCalls == 8)
            #expect(try redeliver.number("SELECT SUM(attempts_used) FROM delivery") == 0)
        }
    }

    /// Not executed, but nobody can know: the silent log settles them, and they are sent again without an operator.
    @Test(arguments: ["drop-before:4", "status=500:4", "status=502:2", "status=504:4", "status=408:4", "html:2"])
    func `a retry that may have been executed is sent again once the log stayed silent`(fault: String) async throws {
        try await withBench { bench in
            let sandbox = try await bench.sandbox("--failures", "8", "--endpoints", "1", "--fault", "retry:\(fault)")
            let redeliver = try await deliverAll(8, sandbox, bench, within: "1s")
            let struck = Int(fault.suffix(1)) ?? 0
            #expect(try await sandbox.summary().retryCalls == 8 + struck)
            #expect(try redeliver.number("SELECT COUNT(*) FROM attempt WHERE outcome = 'unconfirmed'") == struck)
        }
    }

    @Test(arguments: [
        "status=429,retry-after=1:2", "status=503,retry-after=1:2", "status=503:1", "status=500:1", "drop-before:2",
        "drop-after:2", "garbage:2", "html:2", "truncate:2", "redirect=http://127.0.0.1:9/:2", "huge=70000000:1",
        "status=403:1", "status=404:1",
    ])
    func `a log that cannot be read for a while costs nothing but time`(fault: String) async throws {
        try await withBench { bench in
            let sandbox = try await bench.sandbox("--failures", "8", "--fault", "logs:\(fault)")
            let redeliver = try await deliverAll(8, sandbox, bench)
            #expect(try await sandbox.summary().retryCalls == 8)
            #expect(try redeliver.number("SELECT SUM(attempts_used) FROM delivery") == 0)
            #expect(try redeliver.texts("SELECT last_poll_error FROM endpoint") == ["", ""])
        }
    }

    /// Tokens live two seconds and are all withdrawn twice in mid-run; the second time the refresh token goes with
    /// them. Login and refresh fail now and then as well.
    @Test func `tokens that end in mid-run are renewed, and no attempt is used for it`() async throws {
        try await withBench { bench in
            let sandbox = try await bench.sandbox(
                "--failures", "60", "--latency", "20ms", "--username", "worker", "--password", "p\"ss wörd",
                "--token-lifetime", "2s", "--fault", "login:status=503,retry-after=1:1")
            var settings = RedeliverSettings(sandbox)
            settings.auth = #"username: worker, password: "p\"ss wörd""#
            settings.retry = "concurrency: 4, per_second: 15, burst: 4"
            let redeliver = try bench.redeliver(settings)
            let daemon = try await redeliver.start()
            try await waitUntil("15 retries") { try await sandbox.summary().retryCalls >= 15 }
            try await sandbox.control(#"{"expire_tokens":true}"#)
            try await waitUntil("30 retries") { try await sandbox.summary().retryCalls >= 30 }
            try await sandbox.control(#"{"expire_tokens":true,"expire_refresh_tokens":true}"#)
            try await redeliver.waitUntilDelivered(60)
            #expect(try await daemon.stop() == .code(0))

            let summary = try await sandbox.summary()
            #expect(summary.arrivedBytesMatch == 60 && summary.arrivedMoreThanOnce == 0)
            #expect(summary.retriesExecuted == 60 && summary.unauthorizedCalls > 0)
            // One login at the start, after the one that failed, and one for the refresh token that was withdrawn.
            #expect(summary.loginCalls == 3 && summary.refreshCalls > 1)
            #expect(try redeliver.number("SELECT SUM(attempts_used) FROM delivery") == 0)
        }
    }

    @Test func `a wrong password holds everything, with a clear reason and few logins`() async throws {
        try await withBench { bench in
            let sandbox = try await bench.sandbox("--failures", "4", "--username", "worker", "--password", "right")
            var settings = RedeliverSettings(sandbox)
            settings.auth = "username: worker, password: wrong"
            let redeliver = try bench.redeliver(settings)
            let daemon = try await redeliver.start()
            try await waitUntil("the metrics file says so") {
                (try? MetricsFile(redeliver.metrics))?.sum("redeliver_auth_ok") == 0
            }
            #expect(daemon.errors.contains("the provider refused the login (HTTP 401): check the user name"))
            #expect(try await daemon.stop() == .code(0))
            #expect(try await sandbox.summary().loginCalls <= 2)
            #expect(try await redeliver.once().ending == .code(69))
        }
    }

    @Test func `an endpoint that the provider does not know is reported, and the others go on`() async throws {
        try await withBench { bench in
            let sandbox = try await bench.sandbox("--failures", "6", "--endpoints", "1")
            var settings = RedeliverSettings(sandbox)
            settings.endpoints = ["no-such-endpoint"] + sandbox.endpoints
            let redeliver = try bench.redeliver(settings)
            let daemon = try await redeliver.start()
            try await redeliver.waitUntilDelivered(6)
            let status = try await redeliver.status()
            let error = status.endpoints.first { $0.id == "no-such-endpoint" }?.lastPollError
            #expect(error?.contains("HTTP 404") == true && error?.contains("the endpoint's id") == true)
            #expect(status.endpoints.first { $0.id == sandbox.endpoints[0] }?.lastPollError == .some(nil))
            #expect(daemon.errors.contains("reading the log of endpoint 'no-such-endpoint'"))
            #expect(try await daemon.stop() == .code(0))
            #expect(try await redeliver.once().ending == .code(69))
        }
    }

    /// Runs the daemon until everything is delivered, and checks what holds for every fault.
    private func deliverAll(
        _ count: Int, _ sandbox: SandboxProcess, _ bench: Bench, within: String = "3s"
    ) async throws -> RedeliverProcess {
        var settings = RedeliverSettings(sandbox)
        settings.confirm = "interval: 250ms, within: \(within)"
        let redeliver = try bench.redeliver(settings)
        let daemon = try await redeliver.start()
        try await redeliver.waitUntilDelivered(count)
        #expect(try await daemon.stop() == .code(0))
        let summary = try await sandbox.summary()
        #expect(summary.arrivedBytesMatch == count && summary.arrivedMoreThanOnce == 0)
        #expect(summary.maxConcurrentRetriesPerTask == 1)
        #expect(try redeliver.number("SELECT COUNT(*) FROM counter WHERE label_2 = 'dead' AND value > 0") == 0)
        return redeliver
    }
}
