import Foundation
import ProviderAPI
import Testing

@testable import DeliveryQueue
@testable import RedeliverCLI

/// What `retry`, `discard` and `requeue` say, word for word.
@Suite struct ActionReportTests {
    private let now = DeliverySample.now

    private func report(
        _ action: OperatorAction, matched: Int = 1, one: Bool = true, done: Int = 1,
        skipped: [OperatorAction.Refusal: Int] = [:], daemon: DaemonPresence = .absent
    ) -> ActionReport {
        var report = ActionReport(
            action: action, matched: matched,
            delivery: one ? DeliverySample.record(DeliverySample.delivery(id: 7)) : nil)
        report.isDryRun = false
        (report.done, report.skipped, report.daemon) = (done, skipped, daemon)
        return report
    }

    private func text(_ report: ActionReport) -> String {
        report.text(on: .plain, at: now)
    }

    // MARK: - Dry run

    private func rehearsal(_ action: OperatorAction, matched: Int, shown: Int) -> ActionReport {
        var report = ActionReport(action: action, matched: matched)
        report.sample = (0..<shown).map {
            DeliverySample.record(DeliverySample.delivery(.dead, id: Int64(20 - $0)), dead: .age)
        }
        return report
    }

    @Test func `a dry run shows a sample, how many more there are, and how it is done`() {
        #expect(
            text(rehearsal(.requeue, matched: 14, shown: 2)) == """
                would requeue 14 deliveries:

                ID  TASK ID  ENDPOINT  EVENT TYPE      CUSTOMER ID  STATE  REASON  ATTEMPTS  FIRST FAILED                    NEXT ATTEMPT  LAST ERROR
                20  t-20     core      profile_update  c-1          dead   age     2         2025-12-31T22:00:00Z (2 h ago)  -             -
                19  t-19     core      profile_update  c-1          dead   age     2         2025-12-31T22:00:00Z (2 h ago)  -             -
                … 12 more

                nothing was changed; give --confirm and --reason to do it
                """)
    }

    @Test func `a dry run for one that matches speaks of one`() {
        let text = text(rehearsal(.discard, matched: 1, shown: 1))
        #expect(text.hasPrefix("would discard 1 delivery:\n\nID") && !text.contains("more"))
    }

    @Test func `where nothing matches, nothing is said to be done`() {
        #expect(text(rehearsal(.retry, matched: 0, shown: 0)) == "no delivery matches; nothing was changed")
        #expect(
            text(report(.discard, matched: 0, one: false, done: 0)) == "no delivery matches; nothing was changed")
    }

    @Test func `a dry run fits the terminal`() {
        let text = rehearsal(.requeue, matched: 14, shown: 10).text(
            on: Terminal(width: 110, hasColours: false), at: now)
        #expect(text.split(separator: "\n").allSatisfy { $0.count <= 110 })
    }

    // MARK: - Done

    @Test(arguments: [
        (DaemonPresence.running(process: 42), "the running daemon (process 42) acts on it within a second"),
        (.running(process: nil), "the running daemon acts on it within a second"),
        (.unknown(cause: "Permission denied"), "a running daemon acts on it within a second"),
        (.absent, "no daemon runs; the next daemon acts on it at its start"),
    ]) func `one delivery's retry says who makes it happen`(daemon: DaemonPresence, next: String) {
        #expect(
            text(report(.retry, daemon: daemon))
                == "delivery 7 (task t-7, customer c-1, endpoint core): a retry is asked for\n\(next)")
        #expect(
            text(report(.requeue, daemon: daemon))
                == "delivery 7 (task t-7, customer c-1, endpoint core): scheduled again, with all attempts\n\(next)")
    }

    @Test func `a discarded one needs nobody to do more`() {
        #expect(text(report(.discard)) == "delivery 7 (task t-7, customer c-1, endpoint core): discarded")
    }

    @Test(arguments: [
        (1, 1, 1, "so 1 call was made from here; the provider accepted 1; the log will show the result"),
        (3, 3, 2, "so 3 calls were made from here; the provider accepted 2; the log will show the result"),
        (
            3, 1, 0,
            """
            so 1 call was made from here; the provider accepted 0; the log will show the result
            2 could not be called now; the next daemon calls them at its start
            """
        ),
        // Others had been asked for before.
        (3, 5, 5, "so 5 calls were made from here; the provider accepted 5; the log will show the result"),
    ]) func `calls made from here are told with what came of them`(
        done: Int, called: Int, accepted: Int, next: String
    ) {
        var report = report(.retry, matched: done, one: false, done: done)
        (report.called, report.accepted) = (called, accepted)
        #expect(
            text(report) == "\(done) of \(done) deliveries: a retry is asked for\nno daemon runs, \(next)")
    }

    private let unreachable = ProviderError(operation: "reading", reason: .unreachable(cause: "refused"))

    @Test func `when nothing could be called from here, it is said that the request is kept`() {
        var report = report(.retry)
        (report.called, report.accepted, report.obstacle) = (0, 0, unreachable)
        #expect(
            text(report) == """
                delivery 7 (task t-7, customer c-1, endpoint core): a retry is asked for
                no daemon runs, and no call could be made from here; the next daemon makes them at its start
                """)
        // An error in the middle: nobody counted.
        (report.called, report.accepted) = (nil, nil)
        #expect(text(report).hasSuffix("the calls from here failed; the next daemon makes the rest at its start"))
    }

    @Test func `when only some could be called, the others are said to be kept`() throws {
        var report = report(.retry, matched: 3, one: false, done: 3)
        (report.called, report.accepted, report.obstacle) = (1, 1, unreachable)
        #expect(text(report).hasSuffix("\n2 could not be called now; the next daemon calls them at its start"))
        #expect(try JSONOutput.text(report).contains(#""obstacle" : "reading: no answer from the provider (refused)"#))
    }

    @Test func `those that were skipped are counted by cause`() {
        let skipped: [OperatorAction.Refusal: Int] = [.paused: 1, .delivered: 2, .noBody: 30]
        #expect(
            text(report(.retry, matched: 33, one: false, done: 0, skipped: skipped)) == """
                0 of 33 deliveries: a retry is asked for
                skipped 2: it is delivered already
                skipped 30: its body is no longer stored, so there is nothing to send
                skipped 1: its endpoint is paused by an operator: resume it first
                """)
    }

    @Test(arguments: OperatorAction.Refusal.allCases) func `every cause of a refusal is a sentence and a JSON key`(
        refusal: OperatorAction.Refusal
    ) throws {
        let report = report(.retry, matched: 4, one: false, done: 0, skipped: [refusal: 4])
        #expect(text(report).hasSuffix("\nskipped 4: \(refusal.rawValue)"))
        struct JSON: Decodable { let skipped: [String: Int] }
        let json = try JSONDecoder().decode(JSON.self, from: Data(JSONOutput.text(report).utf8))
        #expect(json.skipped.count == 1 && json.skipped.values.first == 4)
        let key = try #require(json.skipped.keys.first)
        #expect(key.wholeMatch(of: /[a-z]+(_[a-z]+)*/) != nil, "\(key)")
    }

    // MARK: - JSON

    @Test func `JSON of a dry run has the sample and nothing that was not done`() throws {
        let text = try JSONOutput.text(rehearsal(.requeue, matched: 14, shown: 1))
        #expect(
            text == """
                {
                  "action" : "requeue",
                  "dry_run" : true,
                  "matched" : 14,
                  "sample" : [
                    {
                      "attempts_used" : 2,
                      "customer_id" : "c-1",
                      "cycle" : 1,
                      "dead_reason" : "age",
                      "endpoint" : "core",
                      "endpoint_id" : "e-1",
                      "event_type" : "profile_update",
                      "first_failed" : 1767218400,
                      "id" : 20,
                      "last_failed" : 1767225300,
                      "state" : "dead",
                      "task_id" : "t-20",
                      "webhook_id" : "w-1"
                    }
                  ]
                }
                """)
    }

    @Test func `JSON of what was done has the counts`() throws {
        var done = report(.retry, matched: 5, one: false, done: 3, skipped: [.noBody: 2])
        (done.called, done.accepted) = (3, 1)
        done.waiting = [WaitingRetries(endpoint: "core", count: 2, pollError: "HTTP 500")]
        #expect(
            try JSONOutput.text(done) == """
                {
                  "accepted" : 1,
                  "action" : "retry",
                  "called" : 3,
                  "daemon_runs" : false,
                  "done" : 3,
                  "dry_run" : false,
                  "matched" : 5,
                  "skipped" : {
                    "no_body" : 2
                  },
                  "waiting_for_log" : [
                    {
                      "count" : 2,
                      "endpoint" : "core",
                      "poll_error" : "HTTP 500"
                    }
                  ]
                }
                """)
        #expect(try JSONOutput.text(report(.discard, daemon: .running(process: 1))).contains("\"daemon_runs\" : true"))
    }
}
