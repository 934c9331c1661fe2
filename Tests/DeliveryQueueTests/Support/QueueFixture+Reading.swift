import GRDB

@testable import DeliveryQueue
@testable import QueueFixtures

/// What the tests of the rule of reading share: claims after readings, and gaps of the first endpoint.
extension QueueFixture {
    static let due = start + .hours(1)

    /// Claims at `due`.
    func claim(of readings: [String: LogReading], limit: Int = 10) async throws -> ClaimedBatch {
        try await store.claimDue(of: readings, limit: limit, lease: .seconds(60), rules: rules, at: Self.due)
    }

    func tasks(of readings: [String: LogReading]) async throws -> [String] {
        try await claim(of: readings).deliveries.map(\.taskID).sorted()
    }

    func gap(from: Timestamp, to: Timestamp, freed: Timestamp? = nil) async throws {
        try await run(
            """
            INSERT INTO scan_gap (endpoint_id, from_ms, to_ms, newest_first, started_ms, since_ms, freed_ms)
            VALUES ('ep-1', ?, ?, 1, 0, 0, ?)
            """, [from.milliseconds, to.milliseconds, freed?.milliseconds])
    }
}
