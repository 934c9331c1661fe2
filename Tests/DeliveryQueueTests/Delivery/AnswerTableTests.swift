import Foundation
import Testing

@testable import DeliveryQueue
@testable import QueueFixtures

@Suite("The table of answers")
struct AnswerTableTests {
    @Test(arguments: Answer.allCases)
    func `an answer that was not executed never waits for the log, and any other does`(_ answer: Answer) {
        let row = AnswerTable.row(answer)
        switch row.effect {
        case .awaits, .awaitsUnlessPoison: #expect(row.attemptEnd(isDead: false) == nil)
        case .again, .onceMore, .onceMoreIfOthersPass, .dies: #expect(row.attemptEnd(isDead: false) == .notExecuted)
        }
    }

    @Test(arguments: Answer.allCases)
    func `only an answer about the delivery itself can kill it`(_ answer: Answer) {
        let row = AnswerTable.row(answer)
        switch row.effect {
        case .awaitsUnlessPoison: #expect(row.gate == .countsBadAnswer)
        case .onceMore, .onceMoreIfOthersPass, .dies: #expect(row.gate == .staysOpen)
        case .awaits, .again: break
        }
    }

    @Test func `the documentation's table is that of the code`() throws {
        let page = try String(contentsOf: Self.page, encoding: .utf8)
        let start = try #require(page.range(of: "<!-- answer table -->"))
        let end = try #require(page.range(of: "<!-- /answer table -->"))
        let written = page[start.upperBound..<end.lowerBound].trimmingCharacters(in: .whitespacesAndNewlines)

        #expect(written == AnswerTableText.markdown, "put this table there:\n\(AnswerTableText.markdown)")
    }

    private static let page = Checkout.root.appending(path: "docs/architecture.md")
}

/// The table in words, as `docs/architecture.md` has it.
enum AnswerTableText {
    static var markdown: String {
        let head = [
            "| answer | statuses | executed? | the gate | the delivery | the attempt | the endpoint | counts in |",
            "| --- | --- | --- | --- | --- | --- | --- | --- |",
        ]
        return (head + Answer.allCases.map(line)).joined(separator: "\n")
    }

    private static func line(_ answer: Answer) -> String {
        let row = AnswerTable.row(answer)
        let cells = [
            "`\(answer.rawValue)`", statuses(answer), text(row.execution), text(row.gate), text(row.effect),
            attempt(row), text(row.endpoint), text(row.streak),
        ]
        return "| " + cells.joined(separator: " | ") + " |"
    }

    /// As `RetryAnswer.kind(ofStatus:)` of the provider's side has them.
    private static func statuses(_ answer: Answer) -> String {
        switch answer {
        case .accepted: "2xx"
        case .uncertain:
            "408, 409, 423; timeout or reset after sending; a good status with a web page or a no; `unavailable` after over 5 s"
        case .throttled: "429"
        case .unavailable: "425, 503; the login is not served"
        case .unreachable: "none: refused connection, DNS, TLS"
        case .unauthorized: "401 after a fresh token"
        case .forbidden: "403, and no log may be read"
        case .deliveryForbidden: "as `forbidden`, while a log may be read with the same credential"
        case .notFound: "404, 410"
        case .rejected: "400, 413, 414, 422 and other 4xx"
        case .redirected: "3xx, never followed"
        case .clientRefused: "402, 405, 406, 407, 411, 415, 417, 421, 426, 428, 431, 451, 501, 505, 511"
        case .bodyForm: "a bad request that names `body` and its type"
        case .moved: "a permanent redirect to the same path with a slash at its end"
        case .serverError: "500, 502, 504 and other 5xx"
        case .late: "none: not sent, because its log was read too long ago"
        }
    }

    private static func text(_ execution: AnswerRow.Execution) -> String {
        switch execution {
        case .yes: "yes"
        case .maybe: "maybe"
        case .no: "no"
        case .notSent: "not sent"
        }
    }

    private static func text(_ gate: AnswerRow.Gate) -> String {
        switch gate {
        case .recovers: "the rate recovers"
        case .staysOpen: "stays open"
        case .countsBadAnswer: "counts a bad answer; \(AnswerTable.outageLimit) in a row are an outage"
        case .pausesThrottled: "pauses as `throttled`, the rate is halved"
        case .pausesUnavailable: "pauses as `unavailable`, the rate is halved"
        case .opensOutage: "outage"
        case .refusesCredential: "shut until the credential works"
        case .unused: "as if nothing was asked"
        }
    }

    private static func text(_ effect: AnswerRow.Effect) -> String {
        switch effect {
        case .awaits: "awaits the log"
        case .awaitsUnlessPoison(let limit): "awaits the log; dead (`poison`) at \(limit) in a row while others pass"
        case .again(.fixed(.zero)): "again as soon as its log allows"
        case .again(let wait): "again after \(text(wait))"
        case .onceMore(let wait): "once more after \(text(wait)), then dead (`rejected`)"
        case .onceMoreIfOthersPass(let wait):
            "again after \(text(wait)), then dead (`rejected`) if another call was taken on since the first"
        case .dies: "dead (`rejected`)"
        }
    }

    private static func text(_ wait: AnswerRow.Wait) -> String {
        switch wait {
        case .gatesPause: "the gate's pause"
        case .fixed(let length) where length < .seconds(3_600): "\(length.wholeMilliseconds / 60_000) min"
        case .fixed(let length): "\(length.wholeMilliseconds / 3_600_000) h"
        }
    }

    private static func attempt(_ row: AnswerRow) -> String {
        let (alive, dead) = (text(row.attemptEnd(isDead: false)), text(row.attemptEnd(isDead: true)))
        return switch row.effect {
        case .awaits, .again: alive
        case .awaitsUnlessPoison: "\(alive); poison: \(dead)"
        case .onceMore: "\(alive); the second: \(dead)"
        case .onceMoreIfOthersPass: "\(alive); the last: \(dead)"
        case .dies: dead
        }
    }

    private static func text(_ end: AttemptEnd?) -> String {
        guard let end else { return "used or not by what the log shows" }
        return "\(end == .notExecuted ? "not used" : "used"), `\(end.rawValue)`"
    }

    private static func text(_ endpoint: AnswerRow.Endpoint) -> String {
        switch endpoint {
        case .none: "–"
        case .endsHolds: "ends the holds that an answer has begun"
        case .held(let reason, let pause): "held as `\(reason.rawValue)` for \(text(.fixed(pause)))"
        case .heldAfter(let limit, let reason, let pause):
            "\(limit) deliveries in a row: held as `\(reason.rawValue)` for \(text(.fixed(pause)))"
        }
    }

    private static func text(_ streak: AnswerRow.Streak) -> String {
        switch streak {
        case .none: "–"
        case .ends: "ends all rows"
        case .serverErrors: "5xx of the delivery"
        case .notFound: "404 of the delivery"
        case .forbidden: "403 of the delivery"
        }
    }
}
