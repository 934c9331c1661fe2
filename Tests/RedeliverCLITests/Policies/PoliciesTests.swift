import DeliveryQueue
import Foundation
import Testing

@testable import RedeliverCLI

@Suite struct PoliciesTests {
    private let book = PolicyBook(entries: [
        .init(
            events: ["document_*", "profile_create"],
            policy: RetryPolicy(
                spacing: .listed([.zero, .seconds(10), .milliseconds(250), .seconds(3_600), .seconds(7_200)]),
                jitter: 0.5, maxAge: .seconds(3 * 3_600))),
        .init(
            events: ["profile_*"],
            policy: RetryPolicy(
                spacing: .exponential(initial: .seconds(120), multiplier: 1.5, cap: .seconds(240), attempts: 3),
                jitter: 0, onSuperseded: .skip)),
    ])

    // MARK: - One event type

    @Test func `the built-in timetable is that of the documentation`() {
        let report = PolicyTimetable(of: "never_seen", in: PolicyBook())

        #expect(
            report.heading == """
                never_seen: built-in policy, because no policy names or matches it
                waits: 1 min × 2, at most 12 h; jitter up to 10 %; max_age 72 h; on_superseded retry
                """)
        #expect(
            report.table.text(on: .plain) == """
                ATTEMPT  WAIT        WAIT AT MOST  SINCE FAILURE  SINCE FAILURE AT MOST  HAPPENS
                1        1 min       1 min 6 s     1 min          1 min 6 s              yes
                2        2 min       2 min 12 s    3 min          3 min 18 s             yes
                3        4 min       4 min 24 s    7 min          7 min 42 s             yes
                4        8 min       8 min 48 s    15 min         16 min 30 s            yes
                5        16 min      17 min 36 s   31 min         34 min 6 s             yes
                6        32 min      35 min 12 s   1 h 3 min      1 h 9 min              yes
                7        1 h 4 min   1 h 10 min    2 h 7 min      2 h 20 min             yes
                8        2 h 8 min   2 h 21 min    4 h 15 min     4 h 41 min             yes
                9        4 h 16 min  4 h 42 min    8 h 31 min     9 h 22 min             yes
                10       8 h 32 min  9 h 23 min    17 h 3 min     18 h 45 min            yes
                11       12 h        13 h 12 min   29 h 3 min     31 h 57 min            yes
                12       12 h        13 h 12 min   41 h 3 min     45 h 9 min             yes
                13       12 h        13 h 12 min   53 h 3 min     58 h 21 min            yes
                14       12 h        13 h 12 min   65 h 3 min     71 h 33 min            yes
                """)
        #expect(
            report.ending == "14 attempts over 65 h 3 min (at most 71 h 33 min), then dead: no attempt is left")
    }

    @Test func `attempts that max_age cuts off are shown as such`() {
        let report = PolicyTimetable(of: "document_upload", in: book)

        #expect(report.heading.hasPrefix("document_upload: matched by document_*\n"))
        #expect(
            report.table.text(on: .plain) == """
                ATTEMPT  WAIT    WAIT AT MOST  SINCE FAILURE  SINCE FAILURE AT MOST  HAPPENS
                1        0 s     0 s           0 s            0 s                    yes
                2        10 s    15 s          10 s           15 s                   yes
                3        250 ms  375 ms        10 s 250 ms    15 s 375 ms            yes
                4        1 h     1 h 30 min    1 h            1 h 30 min             yes
                5        2 h     3 h           3 h            4 h 30 min             no: later than max_age
                """)
        #expect(
            report.ending == "4 of 5 attempts over 1 h (at most 1 h 30 min), then dead: max_age 3 h is over")
    }

    @Test func `an attempt that jitter may push over max_age says so`() {
        let policy = RetryPolicy(spacing: .listed([.seconds(3_600)]), jitter: 0.5, maxAge: .seconds(4_000))
        let report = PolicyTimetable(of: "x", in: PolicyBook(entries: [.init(events: ["x"], policy: policy)]))

        #expect(report.heading.hasPrefix("x: named in a policy\n"))
        #expect(report.table.rows[0].map(\.text).last == "only with little jitter")
        #expect(report.table.rows[0].map(\.value).suffix(2) == ["4000", "jitter"])
        #expect(report.ending == "1 attempt over 1 h (at most 1 h 7 min), then dead: no attempt is left")
    }

    @Test func `CSV has seconds and says so`() {
        #expect(
            PolicyTimetable(of: "document_upload", in: book).csv.csv(on: .plain) == """
                attempt,wait_seconds,wait_at_most_seconds,since_failure_seconds,since_failure_at_most_seconds,happens
                1,0,0,0,0,certain
                2,10,15,10,15,certain
                3,0.25,0.375,10.25,15.375,certain
                4,3600,5400,3610.25,5415.375,certain
                5,7200,10800,10810.25,16215.375,never

                """)
    }

    @Test func `an event type from outside cannot steer the terminal`() {
        #expect(!PolicyTimetable(of: "x\u{1B}[2J", in: book).heading.contains("\u{1B}"))
    }

    // MARK: - All policies

    @Test func `each policy has a line, the built-in one the last`() {
        let report = PolicyOverview(book)

        #expect(
            report.table.text(on: .plain) == """
                EVENTS                     WAITS                                 ATTEMPTS  SPAN        SPAN AT MOST  \
                JITTER      MAX AGE  ON SUPERSEDED  DOCUMENTED TYPES
                document_* profile_create  schedule 0 s, 10 s, 250 ms, 1 h, 2 h  4 of 5    1 h         1 h 30 min    \
                up to 50 %  3 h      retry          5
                profile_*                  2 min × 1.5, at most 4 min            3         9 min       9 min         \
                none        72 h     skip           3
                (built-in)                 1 min × 2, at most 12 h               14        65 h 3 min  71 h 33 min   \
                up to 10 %  72 h     retry          2
                """)
    }

    @Test func `each documented event type has a line, with its policy and why`() {
        #expect(
            PolicyOverview(book).eventTypeTable.text(on: .plain) == """
                DOCUMENTED EVENT TYPE     POLICY                     BECAUSE
                profile_create            document_* profile_create  named in a policy
                profile_update            profile_*                  matched by profile_*
                profile_status_change     profile_*                  matched by profile_*
                profile_level_update      profile_*                  matched by profile_*
                document_upload           document_* profile_create  matched by document_*
                document_delete           document_* profile_create  matched by document_*
                document_update           document_* profile_create  matched by document_*
                document_status_change    document_* profile_create  matched by document_*
                zip_file_create           (built-in)                 built-in policy, because no policy names or matches it
                video_call_status_change  (built-in)                 built-in policy, because no policy names or matches it
                """)
    }

    @Test func `the overview's CSV names the event types`() {
        let lines = PolicyOverview(book).csv.csv(on: .plain).split(separator: "\n")

        #expect(
            lines.first == """
                events,waits,attempts,span_seconds,span_at_most_seconds,jitter,max_age_seconds,on_superseded,\
                documented_types
                """)
        #expect(
            lines.last == """
                (built-in),"1 min × 2, at most 12 h",14,234180,257598,0.1,259200,retry,\
                zip_file_create video_call_status_change
                """)
    }

    @Test func `without policies all get the built-in one`() {
        let report = PolicyOverview(PolicyBook())

        #expect(report.policies.count == 1 && report.policies[0].eventTypes.count == 10)
        #expect(report.eventTypes.allSatisfy { $0.policy == 0 && $0.match == .standard })
    }

    // MARK: - JSON

    private struct Overview: Decodable {
        struct Policy: Decodable {
            struct Terms: Decodable {
                let initialDelaySeconds: Double?
                let scheduleSeconds: [Double]?
                let maxAttempts: Int
                let maxAgeSeconds: Double
                let onSuperseded: String
            }

            let events: [String]
            let builtIn: Bool
            let terms: Terms
            let attemptsPossible: Int
            let spanSeconds: Double
            let eventTypes: [String]
        }

        struct EventType: Decodable {
            let eventType: String
            let policy: Int
        }

        let policies: [Policy]
        let eventTypes: [EventType]
    }

    private struct One: Decodable {
        struct Match: Decodable {
            let matchedBy: String
            let pattern: String?
        }

        struct Attempt: Decodable {
            let number: Int
            let waitSeconds: Double
            let sinceFailureAtMostSeconds: Double
            let happens: String
        }

        let eventType: String
        let match: Match
        let attempts: [Attempt]
        let attemptsPossible: Int
        let spanAtMostSeconds: Double
    }

    private func decoded<Value: Decodable>(_ report: some Encodable, as type: Value.Type) throws -> Value {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(type, from: Data(JSONOutput.text(report).utf8))
    }

    @Test func `the overview as JSON has the same numbers`() throws {
        let report = try decoded(PolicyOverview(book), as: Overview.self)

        #expect(report.policies.map(\.events) == [["document_*", "profile_create"], ["profile_*"], []])
        #expect(report.policies.map(\.builtIn) == [false, false, true])
        #expect(report.policies.map(\.attemptsPossible) == [4, 3, 14])
        #expect(report.policies.map(\.terms.maxAttempts) == [5, 3, 14])
        #expect(report.policies.map(\.terms.scheduleSeconds) == [[0, 10, 0.25, 3_600, 7_200], nil, nil])
        #expect(report.policies.map(\.terms.initialDelaySeconds) == [nil, 120, 60])
        #expect(report.policies.map(\.terms.onSuperseded) == ["retry", "skip", "retry"])
        #expect(report.policies.map(\.spanSeconds) == [3_610.25, 540, 234_180])
        #expect(report.policies.map(\.terms.maxAgeSeconds) == [10_800, 259_200, 259_200])
        #expect(report.policies[2].eventTypes == ["zip_file_create", "video_call_status_change"])
        #expect(report.eventTypes.map(\.policy) == [0, 1, 1, 1, 0, 0, 0, 0, 2, 2])
    }

    @Test func `a timetable as JSON has the same numbers`() throws {
        let report = try decoded(PolicyTimetable(of: "document_upload", in: book), as: One.self)

        #expect(report.eventType == "document_upload")
        #expect(report.match.matchedBy == "pattern" && report.match.pattern == "document_*")
        #expect(report.attempts.map(\.number) == [1, 2, 3, 4, 5] && report.attemptsPossible == 4)
        #expect(report.attempts.map(\.waitSeconds) == [0, 10, 0.25, 3_600, 7_200])
        #expect(report.attempts.map(\.sinceFailureAtMostSeconds) == [0, 15, 15.375, 5_415.375, 16_215.375])
        #expect(report.attempts.map(\.happens) == ["certain", "certain", "certain", "certain", "never"])
        #expect(report.spanAtMostSeconds == 5_415.375)
    }
}

@Suite struct ExactTimeTextTests {
    @Test(arguments: [
        (0, "0 s"), (1, "1 ms"), (250, "250 ms"), (1_500, "1 s 500 ms"), (59_999, "59 s 999 ms"), (60_000, "1 min"),
        (90_000, "1 min 30 s"), (3_599_600, "60 min"), (3_600_000, "1 h"), (3_629_000, "1 h"), (3_631_000, "1 h 1 min"),
        (234_180_000, "65 h 3 min"), (359_000_000, "99 h 43 min"), (360_000_000, "4 d 4 h"), (-90_000, "1 min 30 s"),
        (31_536_000_000, "365 d"),
    ]) func `a duration has its two largest units`(milliseconds: Int, text: String) {
        #expect(TimeText.exact(.milliseconds(milliseconds)) == text)
    }

    @Test func `the longest duration does not overflow`() {
        #expect(TimeText.exact(.seconds(Int64.max)).hasSuffix(" h"))
    }
}
