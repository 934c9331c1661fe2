import Testing

@testable import DeliveryQueue
@testable import RedeliverCLI

/// What `redeliver deliveries show` says, word for word.
@Suite struct DeliveryStoryTests {
    private let now = DeliverySample.now
    /// After 10 min, 20 min and 40 min, without jitter.
    private let policies = PolicyBook(entries: [
        .init(
            events: ["profile_*"],
            policy: RetryPolicy(
                spacing: .listed([.zero, .seconds(600), .seconds(1_200), .seconds(2_400)]), jitter: 0,
                maxAge: .seconds(86_400)))
    ])

    private func story(
        _ record: DeliveryRecord, policies: PolicyBook? = nil, aliases: [String] = [],
        events: [DeliveryHistory.Event] = [], bodySize: Int? = 120, body: String? = nil
    ) -> DeliveryStory {
        DeliveryStory(
            DeliverySample.history(record, aliases: aliases, events: events, bodySize: bodySize), policies: policies,
            daemon: .running(process: 1), body: body.map { Array($0.utf8) }, at: now)
    }

    private var waiting: DeliveryRecord {
        DeliverySample.record(DeliverySample.delivery(next: now + .seconds(90)), error: "HTTP 502 \u{1B}[31m")
    }

    private var events: [DeliveryHistory.Event] {
        [
            .init(time: now - .seconds(7_200), source: .log, what: "failed", detail: "HTTP 500"),
            .init(time: now - .seconds(600), source: .retry, what: "accepted", detail: "attempt 1, answer accepted"),
            .init(time: now - .seconds(60), source: .operator, what: "requeue", detail: nil),
        ]
    }

    // MARK: - For people

    @Test func `a waiting delivery shows its standing, its facts, what happened and the rest of its timetable`() {
        #expect(
            story(waiting, policies: policies, aliases: ["t-8", "t-9"], events: events).text(on: .plain) == """
                SCHEDULED: waits for its next attempt: 2026-01-01T00:01:30Z (in 90 s)

                delivery        7, task t-7
                endpoint        core (e-1)
                event type      profile_update
                customer        c-1
                webhook         w-1
                first failed    2025-12-31T22:00:00Z (2 h ago)
                last failed     2025-12-31T23:55:00Z (5 min ago)
                last error      HTTP 502 \u{FFFD}[31m
                also logged as  t-8, t-9
                attempts        2 used in cycle 1
                policy          the policy with the longest matching pattern, profile_*; at most 4 attempts, none later than 24 h after the first failure
                body            120 bytes, SHA-256 5f70bf18a08660b5

                AT                                 SOURCE    WHAT      DETAIL
                2025-12-31T22:00:00Z (2 h ago)     log       failed    HTTP 500
                2025-12-31T23:50:00Z (10 min ago)  retry     accepted  attempt 1, answer accepted
                2025-12-31T23:59:00Z (60 s ago)    operator  requeue   \("")

                timetable, if each attempt fails at once:
                  attempt 3  2026-01-01T00:01:30Z (in 90 s)
                  attempt 4  2026-01-01T00:41:30Z (in 42 min)
                  then dead: attempts
                """)
    }

    @Test func `a settled delivery has no timetable, and says what took its place`() {
        let dead = DeliverySample.record(
            DeliverySample.delivery(.dead, customer: nil), dead: .superseded, finalized: now, supersededBy: "t-20")
        let text = story(dead, policies: policies, bodySize: nil).text(on: .plain)

        #expect(text.hasPrefix("DEAD: given up 2026-01-01T00:00:00Z (now): a newer event of the same webhook"))
        #expect(text.contains("\ncustomer       none\n") && text.contains("\nsuperseded by  task t-20\n"))
        #expect(text.contains("\nbody           not stored any more, SHA-256 5f70bf18a08660b5\n"))
        #expect(text.hasSuffix("\n\nAT  SOURCE  WHAT  DETAIL"))
    }

    @Test func `without a configuration it says so and guesses no times`() {
        let text = story(waiting).text(on: .plain)
        #expect(text.contains("\npolicy        unknown, because the configuration cannot be read\n"))
        #expect(!text.contains("if each attempt"))
    }

    @Test func `an operator's retry does not hide the schedule that goes on after it`() {
        let manual = ManualRetry(asked: now, kept: .attempt(at: now + .seconds(600)))
        let record = DeliverySample.record(DeliverySample.delivery(next: now, manual: manual))
        #expect(
            story(record, policies: policies).text(on: .plain).hasSuffix(
                """
                timetable, if each attempt fails at once:
                  attempt 3  2026-01-01T00:10:00Z (in 10 min)
                  attempt 4  2026-01-01T00:50:00Z (in 50 min)
                  then dead: attempts
                """))
    }

    @Test func `a long timetable is cut`() {
        let many = PolicyBook(entries: [
            .init(
                events: ["profile_update"],
                policy: RetryPolicy(spacing: .listed(Array(repeating: .seconds(60), count: 30)), jitter: 0))
        ])
        let lines = story(waiting, policies: many).text(on: .plain).split(separator: "\n")

        #expect(lines.contains { $0.hasPrefix("policy        the policy that names this event type; at most 30") })
        #expect(lines.suffix(2) == ["  … 8 more", "  then dead: attempts"])
        #expect(lines[lines.count - 3].hasPrefix("  attempt 22  "))
    }

    @Test func `the body is shown when it was asked for, and steers no terminal`() {
        let text = story(waiting, body: "{\"name\": \"\u{1B}[2Jann\"}").text(on: .plain)
        #expect(text.hasSuffix("\n\nbody:\n{\"name\": \"\u{FFFD}[2Jann\"}"))
        #expect(!story(waiting).text(on: .plain).contains("\nbody:\n"))
    }

    @Test func `a narrow terminal cuts what the timeline says last`() {
        let long = [
            DeliveryHistory.Event(
                time: now - .seconds(60), source: .retry, what: "refused",
                detail: String(repeating: "long ", count: 40))
        ]
        let text = story(waiting, events: long).text(on: Terminal(width: 80, hasColours: true))
        let line = text.replacing(/\u{1B}\[[0-9]*m/, with: "").split(separator: "\n").first { $0.contains("refused") }

        #expect(line?.count == 80 && line?.last == "…")
        #expect(text.contains("\u{1B}[31mrefused\u{1B}[0m") && text.hasPrefix("\u{1B}[33mSCHEDULED\u{1B}[0m: "))
    }

    // MARK: - For scripts

    @Test func `JSON holds all of it`() throws {
        let story = story(
            waiting, policies: policies, aliases: ["t-8"], events: [events[0]], body: #"{"a": 1.0}"#)
        // As in the list.
        let delivery = try JSONOutput.text(DeliveryReport(record: waiting)).replacing("\n", with: "\n  ")
        #expect(
            try JSONOutput.text(story) == #"""
                {
                  "aliases" : [
                    "t-8"
                  ],
                  "body" : "{\"a\": 1.0}",
                  "body_bytes" : 120,
                  "body_sha256" : "5f70bf18a08660b5",
                  "delivery" : \#(delivery),
                  "ends_with" : "attempts",
                  "policy" : "glob profile_*",
                  "remaining_attempts" : [
                    {
                      "at" : 1767225690,
                      "number" : 3
                    },
                    {
                      "at" : 1767228090,
                      "number" : 4
                    }
                  ],
                  "standing" : "waiting",
                  "standing_text" : "waits for its next attempt: 2026-01-01T00:01:30Z (in 90 s)",
                  "standing_until" : 1767225690,
                  "timeline" : [
                    {
                      "at" : 1767218400,
                      "detail" : "HTTP 500",
                      "source" : "log",
                      "what" : "failed"
                    }
                  ]
                }
                """#)
    }

    @Test func `JSON without a configuration or a body leaves their keys out`() throws {
        let text = try JSONOutput.text(story(waiting, bodySize: nil))
        for key in ["policy", "remaining_attempts", "ends_with", "body", "body_bytes"] {
            #expect(!text.contains("\"\(key)\""), "\(key)")
        }
        #expect(text.contains("\"timeline\" : [\n\n  ]"))
    }
}
