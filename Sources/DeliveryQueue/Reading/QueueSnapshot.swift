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

    /// Deliveries of one event type label that died for one reason.
    package struct Dead: Sendable {
        package let eventType: String
        package let reason: DeadReason
        package let count: Int
    }

    /// How far an endpoint's log is read, what holds its deliveries, and how many are open.
    package struct Endpoint: Sendable {
        package let id: String
        package let name: String
        /// false: no longer in the configuration.
        package let isActive: Bool
        /// Everything logged before this provider time is read; nil before the first page. It never passes a gap.
        package let watermark: Timestamp?
        package let lastPoll: Timestamp?
        /// nil when the last poll succeeded, or none was tried.
        package let lastPollError: String?
        /// How much provider time the begun scans have not read yet.
        package let gap: Duration
        /// Scheduled deliveries that are not called before a part of the log is read.
        package var behindGap = 0
        /// Since when a part of the log is unread; nil: none is.
        package var unreadSince: Timestamp?
        /// Due deliveries that are not called before the log is looked at.
        package var behindLook = 0
        /// Since when such a look is overdue; nil: none is.
        package var lookWanted: Timestamp?
        /// nil: nothing holds it, except perhaps its circuit.
        package let holdReason: HoldReason?
        /// nil: it is not held. From the view `endpoint_standing`.
        package let heldBecause: HeldBecause?
        package let heldSince: Timestamp?
        package let circuit: EndpointCircuit.Phase
        /// Deliveries that wait, are called or await the log.
        package let open: Int
        /// The scheduled ones of those.
        package let scheduled: Int
        /// Of the scheduled ones, operators' retries that pass the endpoint's hold.
        package var passing = 0

        /// Of the scheduled ones, those that the endpoint's hold keeps back.
        package var held: Int { heldBecause == nil ? 0 : scheduled - passing }
    }

    /// The event types that have a label of their own, in the order in which they got it.
    package let eventTypes: [String]
    package let counts: [Count]
    package let open: [Open]
    package let dead: [Dead]
    package let endpoints: [Endpoint]
    /// When the last backup was made; nil: none was.
    package let lastBackup: Timestamp?
    /// When the oldest due delivery of a configured endpoint came due, held or not; nil when none is due.
    package let oldestDue: Timestamp?
    /// When the first waiting delivery of a configured endpoint comes due, among the endpoints that nothing holds; nil
    /// when none waits.
    package let nextAttempt: Timestamp?
    package let unreadable: Int
    /// Log entries that have said for more than a day that the provider is still trying.
    package var inProgress = 0

    /// A counter's value, 0 when it never rose.
    package func count(_ name: String, _ label1: String = "", _ label2: String = "") -> Int64 {
        counts.first { $0.name == name && $0.label1 == label1 && $0.label2 == label2 }?.value ?? 0
    }
}

extension QueueStore {
    /// The daemon's snapshot; `now` decides what is due.
    package func snapshot(at now: Timestamp) async throws(StoreError) -> QueueSnapshot {
        try await read("read a snapshot") { try $0.snapshot(at: now) }
    }
}

extension QueueReader {
    /// A command's snapshot; `now` decides what is due.
    package func snapshot(at now: Timestamp) throws(StoreError) -> QueueSnapshot {
        try read("read a snapshot") { try $0.snapshot(at: now) }
    }
}

extension Session {
    fileprivate func snapshot(at now: Timestamp) throws -> QueueSnapshot {
        let eventTypes = try all("SELECT name FROM metric_event_type ORDER BY position") { $0.text() }
        let open = try OpenGroup.all(self)
        let endpoints = try endpoints(open: Dictionary(grouping: open, by: \.endpointID), at: now)
        let oldest = endpoints.compactMap { $0.endpoint.isActive ? $0.nextDue : nil }.min()
        return QueueSnapshot(
            eventTypes: eventTypes,
            counts: try all("SELECT name, label_1, label_2, value FROM counter ORDER BY name, label_1, label_2") {
                .init(name: $0.text(), label1: $0.text(), label2: $0.text(), value: $0.integer())
            },
            open: OpenGroup.byLabel(open, known: Set(eventTypes)), dead: try dead(),
            endpoints: endpoints.map(\.endpoint),
            lastBackup: try first("SELECT at_ms FROM backup") { $0.timestamp() },
            oldestDue: oldest.flatMap { $0 <= now ? $0 : nil },
            nextAttempt: endpoints.compactMap { $0.endpoint.heldBecause == nil ? $0.nextDue : nil }.min(),
            unreadable: Int(try number("SELECT COUNT(*) FROM unreadable_entry") ?? 0),
            inProgress: Int(
                try number(
                    "SELECT COUNT(*) FROM log_entry WHERE is_open = 1 AND found_ms < ?", [now - .seconds(86_400)]) ?? 0)
        )
    }

    private func dead() throws -> [QueueSnapshot.Dead] {
        try all(
            """
            SELECT coalesce(metric_event_type.name, 'other') AS label, dead_reason, SUM(n)
            FROM dead_count LEFT JOIN metric_event_type ON metric_event_type.name = event_type
            WHERE n > 0
            GROUP BY label, dead_reason ORDER BY label, dead_reason
            """
        ) { row in .init(eventType: row.text(), reason: try row.word(), count: row.int()) }
    }

    private func endpoints(
        open: [String: [OpenGroup]], at now: Timestamp
    ) throws -> [(endpoint: QueueSnapshot.Endpoint, nextDue: Timestamp?)] {
        try all(
            """
            SELECT id, name, active, head_ms, last_poll_ms, last_poll_error, hold_reason, held_because, held_since_ms,
                \(EndpointCircuit.Phase.columns), next_due_ms,
                (SELECT COUNT(*) FROM delivery_standing AS delivery
                 WHERE delivery.endpoint_id = endpoint_standing.id AND delivery.state = 'scheduled'
                   AND delivery.manual_ms IS NOT NULL AND delivery.held_because IS NULL),
                (SELECT MIN(from_ms) FROM scan_gap WHERE endpoint_id = endpoint_standing.id AND is_second = 0),
                (SELECT coalesce(SUM(to_ms - from_ms), 0) FROM scan_gap
                 WHERE endpoint_id = endpoint_standing.id AND is_second = 0),
                CASE WHEN unread_until_ms IS NULL THEN 0
                     ELSE (SELECT COUNT(*) FROM delivery_standing AS delivery
                           WHERE delivery.endpoint_id = endpoint_standing.id AND delivery.state = 'scheduled'
                             AND delivery.is_behind_gap = 1) END, unread_since_ms,
                CASE WHEN look_wanted_ms IS NULL THEN 0
                     ELSE (SELECT COUNT(*) FROM delivery_standing AS delivery
                           WHERE delivery.endpoint_id = endpoint_standing.id AND delivery.state = 'scheduled'
                             AND delivery.due_ms <= ? AND delivery.held_because IS NULL
                             AND delivery.look_wanted_ms IS NOT NULL AND coalesce(delivery.is_behind_gap, 0) = 0) END,
                look_wanted_ms
            FROM endpoint_standing ORDER BY name, id
            """, [now]
        ) { row in
            let (id, name, isActive, head) = (row.text(), row.text(), row.flag(), row.timestampIfAny())
            let (lastPoll, error) = (row.timestampIfAny(), row.textIfAny())
            let (reason, because, since) = (
                row.wordIfAny(HoldReason.self), row.wordIfAny(HeldBecause.self), row.timestampIfAny()
            )
            let (circuit, nextDue, passing) = (EndpointCircuit.Phase(&row), row.timestampIfAny(), row.int())
            let (gapFrom, gap) = (row.timestampIfAny(), row.milliseconds())
            let (behindGap, unreadSince) = (row.int(), row.timestampIfAny())
            let (behindLook, lookWanted) = (row.int(), row.timestampIfAny())
            let groups = open[id] ?? []
            let endpoint = QueueSnapshot.Endpoint(
                id: id, name: name, isActive: isActive, watermark: head.map { min($0, gapFrom ?? $0) },
                lastPoll: lastPoll, lastPollError: error, gap: gap, behindGap: behindGap, unreadSince: unreadSince,
                behindLook: behindLook, lookWanted: lookWanted,
                holdReason: reason, heldBecause: because,
                heldSince: since, circuit: circuit, open: groups.map(\.count).reduce(0, +),
                scheduled: groups.map(\.scheduled).reduce(0, +), passing: passing)
            return (endpoint, nextDue)
        }
    }
}

/// The open deliveries of one endpoint and event type. One walk of an index counts them all; the called ones, which are
/// few, have indexes of their own.
private struct OpenGroup {
    let endpointID: String
    let eventType: String
    let count: Int
    let oldestFailure: Timestamp
    /// Those whose call is in flight or awaits the log.
    private var called = 0
    /// Those whose call is in flight.
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

    static func all(_ session: Session) throws -> [OpenGroup] {
        let called = try counts(
            session, "delivery \(Dialect.byWaiting) WHERE state IN ('attempting', 'awaiting')")
        let attempting = try counts(session, "delivery \(Dialect.byLease) WHERE state = 'attempting'")
        return try session.all(
            """
            SELECT endpoint_id, event_type, COUNT(*), MIN(first_failed_ms) FROM delivery
            WHERE finalized_ms IS NULL GROUP BY endpoint_id, event_type
            """
        ) { row in
            let (endpointID, eventType) = (row.text(), row.text())
            let key = Key(endpointID, eventType)
            return OpenGroup(
                endpointID: endpointID, eventType: eventType, count: row.int(), oldestFailure: row.timestamp(),
                called: called[key] ?? 0, attempting: attempting[key] ?? 0)
        }
    }

    private static func counts(_ session: Session, _ deliveries: String) throws -> [Key: Int] {
        let counts = try session.all(
            "SELECT endpoint_id, event_type, COUNT(*) FROM \(deliveries) GROUP BY endpoint_id, event_type"
        ) { (Key($0.text(), $0.text()), $0.int()) }
        return Dictionary(counts, uniquingKeysWith: +)
    }

    /// Adds up the groups by event type label.
    ///
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
