import GRDB
import TestSupport
import Testing

@testable import DeliveryQueue
@testable import QueueFixtures

/// What a delivery waits for is decided once, and shown everywhere alike.
@Suite struct WaitsForLogTests {
    private let queue: QueueFixture

    init() async throws {
        queue = try await QueueFixture()
    }

    @Test func `status, lists and views agree that what its endpoint's recovery made due waits for a look`()
        async throws
    {
        let now = Timestamp(milliseconds: try await queue.number("SELECT ms FROM clock"))
        try await queue.ingest(.failure("t-1", at: now - .hours(1)), at: now - .hours(1))
        try await queue.run(
            "UPDATE delivery SET next_attempt_ms = ?, turn_ms = ?",
            [(now + .hours(1)).milliseconds, (now - .hours(1)).milliseconds])
        try await queue.run(
            """
            UPDATE endpoint
            SET recovered_ms = ?1, look_wanted_ms = ?1, last_poll_error_ms = ?1, last_poll_error = 'HTTP 429'
            WHERE id = 'ep-1'
            """, [(now - .minutes(1)).milliseconds])

        let endpoint = try #require(try await queue.store.snapshot(at: now).endpoints.first)
        let reader = try QueueReader(path: queue.path)
        let record = try #require(try reader.deliveries(matching: DeliveryFilter(), limit: 0).first)
        #expect(endpoint.behindLook == 1)
        #expect(record.waitsForLog(at: now) == now - .minutes(1) && record.lastPollError == "HTTP 429")
        #expect(try await queue.number("SELECT behind_look FROM v_by_endpoint WHERE endpoint_id = 'ep-1'") == 1)
        #expect(
            try await queue.text("SELECT waits_for || ': ' || log_error FROM v_open") == "a look at the log: HTTP 429")
    }
}
