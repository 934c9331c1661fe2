import Crypto
import Foundation
import GRDB
import Testing

@testable import DeliveryQueue
@testable import QueueFixtures

@Suite struct IngestTests {
    private let queue: QueueFixture

    init() async throws {
        queue = try await QueueFixture()
    }

    // MARK: - New failures

    @Test func `a new failure is scheduled at its failure plus the first delay`() async throws {
        let failed = start - .seconds(20)

        let summary = try await queue.ingest(.failure("a", at: failed, error: "HTTP 502"), at: start)

        let delivery = try await queue.delivery("a")
        #expect(summary.new == 1)
        #expect(delivery.state == .scheduled)
        #expect(delivery.nextAttempt == failed + .minutes(1))
        #expect(delivery.attemptsUsed == 0)
        #expect(delivery.firstFailed == failed && delivery.lastFailed == failed && delivery.cycleStarted == failed)
        #expect(try await queue.text("SELECT last_error FROM delivery") == "HTTP 502")
    }

    @Test func `a failure that is found after its first delay is due at once`() async throws {
        try await queue.ingest(.failure("a", at: start - .hours(70)), at: start)

        #expect(try await queue.claim(at: start).map(\.taskID) == ["a"])
    }

    @Test func `a failure in our future counts as failed now`() async throws {
        try await queue.ingest(.failure("a", at: start + .hours(5)), at: start)

        #expect(try await queue.delivery("a").nextAttempt == start + .minutes(1))
    }

    @Test func `a failure without a time counts as failed now`() async throws {
        try await queue.ingest(.failure("a", at: nil), at: start)

        #expect(try await queue.delivery("a").firstFailed == start)
        #expect(try await queue.delivery("a").nextAttempt == start + .minutes(1))
    }

    @Test func `failures logged before history begins are not taken up`() async throws {
        let history = start - .hours(72)

        try await queue.ingest(
            .failure("before", at: history - .milliseconds(1)), .failure("edge", at: history), at: start)

        #expect(try await queue.isKnown("before") == false)
        #expect(try await queue.isKnown("edge"))
    }

    @Test func `history keeps its beginning when endpoints are registered again`() async throws {
        try await queue.store.registerEndpoints(
            [(id: QueueFixture.endpoint, name: "renamed")], historyFrom: start, at: start)
        try await queue.ingest(.failure("a", at: start - .hours(71)), at: start)

        #expect(try await queue.isKnown("a"))
        #expect(try await queue.text("SELECT name FROM endpoint WHERE id = 'ep-1'") == "renamed")
        #expect(try await queue.number("SELECT active FROM endpoint WHERE id = 'ep-2'") == 0)
    }

    @Test func `the same task id on two endpoints is two deliveries where anything else differs`() async throws {
        try await queue.ingest(.failure("a", at: start), at: start)
        try await queue.ingest(.failure("a", of: "b", at: start), endpoint: QueueFixture.other, at: start)

        #expect(try await queue.number("SELECT COUNT(*) FROM delivery") == 2)
    }

    @Test func `a page of an unknown endpoint is refused whole`() async throws {
        await #expect(throws: StoreError.self) {
            try await queue.ingest(.failure("a", at: start), endpoint: "unknown", at: start)
        }
        #expect(try await queue.number("SELECT COUNT(*) FROM log_entry") == 0)
    }

    // MARK: - Ids and bodies

    @Test(arguments: [
        ("17", "17", Optional("42"), "42"),
        ("17", "\"17\"", "42", "\"42\""),
        ("t", "\"t\"", nil, "null"),
        ("é", #""\u00e9""#, "c", "\"c\""),
    ])
    func `ids keep their raw JSON up to the call`(
        task: String, taskJSON: String, customer: String?, customerJSON: String
    ) async throws {
        try await queue.ingest(
            LogObservation(
                taskID: task, taskIDJSON: taskJSON, eventType: "x", customerID: customer, customerIDJSON: customerJSON,
                webhookID: "9", webhookIDJSON: "9", body: Array("{}".utf8), outcome: .failed, logged: start),
            at: start)

        let claimed = try await queue.claimOne(at: start + .minutes(1))
        #expect(claimed.taskID == task && claimed.taskIDJSON == taskJSON)
        #expect(claimed.customerIDJSON == customerJSON)
        #expect(claimed.webhookIDJSON == "9")
        #expect(try await queue.delivery(task).customerID == customer)
    }

    @Test(arguments: [
        Array("{ \"a\" : 1.0, \"a\":1e400,\"b\":123456789012345678901234567890 }".utf8),
        Array(#"{"u":"\u00e9 é \/ \ud800"}"#.utf8),
        Array("null".utf8), Array("\"text\"".utf8), Array("[]".utf8), Array("0".utf8), [],
        [0x22, 0xff, 0xfe, 0x00, 0x80, 0x22], Array(" \t\r\n{} ".utf8),
        Array("\u{FEFF}{\"日本\":\"👩‍👩‍👧\"}".utf8),
    ])
    func `a body comes back byte for byte`(body: [UInt8]) async throws {
        try await expectBack(body)
    }

    /// No argument, because the test library writes out each of them.
    @Test func `a body of a megabyte comes back byte for byte`() async throws {
        try await expectBack([UInt8](repeating: 0x61, count: 1 << 20))
    }

    private func expectBack(_ body: [UInt8]) async throws {
        var observation = LogObservation.failure("a", at: start)
        observation.body = body
        try await queue.ingest(observation, at: start)

        #expect(try await queue.claimOne(at: start + .minutes(1)).body == body)
        let stored = try await queue.store.pool.read { try Data.fetchOne($0, sql: "SELECT sha256 FROM delivery_body") }
        #expect(stored == Data(SHA256.hash(data: body)))
    }

    @Test func `an odd body is told once a page and stands in the health view without its text`() async throws {
        var failure = LogObservation.failure("a", at: start)
        failure.bodyOddness = .python
        #expect(try await queue.ingest(failure, at: start).oddBody == .python)
        #expect(try await queue.ingest(failure, at: start).oddBody == nil)
        try await queue.run("UPDATE endpoint SET odd_body_ms = 9e12 WHERE odd_body_ms IS NOT NULL")

        let row = "SELECT ok || ' ' || detail FROM v_health WHERE check_name = 'bodies_odd_24h'"
        #expect(try await queue.text(row) == "0 first: a body is a string that looks like a Python value")
    }

    @Test func `times that are hours off by whole quarters hint at their zone when two of them do`() async throws {
        for task in ["a", "b"] { try await queue.ingest(.failure(task, at: start), at: start) }
        let called = start + .minutes(2)
        for claimed in try await queue.claim(at: called) { try await queue.record(claimed, .accepted, at: called) }
        let zone = "SELECT detail FROM v_health WHERE check_name = 'log_times_24h'"
        let found = called + .seconds(5)

        let first = try await queue.ingest(.failure("a", at: called + .seconds(2) - .hours(5)), at: found)
        #expect(first.zoneHint == nil)
        let second = try await queue.ingest(.failure("new", of: "b", at: called - .hours(5)), at: found)
        #expect(second.zoneHint == "-05:00")
        try await queue.run("UPDATE endpoint SET zone_hint_ms = 9e12 WHERE zone_hint_ms IS NOT NULL")
        #expect(
            try await queue.text(zone)
                == "first: the log's times seem to be of the zone -05:00: set provider.log_fields.time_zone")
    }

    // MARK: - Order of entries

    @Test(arguments: [true, false])
    func `a failure that a later success mends is not retried, in any order on the page`(
        newestFirst: Bool
    ) async throws {
        let failure = LogObservation.failure("a", at: start)
        let success = LogObservation.success("a", at: start + .seconds(30))

        if newestFirst {
            try await queue.ingest(success, failure, at: start + .minutes(1))
            #expect(try await queue.isKnown("a") == false)
        } else {
            try await queue.ingest(failure, success, at: start + .minutes(1))
            #expect(try await queue.delivery("a").state == .delivered)
        }
        #expect(try await queue.claim(at: start + .hours(5)).isEmpty)
    }

    @Test func `a success on the first page and its failure on the second are not retried`() async throws {
        let scan = start + .minutes(1)
        let first = try await queue.ingest(
            .success("a", at: start + .seconds(30)),
            progress: ScanProgress(
                started: scan, newest: start + .seconds(30), unread: ScanRange(from: start - .hours(1), to: start),
                resumeURL: "/page2", newestFirst: true),
            at: scan)
        try await queue.ingest(
            .failure("a", at: start), progress: ScanProgress(gapID: first.gapID, started: scan), at: scan + .seconds(1))

        #expect(try await queue.isKnown("a") == false)
        #expect(try await queue.claim(at: start + .hours(5)).isEmpty)
    }

    @Test func `the provider's own repeated failure moves the next attempt and uses none`() async throws {
        try await queue.ingest(.failure("a", at: start, error: "first"), at: start)
        let again = start + .seconds(40)
        try await queue.ingest(.failure("a", at: again, error: "second"), at: start + .seconds(50))

        let delivery = try await queue.delivery("a")
        #expect(delivery.nextAttempt == again + .minutes(1))
        #expect(delivery.attemptsUsed == 0)
        #expect(delivery.firstFailed == start && delivery.lastFailed == again)
        #expect(try await queue.text("SELECT last_error FROM delivery") == "second")
        #expect(try await queue.number("SELECT COUNT(*) FROM delivery") == 1)
    }

    @Test func `a row whose time moves at every reading puts off each call once`() async throws {
        try await queue.ingest(.failure("a", at: start), at: start)
        var now = start
        var calls: [Timestamp] = []
        while now < start + .hours(2), calls.count < 2 {
            now = now + .seconds(15)
            try await queue.ingest(.failure("a", at: start, changed: now), at: now)
            guard let claimed = try await queue.claim(at: now).first else { continue }
            calls.append(now)
            try await queue.record(claimed, .accepted, at: now)
        }

        // The waits, 1 and 2 minutes, count from the second failure that each of them saw.
        #expect(calls == [start + .seconds(15) + .minutes(1), start + .seconds(105) + .minutes(2)])
    }

    @Test func `an older failure of the same task read later moves nothing but the beginning`() async throws {
        try await queue.ingest(.failure("a", at: start, error: "new"), at: start)
        try await queue.ingest(.failure("a", at: start - .hours(2), error: "old"), at: start)

        let delivery = try await queue.delivery("a")
        #expect(delivery.nextAttempt == start + .minutes(1))
        #expect(delivery.firstFailed == start - .hours(2) && delivery.cycleStarted == start - .hours(2))
        #expect(delivery.lastFailed == start)
        #expect(try await queue.text("SELECT last_error FROM delivery") == "new")
    }

    @Test func `the provider's own success settles a waiting delivery as the provider's`() async throws {
        try await queue.ingest(.failure("a", at: start), at: start)
        let summary = try await queue.ingest(.success("a", at: start + .seconds(20)), at: start + .seconds(30))

        #expect(summary.delivered == 1)
        #expect(try await queue.text("SELECT delivered_by || delivered_evidence FROM delivery") == "providerlog")
        #expect(try await queue.text("SELECT delivered_task_id FROM delivery") == "a")
    }

    @Test func `entries that are in progress are remembered and start nothing`() async throws {
        try await queue.ingest(.pending("a", at: start), at: start)

        #expect(try await queue.isKnown("a") == false)
        #expect(try await queue.number("SELECT COUNT(*) FROM log_entry WHERE outcome = 'in_progress'") == 1)

        try await queue.ingest(.failure("a", at: start), at: start)
        #expect(try await queue.delivery("a").state == .scheduled)
    }

    @Test(arguments: [start, nil])
    func `an outcome that is left empty is a failure once it has not changed for confirm_within`(
        at logged: Timestamp?
    ) async throws {
        var entry = LogObservation.pending("a", at: logged)
        entry.isUnsaid = true
        let within = queue.rules.confirmWithin
        try await queue.ingest(entry, at: start)
        try await queue.ingest(entry, at: start + within - .seconds(1))
        #expect(try await queue.isKnown("a") == false)

        try await queue.ingest(entry, at: start + within)
        #expect(try await queue.delivery("a").state == .scheduled)
        #expect(try await queue.number("SELECT COUNT(*) FROM log_entry WHERE is_open = 1") == 0)
    }

    @Test func `a failure without a body or type is no delivery, and stops nothing`() async throws {
        var bare = LogObservation.failure("a", at: start)
        bare.body = nil
        let summary = try await queue.ingest(bare, .failure("b", at: start), at: start)

        #expect(summary.new == 1)
        #expect(try await queue.isKnown("a") == false)
    }
}
