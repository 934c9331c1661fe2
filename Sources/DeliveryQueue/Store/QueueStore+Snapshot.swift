import Foundation
import GRDB

/// Everything that the metrics file and `redeliver status` say about the queue, read in one consistent snapshot.
package struct QueueSnapshot: Sendable {
    /// A counter's row; labels are empty where it has none.
    package struct Count: Sendable, Hashable {
        package let name: String
        package let label1: String
        package let label2: String
        package let value: Int64
    }

    /// Deliveries of one event type label that are neither delivered nor dead.
    package struct Open: Sendable {
        package let eventType: String
        package let scheduled: Int
        package let attempting: Int
        package let awaiting: Int
        package let oldestFailure: Timestamp
    }

    package struct Dead: Sendable {
        package let eventType: String
        package let reason: DeadReason
        package let count: Int
    }

    package struct Endpoint: Sendable {
        package let id: String
        package let name: String
        /// false: no longer in the configuration.
        package let isActive: Bool
        /// Everything logged before is read; nil before the first page. Never over a gap.
        package let watermark: Timestamp?
        package let lastPoll: Timestamp?
        /// nil when the last poll succeeded, or none was tried.
        package let lastPollError: String?
        /// Provider time that scans have begun and not read to the end.
        package let gap: Duration
        package let holdReason: HoldReason?
        package let holdSince: Timestamp?
        package let circuit: EndpointCircuit.Phase
        /// Deliveries that wait, are called or await the log.
        package let open: Int
        /// Of those, the scheduled ones; held while the endpoint is.
        package let scheduled: Int

        /// The hold's reason, or `circuit`; nil: it is not held.
        package var heldBecause: String? { holdReason?.rawValue ?? circuit.heldSince.map { _ in EndpointCircuit.word } }
        package var heldSince: Timestamp? { holdReason == nil ? circuit.heldSince : holdSince }
    }

    /// The event types that have a label of their own, in the order in which they got it.
    package let eventTypes: [String]
    package let counts: [Count]
    package let open: [Open]
    package let dead: [Dead]
    package let endpoints: [Endpoint]
    /// When the last backup was made; nil: none was.
    package let lastBackup: Timestamp?
    /// The earliest `next_attempt` that has passed; nil when nothing is due.
    package let oldestDue: Timestamp?
    /// The earliest `next_attempt` of all; nil when nothing waits.
    package let nextAttempt: Timestamp?
    package let unreadable: Int

    /// A counter's value, 0 when it never rose.
    package func count(_ name: String, _ label1: String = "", _ label2: String = "") -> Int64 {
        counts.first { $0.name == name && $0.label1 == label1 && $0.label2 == label2 }?.value ?? 0
    }
}

extension QueueStore {
    package func snapshot(at now: Timestamp) async throws(StoreError) -> QueueSnapshot {
        try await read("read a snapshot") { try $0.snapshot(at: now) }
    }

    /// Sizes in bytes of the main file and the write-ahead log, by `stat` alone; 0 when a file is missing.
    package static func fileSizes(ofDatabase path: String) -> (main: Int64, wal: Int64) {
        func size(_ path: String) -> Int64 {
            let attributes = try? FileManager.default.attributesOfItem(atPath: path)
            return (attributes?[.size] as? NSNumber)?.int64Value ?? 0
        }
        return (size(path), size(path + "-wal"))
    }
}

extension QueueReader {
    /// Readable from the first schema on, so that `redeliver status` also works while a newer one is being made.
    package func snapshot(at now: Timestamp) throws(StoreError) -> QueueSnapshot {
        try read("read a snapshot", since: 1) { try $0.snapshot(at: now) }
    }
}

extension Database {
    fileprivate func snapshot(at now: Timestamp) throws -> QueueSnapshot {
        let eventTypes = try all("SELECT name FROM metric_event_type ORDER BY position") { $0.text() }
        let open = try OpenGroup.all(self)
        return QueueSnapshot(
            eventTypes: eventTypes,
            counts: try rows("SELECT name, label_1, label_2, value FROM counter ORDER BY name, label_1, label_2").map {
                .init(name: $0["name"], label1: $0["label_1"], label2: $0["label_2"], value: $0["value"])
            },
            open: OpenGroup.byLabel(open, known: Set(eventTypes)),
            dead: try dead(),
            endpoints: try endpoints(open: Dictionary(grouping: open, by: \.endpointID)),
            lastBackup: try lastBackup(),
            oldestDue: try nextAttempt(before: now),
            nextAttempt: try nextAttempt(before: Timestamp(milliseconds: .max)),
            unreadable: try firstRow("SELECT COUNT(*) AS n FROM unreadable_entry")?["n"] ?? 0)
    }

    private func dead() throws -> [QueueSnapshot.Dead] {
        // An older schema has no count of them.
        let counted = "(SELECT event_type, dead_reason, COUNT(*) AS n FROM delivery WHERE state = 'dead' GROUP BY 1, 2)"
        return try rows(
            """
            SELECT coalesce(metric_event_type.name, 'other') AS label, dead_reason, SUM(n) AS n
            FROM \(tableExists("dead_count") ? "dead_count" : counted)
            LEFT JOIN metric_event_type ON metric_event_type.name = event_type
            WHERE n > 0
            GROUP BY label, dead_reason ORDER BY label, dead_reason
            """
        ).compactMap { row in
            DeadReason(rawValue: row["dead_reason"]).map {
                .init(eventType: row["label"], reason: $0, count: row["n"])
            }
        }
    }

    private func lastBackup() throws -> Timestamp? {
        // An older schema does not know it.
        guard try tableExists("backup") else { return nil }
        return try first("SELECT at_ms FROM backup") { $0.timestamp() }
    }

    private func endpoints(open: [String: [OpenGroup]]) throws -> [QueueSnapshot.Endpoint] {
        try rows(
            """
            SELECT endpoint.*,
                (SELECT MIN(from_ms) FROM scan_gap WHERE endpoint_id = endpoint.id) AS gap_from_ms,
                (SELECT TOTAL(to_ms - from_ms) FROM scan_gap WHERE endpoint_id = endpoint.id) AS gap_ms
            FROM endpoint ORDER BY name, id
            """
        ).map { row in
            let head = row.timestampIfAny("head_ms")
            let gap = row.timestampIfAny("gap_from_ms")
            let groups = open[row["id"]] ?? []
            return QueueSnapshot.Endpoint(
                id: row["id"], name: row["name"], isActive: row["active"],
                watermark: head.map { min($0, gap ?? $0) }, lastPoll: row.timestampIfAny("last_poll_ms"),
                lastPollError: row["last_poll_error"], gap: .milliseconds(Int64(row["gap_ms"] as Double)),
                holdReason: (row["hold_reason"] as String?).flatMap(HoldReason.init(rawValue:)),
                holdSince: row.timestampIfAny("hold_since_ms"), circuit: EndpointCircuit.Phase(row: row),
                open: groups.map(\.count).reduce(0, +), scheduled: groups.map(\.scheduled).reduce(0, +))
        }
    }

    /// Asked endpoint by endpoint, because the index of what is due begins with the endpoint.
    private func nextAttempt(before limit: Timestamp) throws -> Timestamp? {
        try firstRow(
            """
            SELECT MIN(next) AS next FROM (
                SELECT (SELECT MIN(next_attempt_ms) FROM delivery
                        WHERE endpoint_id = endpoint.id AND state = 'scheduled') AS next
                FROM endpoint WHERE active = 1
            ) WHERE next <= ?
            """,
            [limit.milliseconds])?.timestampIfAny("next")
    }
}

/// The open deliveries of one endpoint and event type. All of them are counted by one walk of the index that has all three of
/// what is asked; those that are called, which are few, by indexes of their own.
private struct OpenGroup {
    let endpointID: String
    let eventType: String
    let count: Int
    let oldestFailure: Timestamp
    /// Called, and those whose call is over and that await the log.
    private var called = 0
    /// Of the called ones, those whose call is under way.
    private var attempting = 0

    var scheduled: Int { count - called }

    /// Byte for byte, as SQLite compares texts: to Swift two spellings of an accent are one text.
    private struct Key: Hashable {
        let endpointID: [UInt8]
        let eventType: [UInt8]

        init(_ endpointID: String, _ eventType: String) {
            self.endpointID = Array(endpointID.utf8)
            self.eventType = Array(eventType.utf8)
        }
    }

    static func all(_ db: Database) throws -> [OpenGroup] {
        let called = try counts(db, "delivery INDEXED BY delivery_waiting WHERE state IN ('attempting', 'awaiting')")
        let attempting = try counts(db, "delivery INDEXED BY delivery_leased WHERE state = 'attempting'")
        return try db.all(
            """
            SELECT endpoint_id, event_type, COUNT(*), MIN(first_failed_ms) FROM delivery
            WHERE finalized_ms IS NULL GROUP BY endpoint_id, event_type
            """
        ) { columns in
            let (endpointID, eventType) = (columns.text(), columns.text())
            let key = Key(endpointID, eventType)
            return OpenGroup(
                endpointID: endpointID, eventType: eventType, count: Int(columns.integer()),
                oldestFailure: columns.timestamp(), called: called[key] ?? 0, attempting: attempting[key] ?? 0)
        }
    }

    private static func counts(_ db: Database, _ deliveries: String) throws -> [Key: Int] {
        let counts = try db.all(
            "SELECT endpoint_id, event_type, COUNT(*) FROM \(deliveries) GROUP BY endpoint_id, event_type"
        ) { (Key($0.text(), $0.text()), Int($0.integer())) }
        return Dictionary(counts, uniquingKeysWith: +)
    }

    /// - Parameter known: event types that have a label of their own; all others share one.
    static func byLabel(_ groups: [OpenGroup], known: Set<String>) -> [QueueSnapshot.Open] {
        let labels = Dictionary(grouping: groups) {
            known.contains($0.eventType) ? $0.eventType : EventTypeLabels.other
        }
        return labels.sorted { $0.key < $1.key }.compactMap { label, groups in
            guard let oldest = groups.map(\.oldestFailure).min() else { return nil }
            let called = groups.map(\.called).reduce(0, +)
            let attempting = groups.map(\.attempting).reduce(0, +)
            return QueueSnapshot.Open(
                eventType: label, scheduled: groups.map(\.scheduled).reduce(0, +), attempting: attempting,
                awaiting: called - attempting, oldestFailure: oldest)
        }
    }
}
