import Foundation
import TestSupport
import Testing

/// The sandbox by itself, spoken to in plain HTTP: a witness is worth as much as what it serves.
@Suite struct SandboxTests {
    @Test func `events, endpoints and their secrets are served as documented`() async throws {
        try await withBench { bench in
            let sandbox = try await bench.sandbox("--failures", "2")
            let token = sandbox.token
            let events = try await sandbox.send("GET", "/api/v2/events", token: token)
            #expect(events.status == 200)
            for name in ["profile_create", "video_call_status_change"] { #expect(events.text.contains(name)) }

            let fields = #"{"url":"https://a.test/x","enabled_events":["profile_create"],"metadata":{"a":1}}"#
            let created = try await sandbox.send("POST", "/api/v2/webhook_endpoint", token: token, body: fields)
            #expect(created.status == 201 && created["url"] as? String == "https://a.test/x")
            let path = "/api/v2/webhook_endpoint/\(try #require(created["id"] as? String))"
            let changed = try await sandbox.send("PUT", path, token: token, body: #"{"url":"https://b.test/y"}"#)
            #expect(changed.status == 200 && changed["url"] as? String == "https://b.test/y")
            #expect(changed["enabled_events"] as? [String] == ["profile_create"])

            let secret = try await sandbox.send("GET", path + "/secret", token: token)
            let again = try await sandbox.send("GET", path + "/secret", token: token)
            let rotated = try await sandbox.send("PATCH", path + "/secret", token: token)
            #expect(secret.status == 200 && secret.text == again.text)
            #expect(rotated.status == 200 && rotated.text != secret.text)
        }
    }

    @Test func `a log's failure can be retried and arrives`() async throws {
        try await withBench { bench in
            let sandbox = try await bench.sandbox("--failures", "3", "--successes", "0", "--endpoints", "1")
            let endpoint = sandbox.endpoints[0]
            let logs = try await sandbox.send(
                "GET", "/api/v2/webhook_endpoint/\(endpoint)/logs", token: sandbox.token)
            #expect(logs.status == 200 && logs.text.hasPrefix(#"{"count":3,"next":null,"results":[{"task_id":""#))
            // Cut out, not parsed: the bodies hold what JSONSerialization refuses.
            let parts = logs.text.split(separator: "\"")
            let (task, event) = (parts[9], parts[13])
            let retry = """
                {"task_id":"\(task)","body":{"a":1},"customer_id":null,"webhook_id":"\(endpoint)",\
                "event_type":"\(event)"}
                """
            let path = "/api/v2/webhook_endpoint/retry"
            #expect(try await sandbox.send("POST", path, token: sandbox.token, body: retry).status == 200)
            try await waitUntil("it arrives") { try await sandbox.summary().arrived == 1 }
            let summary = try await sandbox.summary()
            #expect(summary.arrivedBytesMatch == 0 && summary.retryMismatches == 1 && summary.signatureFailures == 0)
            let unknown = retry.replacing(task, with: "nothing")
            #expect(try await sandbox.send("POST", path, token: sandbox.token, body: unknown).status == 404)
            #expect(try await sandbox.send("POST", path, token: sandbox.token, body: "{").status == 400)
        }
    }

    @Test func `a test event is delivered and logged`() async throws {
        try await withBench { bench in
            let sandbox = try await bench.sandbox("--failures", "0", "--endpoints", "1")
            let path = "/api/v2/webhook_endpoint/\(sandbox.endpoints[0])"
            let sent = try await sandbox.send("POST", path + "/test?event=profile_create", token: sandbox.token)
            #expect(sent.status == 200)
            try await waitUntil("the log shows it") {
                try await sandbox.send("GET", path + "/logs", token: sandbox.token).text.contains("\"success\"")
            }
            #expect(try await sandbox.send("POST", path + "/test", token: sandbox.token).status == 400)
        }
    }

    @Test func `login and refresh give tokens that end`() async throws {
        try await withBench { bench in
            let sandbox = try await bench.sandbox("--failures", "1", "--username", "u", "--password", "p")
            let wrong = try await sandbox.send(
                "POST", "/api/v2/user/login", body: #"{"username":"u","password":"q"}"#)
            #expect(wrong.status == 401)
            let login = try await sandbox.send("POST", "/api/v2/user/login", body: #"{"username":"u","password":"p"}"#)
            let access = try #require(login["access"] as? String)
            let refresh = #"{"refresh":"\#(try #require(login["refresh"] as? String))"}"#
            #expect(try await sandbox.send("GET", "/api/v2/events", token: access).status == 200)
            try await sandbox.control(#"{"expire_tokens":true}"#)
            #expect(try await sandbox.send("GET", "/api/v2/events", token: access).status == 401)
            let refreshed = try await sandbox.send("POST", "/api/v2/token/refresh/", body: refresh)
            let fresh = try #require(refreshed["access"] as? String)
            #expect(try await sandbox.send("GET", "/api/v2/events", token: fresh).status == 200)
            try await sandbox.control(#"{"expire_refresh_tokens":true}"#)
            #expect(try await sandbox.send("POST", "/api/v2/token/refresh/", body: refresh).status == 401)
        }
    }

    @Test(arguments: [
        ("GET", "/api/v2/events"), ("POST", "/api/v2/webhook_endpoint"), ("GET", "/api/v2/webhook_endpoint/x/secret"),
        ("PATCH", "/api/v2/webhook_endpoint/x/secret"), ("PUT", "/api/v2/webhook_endpoint/x"),
        ("GET", "/api/v2/webhook_endpoint/x/logs"), ("POST", "/api/v2/webhook_endpoint/retry"),
        ("POST", "/api/v2/webhook_endpoint/x/test?event=profile_create"),
    ])
    func `every operation wants a token`(method: String, path: String) async throws {
        try await withBench { bench in
            let sandbox = try await bench.sandbox("--failures", "1")
            let body: String? = method == "GET" ? nil : "{}"
            for token in [nil, "wrong"] {
                #expect(try await sandbox.send(method, path, token: token, body: body).status == 401)
            }
            #expect(try await sandbox.summary().unauthorizedCalls == 2)
        }
    }

    @Test func `a flag that cannot be read is refused, all faults at once`() async throws {
        try await withBench { bench in
            let flags = ["--failures", "many", "--order", "sideways", "--fault", "retry:explode"]
            let finished = try await bench.run("provider-sandbox", flags)
            #expect(finished.ending == .code(64))
            for part in ["failures", "sideways", "explode"] { #expect(finished.errors.contains(part)) }
        }
    }
}
