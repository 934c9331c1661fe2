import Foundation
import Testing

@testable import DeliveryQueue
@testable import RedeliverCLI

/// What `redeliver deliveries list` prints, word for word.
@Suite struct DeliveryListTests {
    private let now = DeliverySample.now

    private var list: DeliveryList {
        DeliveryList([
            DeliverySample.record(
                DeliverySample.delivery(.dead, id: 12, customer: nil), dead: .attempts, finalized: now,
                error: "HTTP 502, \"bad gateway\"\u{1B}[2J"),
            DeliverySample.record(DeliverySample.delivery(next: now + .seconds(90), manual: nil)),
        ])
    }

    @Test func `deliveries are a row each, and what is not there is a dash`() {
        #expect(
            list.table(at: now).text(on: .plain) == """
                ID  TASK ID  ENDPOINT  EVENT TYPE      CUSTOMER ID  STATE      REASON    ATTEMPTS  FIRST FAILED                    NEXT ATTEMPT                    LAST ERROR
                12  t-12     core      profile_update  -            dead       attempts  2         2025-12-31T22:00:00Z (2 h ago)  -                               HTTP 502, "bad gateway"\u{FFFD}[2J
                7   t-7      core      profile_update  c-1          scheduled  -         2         2025-12-31T22:00:00Z (2 h ago)  2026-01-01T00:01:30Z (in 90 s)  -
                """)
    }

    @Test func `without deliveries only the heading is left, and the footer says so`() throws {
        let empty = DeliveryList([])
        #expect(
            empty.table(at: now).text(on: .plain) == """
                ID  TASK ID  ENDPOINT  EVENT TYPE  CUSTOMER ID  STATE  REASON  ATTEMPTS  FIRST FAILED  NEXT ATTEMPT  LAST ERROR
                """)
        #expect(empty.footer(hasMore: false) == "no delivery matches")
        #expect(
            empty.table(at: now).csv(on: .plain) == """
                id,task_id,endpoint,event_type,customer_id,state,reason,attempts,first_failed,next_attempt,last_error

                """)
        #expect(try JSONOutput.text(empty.rows) == "[\n\n]")
    }

    @Test func `the footer says how many there are, or that there are more`() {
        #expect(list.footer(hasMore: false) == "2 in all")
        #expect(list.footer(hasMore: true) == "the newest 2; there are more: raise --limit or narrow the filter")
    }

    @Test(arguments: [160, 120, 110]) func `a narrow terminal cuts the widest columns and keeps every column`(
        width: Int
    ) {
        let lines = list.table(at: now).text(on: Terminal(width: width, hasColours: false)).split(separator: "\n")

        #expect(lines.count == 3 && lines.allSatisfy { $0.count <= width })
        #expect(lines[1].hasPrefix("12  t-12") && lines[1].contains("…"))
    }

    @Test(arguments: [80, 60]) func `in a window of the usual width the list fits and says what it leaves out`(
        width: Int
    ) {
        let text = list.table(at: now).text(on: Terminal(width: width, hasColours: false))
        let lines = text.split(separator: "\n")

        #expect(lines.count == 4 && lines.dropLast().allSatisfy { $0.count <= width }, "\(text)")
        #expect(lines[3].hasPrefix("not shown: CUSTOMER ID, FIRST FAILED"))
        #expect(lines[1].hasPrefix("12  t-12") && lines[1].contains("dead"))
    }

    @Test func `states are coloured by what they mean`() {
        let text = list.table(at: now).text(on: Terminal(width: nil, hasColours: true))
        #expect(text.contains("\u{1B}[31mdead\u{1B}[0m") && text.contains("\u{1B}[33mscheduled\u{1B}[0m"))
    }

    @Test func `CSV has exact times, quotes what needs it and leaves empty what is not there`() {
        #expect(
            list.table(at: now).csv(on: .plain) == """
                id,task_id,endpoint,event_type,customer_id,state,reason,attempts,first_failed,next_attempt,last_error
                12,t-12,core,profile_update,,dead,attempts,2,2025-12-31T22:00:00Z,,"HTTP 502, ""bad gateway""\u{1B}[2J"
                7,t-7,core,profile_update,c-1,scheduled,,2,2025-12-31T22:00:00Z,2026-01-01T00:01:30Z,

                """)
    }

    @Test func `JSON has Unix seconds and no key without a value`() throws {
        let manual = ManualRetry(asked: now - .seconds(5), kept: .dead(.age))
        let rows = DeliveryList([
            DeliverySample.record(DeliverySample.delivery(next: now, manual: manual), error: "HTTP 502 \u{1B}[31m")
        ]).rows
        #expect(
            try JSONOutput.text(rows) == #"""
                [
                  {
                    "attempts_used" : 2,
                    "customer_id" : "c-1",
                    "cycle" : 1,
                    "endpoint" : "core",
                    "endpoint_id" : "e-1",
                    "event_type" : "profile_update",
                    "first_failed" : 1767218400,
                    "id" : 7,
                    "last_error" : "HTTP 502 \u001b[31m",
                    "last_failed" : 1767225300,
                    "next_attempt" : 1767225600,
                    "retry_asked" : 1767225595,
                    "state" : "scheduled",
                    "task_id" : "t-7",
                    "webhook_id" : "w-1"
                  }
                ]
                """#)
    }

    @Test func `JSON tells how a settled delivery ended`() throws {
        let delivered = DeliverySample.record(
            DeliverySample.delivery(.delivered), evidence: .init(actor: .worker, source: .log, taskID: "t-9"),
            finalized: now)
        let dead = DeliverySample.record(
            DeliverySample.delivery(.dead), dead: .superseded, finalized: now, supersededBy: "t-8")
        let reports = try [delivered, dead].map { try JSONOutput.text(DeliveryReport(record: $0)) }

        #expect(reports[0].contains(#""delivered_by" : "worker""#) && reports[0].contains(#""finalized" : 1767225600"#))
        #expect(
            reports[1].contains(#""dead_reason" : "superseded""#) && reports[1].contains(#""superseded_by" : "t-8""#))
        #expect(!reports[1].contains("next_attempt") && !reports[1].contains("delivered_by"))
    }
}
