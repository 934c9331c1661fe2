import Foundation
import GRDB
import TestSupport
import Testing

@testable import DeliveryQueue
@testable import QueueFixtures

/// Every column of every view, of one database. Times are shown as seconds before or after it was made: `T-600`.
@Suite struct ViewTests {
    private let folder: TemporaryFolder
    private let store: QueueStore
    private let sample = ViewSample()

    init() async throws {
        folder = try TemporaryFolder()
        store = try QueueStore(path: folder.file("queue.db"), now: start)
        let sample = sample
        try await store.pool.write { try sample.fill($0) }
    }

    // MARK: - Golden text

    private func expect(
        _ view: String, _ condition: String = "", is golden: String, at location: SourceLocation = #_sourceLocation
    ) async throws {
        // 'now' does not move within a statement.
        let sql = "SELECT *, strftime('%s', 'now') AS read_s FROM \(view) \(condition)"
        let shown = try await store.pool.read { try text(of: Row.fetchAll($0, sql: sql)) }
        #expect(shown == golden, "\(view):\n\(shown)", sourceLocation: location)
    }

    private func text(of rows: [Row]) throws -> String {
        try rows.map { row in
            let seconds = try #require(Int64(row["read_s"] as String)) - sample.made
            return row.dropLast().map { column, value in
                cell(column, value, in: row, readAfter: seconds)
            }.joined(separator: " | ")
        }.joined(separator: "\n")
    }

    /// - Parameter seconds: how long after the sample was made the view was read; times since then are set back by it.
    private func cell(_ column: String, _ value: DatabaseValue, in row: Row, readAfter seconds: Int64) -> String {
        guard let text = value.storage.value.map({ "\($0)" }) else { return "-" }
        if column == "due_in_s" { return shifted(value, by: seconds) }
        if column.hasSuffix("age_s") { return shifted(value, by: -seconds) }
        if column == "at_ms" { return shifted(value, by: -sample.made, unit: 1_000) }
        let isLate = column == "value" && (row["check_name"] as String?) == "deliveries_overdue"
        return isLate ? shifted(value, by: -seconds) : relative(text)
    }

    private func shifted(_ value: DatabaseValue, by seconds: Int64, unit: Int64 = 1) -> String {
        Int64.fromDatabaseValue(value).map { "\($0 / unit + seconds)" } ?? "-"
    }

    private func relative(_ text: String) -> String {
        text.replacing(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/) { match in
            let time = (try? Date(String(match.output), strategy: .iso8601))?.timeIntervalSince1970 ?? 0
            let offset = Int64(time) - sample.made
            return "T\(offset < 0 ? "" : "+")\(offset)"
        }
    }

    @Test func `v_open tells what each open delivery waits for`() async throws {
        try await expect(
            "v_open", "ORDER BY id",
            is: """
                1 | t-1 | first | profile_update | c-1 | scheduled | - | 3 | T-5000 | 5000 | T-600 | - | HTTP 500 | \
                a look at the log | w-1 | 1 | 0 | T-5000 | - | T-40 | -
                2 | t-2 | first | exotic | c-2 | scheduled | - | 0 | T-4000 | 4000 | T+1800 | - | HTTP 500 | \
                its time | w-1 | 1 | 0 | T-4000 | t-newer | - | -
                3 | t-3 | first | profile_update | c-3 | attempting | - | 0 | T-3000 | 3000 | - | - | HTTP 500 | \
                a call in flight | w-1 | 1 | 0 | T-3000 | - | - | -
                4 | t-4 | first | document_upload | c-4 | awaiting | - | 0 | T-2000 | 2000 | - | T+500 | HTTP 500 | \
                the log | w-1 | 1 | 0 | T-2000 | - | - | -
                5 | t-5 | first | profile_update | c-5 | awaiting | - | 0 | T-6000 | 6000 | - | T-1000 | HTTP 500 | \
                a complete reading of the log | w-1 | 1 | 0 | T-6000 | - | - | -
                6 | t-6 | second | profile_update | - | scheduled | log_silent | 0 | T-900 | 900 | T-700 | - | \
                HTTP 500 | the hold log_silent | w-1 | 1 | 0 | T-900 | - | - | -
                7 | t-7 | second | profile_update | c-7 | scheduled | log_silent | 0 | T-800 | 800 | T-10 | - | \
                HTTP 500 | an unread part of the log | w-1 | 1 | 1 | T-800 | - | T-50 | HTTP 502
                8 | t-8 | third | profile_update | c-8 | scheduled | not configured | 0 | T-700 | 700 | T-650 | - | \
                HTTP 500 | its endpoint in the configuration | w-1 | 1 | 0 | T-700 | - | - | -
                9 | t-9 | fourth | profile_update | c-9 | scheduled | operator | 0 | T-70000 | 70000 | T-400 | - | \
                HTTP 500 | the hold operator | w-1 | 2 | 1 | T-70000 | - | - | -
                10 | t-10 | first | profile_update | c-10 | scheduled | - | 0 | T-60 | 60 | T+7200 | - | HTTP 500 | \
                its time | w-1 | 1 | 0 | T-60 | - | - | -
                """)
    }

    @Test func `v_due tells what is due within the hour, soonest first`() async throws {
        try await expect(
            "v_due",
            is: """
                6 | t-6 | second | profile_update | - | -700 | T-700 | log_silent | - | 0 | 0 | 900
                8 | t-8 | third | profile_update | c-8 | -650 | T-650 | not configured | - | 0 | 0 | 700
                1 | t-1 | first | profile_update | c-1 | -600 | T-600 | - | - | 3 | 0 | 5000
                9 | t-9 | fourth | profile_update | c-9 | -400 | T-400 | operator | T+3000 | 0 | 1 | 70000
                7 | t-7 | second | profile_update | c-7 | -10 | T-10 | - | - | 0 | 1 | 800
                2 | t-2 | first | exotic | c-2 | 1800 | T+1800 | - | - | 0 | 0 | 4000
                """)
    }

    @Test func `v_dead tells why each delivery was given up`() async throws {
        try await expect(
            "v_dead", "ORDER BY id",
            is: """
                30 | t-30 | first | profile_update | c-30 | attempts | 0 | - | T-1500 | T-1000 | 1000 | HTTP 500 | \
                every attempt that its policy allows has failed | w-1 | 1 | T-1500 | -
                31 | t-31 | first | other | c-31 | age | 1 | - | T-2500 | T-2000 | 2000 | HTTP 500 | \
                it is older than max_age of its policy | w-1 | 1 | T-2500 | -
                32 | t-32 | first | profile_update | c-32 | rejected | 2 | - | T-90500 | T-90000 | 90000 | \
                HTTP 500 | the provider refuses the retry itself, or its stored body is damaged | w-1 | 1 | \
                T-90500 | rejected (HTTP 422)
                33 | t-33 | first | profile_update | c-33 | superseded | 3 | t-newer | T-3500 | T-3000 | 3000 | \
                HTTP 500 | a newer event had arrived and its policy says skip | w-1 | 1 | T-3500 | -
                34 | t-34 | first | profile_update | c-34 | discarded | 4 | - | T-4500 | T-4000 | 4000 | HTTP 500 | \
                an operator discarded it | w-1 | 1 | T-4500 | -
                35 | t-35 | first | profile_update | c-35 | poison | 5 | - | T-100500 | T-100000 | 100000 | \
                HTTP 500 | the provider answers 5xx to it alone, while others pass | w-1 | 1 | T-100500 | -
                """)
    }

    @Test func `v_attempts tells what was answered and what came of it`() async throws {
        try await expect(
            "v_attempts", "ORDER BY attempt_id",
            is: """
                1 | 3 | t-3 | first | profile_update | 1 | 1 | scheduled | T-5 | 5 | - | - | - | - | - | - | -
                2 | 4 | t-4 | first | document_upload | 1 | 1 | scheduled | T-100 | 100 | accepted | 202 | 0.25 | \
                - | - | t-4b | -
                3 | 5 | t-5 | first | profile_update | 1 | 1 | scheduled | T-2000 | 2000 | interrupted | - | 0.25 | \
                - | - | - | -
                4 | 20 | t-20 | first | profile_update | 1 | 1 | scheduled | T-4000 | 4000 | accepted | 202 | \
                0.25 | failed | T-3970 | - | -
                5 | 20 | t-20 | first | profile_update | 1 | 2 | manual | T-3700 | 3700 | accepted | 202 | 0.25 | \
                delivered | T-3670 | - | -
                6 | 1 | t-1 | first | profile_update | 1 | 3 | scheduled | T-3000 | 3000 | accepted | 202 | 0.25 | \
                unconfirmed | T-2970 | - | -
                7 | 6 | t-6 | second | profile_update | 1 | 1 | scheduled | T-800 | 800 | unavailable | 503 | \
                0.25 | not_executed | T-770 | - | -
                8 | 32 | t-32 | first | profile_update | 1 | 2 | scheduled | T-90001 | 90001 | rejected | 422 | \
                0.25 | refused | T-89971 | - | no such profile
                """)
    }

    @Test func `v_timeline tells a delivery's whole history in order`() async throws {
        try await expect(
            "v_timeline", "WHERE task_id = 't-20' ORDER BY at_ms, source",
            is: """
                20 | t-20 | -4200 | T-4200 | log | failed | HTTP 500 | first
                20 | t-20 | -4190 | T-4190 | redeliver | discovered | profile_update of customer c-20 | first
                20 | t-20 | -4000 | T-4000 | retry | failed | \
                attempt 1, answer accepted (HTTP 202), settled after 30 s | first
                20 | t-20 | -3990 | T-3990 | log | failed | as task t-20b: HTTP 503 | first
                20 | t-20 | -3710 | T-3710 | operator | retry | ann: asked by the customer | first
                20 | t-20 | -3700 | T-3700 | retry | delivered | \
                an operator's retry, answer accepted (HTTP 202), settled after 30 s | first
                20 | t-20 | -3600 | T-3600 | log | succeeded | - | first
                20 | t-20 | -3600 | T-3600 | redeliver | delivered | by worker, shown by the log | first
                """)
        try await expect(
            "v_timeline", "WHERE delivery_id = 4 ORDER BY at_ms, source",
            is: """
                4 | t-4 | -1990 | T-1990 | redeliver | discovered | document_upload of customer c-4 | first
                4 | t-4 | -100 | T-100 | retry | accepted | attempt 1, answer accepted (HTTP 202) | first
                4 | t-4b | -100 | T-100 | redeliver | further task id | \
                of task t-4, delivery 4 (an answer named it) | first
                """)
        try await expect(
            "v_timeline", "WHERE task_id = 't-31' ORDER BY at_ms, source",
            is: """
                31 | t-31 | -2490 | T-2490 | redeliver | discovered | other of customer c-31 | first
                31 | t-31 | -2000 | T-2000 | redeliver | dead | age | first
                """)
    }

    @Test func `v_timeline names the delivery behind a further task id`() async throws {
        try await expect(
            "v_timeline", "WHERE task_id = 't-4b'",
            is: """
                4 | t-4b | -100 | T-100 | redeliver | further task id | \
                of task t-4, delivery 4 (an answer named it) | first
                """)
    }

    @Test func `v_by_event_type counts by the labels of the metrics`() async throws {
        try await expect(
            "v_by_event_type",
            is: """
                profile_update | 8 | 5 | 5 | 300.0 | 70000 | 600.0 | 2
                document_upload | 1 | 70 | 0 | 60.0 | 2000 | 60.0 | 1
                zip_file_create | 0 | 0 | 0 | - | - | - | 0
                other | 1 | 2 | 1 | - | 4000 | - | 0
                """)
    }

    @Test func `v_by_endpoint tells which endpoint is to blame`() async throws {
        try await expect(
            "v_by_endpoint",
            is: """
                fifth | ep-5 | 1 | 0 | 0 | T-20 | 20 | - | circuit | T-300 | T+60 | 0 | - | 0 | 0 | 0 | 0 | 0 | 0 | 0 | 0 | \
                - | - | unknown | open | T-300 | its receiver failed for different deliveries in a row, last T-310 | \
                T+60 | - | 0 | 0 | - | 0 | -
                first | ep-1 | 1 | 3 | 3 | T-20 | 20 | - | - | - | - | 1 | 6000 | 6 | 2 | 4 | 6 | 1 | 1 | 0 | 0 | \
                T-30 | - | new_entry | closed | - | - | - | - | 0 | 0 | - | 1 | T-40
                fourth | ep-4 | 1 | 1 | 0 | - | - | - | operator | T-600 | T+3000 | 1 | 70000 | 0 | 0 | 0 | 0 | 0 | \
                0 | 0 | 0 | - | - | unknown | closed | - | - | - | - | 1 | 0 | - | 0 | -
                second | ep-2 | 1 | 2 | 0 | T-1800 | 1800 | HTTP 502 | log_silent | T-7200 | - | 2 | 900 | 0 | 0 | \
                0 | 1 | 0 | 0 | 1 | 3600 | T-4000 | T-60 | unknown | closed | - | - | - | - | 1 | \
                2 | T-50 | 0 | -
                third | ep-3 | 0 | 1 | 0 | - | - | - | not configured | - | - | 1 | 700 | 0 | 0 | 0 | 0 | 0 | 0 | \
                0 | 0 | - | - | unknown | closed | - | - | - | - | 1 | 0 | - | 0 | -
                """)
    }

    @Test func `v_superseded tells what a newer event has overtaken`() async throws {
        try await expect(
            "v_superseded", "ORDER BY id",
            is: """
                2 | t-2 | first | exotic | c-2 | scheduled | t-newer | \
                will arrive after the newer event: its policy says retry | w-1 | T-4000 | - | 4000
                20 | t-20 | first | profile_update | c-20 | delivered | t-newer | \
                arrived after the newer event: the receiver may hold old data | w-1 | T-4200 | T-3600 | 4200
                33 | t-33 | first | profile_update | c-33 | dead | t-newer | was not sent on (superseded) | w-1 | \
                T-3500 | T-3000 | 3500
                """)
    }

    @Test func `v_health tells what needs a look first`() async throws {
        try await expect(
            "v_health",
            is: """
                logs_not_read | 0 | 2 | fourth never, second since T-1800
                polls_failing | 0 | 1 | second: HTTP 502
                endpoints_held | 0 | 2 | fourth: operator since T-600, second: log_silent since T-7200
                deliveries_overdue | 0 | 600 | longest: delivery 1
                calls_overdue | 0 | 1 | longest: delivery 5
                calls_unconfirmed_24h | 0 | 1 | of 1 deliveries
                deliveries_died_24h | 0 | 4 | age 1, attempts 1, discarded 1, superseded 1
                entries_unreadable | 0 | 3 | no_outcome 2, no_task_id 1
                log_unread_s | 0 | 3600 | second 3600
                endpoints_not_configured | 0 | 1 | third 1
                manual_retries_pending | 0 | 2 | longest: delivery 9
                circuits_open | 0 | 1 | fifth since T-300
                deliveries_behind_gap | 1 | 2 | second 2 since T-50
                entries_in_progress_24h | 1 | 0 | -
                failures_left_out | 1 | 3 | first 3 logged before T-259200, where its history starts
                logs_alike | 1 | 0 | -
                bodies_odd_24h | 1 | 0 | -
                log_times_24h | 1 | 0 | -
                """)
    }

    @Test func `v_health of a new database finds nothing`() async throws {
        let empty = try QueueStore(path: folder.file("empty.db"), now: start)

        let found = try await empty.pool.read { db in
            try Row.fetchAll(db, sql: "SELECT * FROM v_health WHERE ok <> 1 OR value <> 0 OR detail IS NOT NULL").count
        }
        let checks = try await empty.pool.read { try Int.fetchOne($0, sql: "SELECT COUNT(*) FROM v_health") }
        #expect(found == 0 && checks == 18)
    }

    @Test func `v_health shows the one check that finds something before those that find nothing`() async throws {
        let store = try QueueStore(path: folder.file("held.db"), now: start)
        try await store.registerEndpoints([(id: "e", name: "n")], historyFrom: start, at: start)
        try await store.recordPoll(of: "e", error: nil, at: Timestamp(milliseconds: sample.made * 1_000))
        try await store.change("hold", rules: .exact(), at: start) {
            try $0.hold("e", .redirected, until: nil, since: start)
        }

        let checks = try await store.pool.read { db in
            try String.fetchAll(db, sql: "SELECT check_name || ' ' || ok FROM v_health")
        }
        #expect(checks.prefix(2) == ["endpoints_held 0", "logs_not_read 1"])
        #expect(checks.dropFirst().allSatisfy { $0.hasSuffix(" 1") })
    }

    /// The policy or an operator wanted these: nobody need look at them.
    @Test func `v_health counts what was discarded or superseded and finds no fault in it`() async throws {
        try await store.pool.write { db in
            try db.execute(
                sql: "UPDATE delivery SET dead_reason = 'discarded' WHERE dead_reason IN ('age', 'attempts')")
        }
        let row = try await store.pool.read { db in
            try String.fetchOne(
                db, sql: "SELECT ok || ' ' || value || ' ' || detail FROM v_health WHERE check_name LIKE '%_died_24h'")
        }
        #expect(row == "1 4 discarded 3, superseded 1")
    }

    @Test func `no view shows a body or the raw text of an entry`() async throws {
        for view in try await store.pool.read({ db in
            try String.fetchAll(db, sql: "SELECT name FROM sqlite_schema WHERE type = 'view'")
        }) {
            let shown = try await store.pool.read { try Row.fetchAll($0, sql: "SELECT * FROM \(view)").description }
            #expect(!shown.isEmpty && !shown.contains(ViewSample.secret))
        }
    }
}
