/// What a pruning turn removed, in counts.
package struct PruneSummary: Sendable, Equatable {
    /// Bodies of delivered deliveries whose rows stay.
    package var bodies = 0
    package var delivered = 0
    package var dead = 0
    /// Entries that belong to no delivery; those of a delivery go with it.
    package var logEntries = 0
    /// Newest arrivals, which tell what is superseded.
    package var arrivals = 0
    package var unreadable = 0

    package init() {}

    package var deliveries: Int { delivered + dead }
    package var total: Int { bodies + deliveries + logEntries + arrivals + unreadable }

    package static func += (sum: inout PruneSummary, more: PruneSummary) {
        sum.bodies += more.bodies
        sum.delivered += more.delivered
        sum.dead += more.dead
        sum.logEntries += more.logEntries
        sum.arrivals += more.arrivals
        sum.unreadable += more.unreadable
    }
}

/// Deliveries that were past their retention when they were looked up; each is checked again when it is removed.
package struct OldRows: Sendable {
    /// Deliveries whose bodies go.
    fileprivate var bodies: [Int64] = []
    /// Deliveries that go as a whole.
    fileprivate var deliveries: [Int64] = []

    package var isEmpty: Bool { bodies.isEmpty && deliveries.isEmpty }

    /// Removes up to `count` of each kind from the list and returns them.
    package mutating func takeFirst(_ count: Int) -> OldRows {
        defer {
            bodies.removeFirst(min(count, bodies.count))
            deliveries.removeFirst(min(count, deliveries.count))
        }
        return OldRows(bodies: Array(bodies.prefix(count)), deliveries: Array(deliveries.prefix(count)))
    }
}

extension QueueStore {
    /// Bodies are people's identity data: dropped this long after the delivery; the hash stays.
    package static let bodyRetention = Duration.seconds(7 * 86_400)
    package static let deliveredRetention = Duration.seconds(90 * 86_400)
    package static let deadRetention = Duration.seconds(180 * 86_400)
    package static let unreadableRetention = Duration.seconds(90 * 86_400)
    /// How long the newest arrival of a webhook, customer and event type is remembered when no delivery of theirs is
    /// undelivered: twice the longest `poll.overlap`, because a log may show an older failure so late. It is the most
    /// that successes cost, one row for each customer.
    package static let arrivalRetention = Duration.seconds(14 * 86_400)
    /// How long after its last reading an entry of no delivery is kept: a newest-first scan reads a success before the
    /// failure that it mends. A scan that was cut short may last longer, so nothing of an endpoint with a gap is
    /// forgotten.
    package static let unrelatedEntryRetention = Duration.seconds(86_400)

    /// Finds deliveries that are past their retention, at most `limit` of each kind, never open ones. It reads all that
    /// ended before `bodyRetention`, in a snapshot, so that no writer waits.
    package func oldRows(limit: Int, at now: Timestamp) async throws(StoreError) -> OldRows {
        try await read("find old deliveries") { session in
            OldRows(
                bodies: try session.ids(Prunable.bodies, limit, at: now),
                deliveries: try session.ids(Prunable.deliveries, limit, at: now))
        }
    }

    /// Removes what was found, and at most `limit` rows of each kind that belongs to no delivery, in one short
    /// transaction; the caller repeats both until `total` is 0.
    package func prune(_ old: OldRows, limit: Int, at now: Timestamp) async throws(StoreError) -> PruneSummary {
        try await change("prune old rows", at: now) { try $0.prune(old, limit: limit) }
    }

    /// Gives freed pages back to the file system, a few at a time.
    ///
    /// - Returns: how many free pages are left.
    @discardableResult
    package func reclaimSpace(pages: Int = 256) async throws(StoreError) -> Int {
        try await writeAlone("reclaim free space") { try $0.reclaimSpace(pages: pages) }
    }
}

extension QueueReader {
    /// Counts everything that pruning would remove now.
    package func prunable(at now: Timestamp) throws(StoreError) -> PruneSummary {
        try read("look for old rows") { session in
            func count(_ what: Prunable, _ more: String = "") throws -> Int {
                Int(try session.number("SELECT COUNT(*) \(what.sql) \(more)", what.times(at: now)) ?? 0)
            }
            var summary = PruneSummary()
            summary.bodies = try count(Prunable.bodies)
            summary.delivered = try count(Prunable.deliveries, "AND state = 'delivered'")
            summary.dead = try count(Prunable.deliveries, "AND state = 'dead'")
            summary.logEntries = try count(Prunable.logEntries) + count(Prunable.foreignEntries)
            summary.arrivals = try count(Prunable.arrivals)
            summary.unreadable = try count(Prunable.unreadable)
            return summary
        }
    }
}

/// One kind of row past its retention, as `FROM` and `WHERE`: counting and removing share it.
private struct Prunable: Sendable {
    let sql: String
    /// The ages that the text names, each as a parameter.
    private let ages: [Age]

    private struct Age: Sendable {
        let name: StaticString
        let retention: Duration
    }

    private static let body = Age(name: "bodies_before", retention: QueueStore.bodyRetention)
    private static let delivered = Age(name: "delivered_before", retention: QueueStore.deliveredRetention)
    private static let dead = Age(name: "dead_before", retention: QueueStore.deadRetention)

    /// A delivery with a newer log entry is not old, whatever our clock said when it ended: its entries would be read
    /// again and become a new delivery.
    static let oldDelivery = """
        ((finalized_ms <= :delivered_before AND state = 'delivered') OR (finalized_ms <= :dead_before AND state = 'dead'))
        AND NOT EXISTS (
            SELECT 1 FROM log_entry
            WHERE log_entry.delivery_id = delivery.id AND log_entry.logged_ms > :delivered_before)
        AND \(keepsNothing)
        """
    /// What a delivery keeps for another endpoint may still become a delivery, with its body.
    static let keepsNothing = """
        NOT EXISTS (SELECT 1 FROM shared_failure WHERE shared_failure.delivery_id = delivery.id AND is_open = 1)
        """
    static let deliveries = Prunable(sql: "FROM delivery WHERE \(oldDelivery)", ages: [delivered, dead])
    /// Only of deliveries that stay; the others go with their bodies.
    static let bodies = Prunable(
        sql: """
            FROM delivery JOIN delivery_body ON delivery_body.delivery_id = delivery.id
            WHERE delivery.finalized_ms <= :bodies_before AND delivery.finalized_ms > :delivered_before
              AND delivery.state = 'delivered' AND delivery_body.body IS NOT NULL
              AND \(keepsNothing)
            """, ages: [body, delivered])
    static let logEntries = unread(
        "log_entry",
        """
        delivery_id IS NULL AND NOT EXISTS (
            SELECT 1 FROM shared_failure
            WHERE shared_failure.endpoint_id = log_entry.endpoint_id AND shared_failure.task_id = log_entry.task_id
              AND is_open = 1) AND
        """)
    static let foreignEntries = unread("foreign_entry")

    /// Rows of a log that it has not shown for long.
    private static func unread(_ table: String, _ condition: String = "") -> Prunable {
        Prunable(
            sql: """
                FROM \(table) WHERE \(condition) seen_ms <= :entries_before
                  AND NOT EXISTS (
                      SELECT 1 FROM unread_gap
                      WHERE unread_gap.endpoint_id = \(table).endpoint_id
                        AND unread_gap.from_ms <= \(table).logged_ms AND unread_gap.to_ms > :delivered_before)
                """, ages: [Age(name: "entries_before", retention: QueueStore.unrelatedEntryRetention), delivered])
    }

    /// A gap may hold older failures, and those that are older than `deliveredRetention` are not taken up.
    static let arrivals = Prunable(
        sql: """
            FROM latest_arrival WHERE event_ms <= :arrivals_before
              AND (event_ms <= :delivered_before OR (
                  NOT EXISTS (
                      SELECT 1 FROM unread_gap WHERE unread_gap.to_ms > :delivered_before)
                  AND NOT EXISTS (
                      SELECT 1 FROM delivery
                      WHERE delivery.customer_id = latest_arrival.customer_id AND delivery.state <> 'delivered'
                        AND delivery.event_type = latest_arrival.event_type
                        AND delivery.webhook_id = latest_arrival.webhook_id)))
            """, ages: [Age(name: "arrivals_before", retention: QueueStore.arrivalRetention), delivered])
    static let unreadable = Prunable(
        sql: "FROM unreadable_entry WHERE seen_ms <= :unreadable_before",
        ages: [Age(name: "unreadable_before", retention: QueueStore.unreadableRetention)])

    func times(at now: Timestamp) -> Parameters {
        var parameters: Parameters = [:]
        for age in ages { parameters.add(age.name, now - age.retention) }
        return parameters
    }
}

extension Session {
    /// The numbers of the first deliveries that are past their retention.
    fileprivate func ids(_ old: Prunable, _ limit: Int, at now: Timestamp) throws -> [Int64] {
        try all("SELECT delivery.id \(old.sql) LIMIT \(limit)", old.times(at: now)) { $0.integer() }
    }
}

extension QueueTransaction {
    fileprivate func prune(_ old: OldRows, limit: Int) throws -> PruneSummary {
        var summary = PruneSummary()
        try drop(old, into: &summary)
        summary.logEntries = try drop(
            "log_entry", by: "endpoint_id, task_id, logged_ms, outcome", Prunable.logEntries, limit)
        summary.logEntries += try drop(
            "foreign_entry", by: "owner_id, task_id, endpoint_id, logged_ms, outcome", Prunable.foreignEntries, limit)
        summary.arrivals = try drop(
            "latest_arrival", by: "webhook_id, customer_id, event_type", Prunable.arrivals, limit)
        // Kept for as long as a failure of it may become a delivery.
        try session.run("DELETE FROM test_event WHERE asked_ms <= ?", [now - QueueStore.deliveredRetention])
        summary.unreadable = try drop("unreadable_entry", by: "id", Prunable.unreadable, limit)
        return summary
    }

    /// Removes old rows of a table, at most `limit`, by their key.
    ///
    /// - Returns: how many.
    private func drop(_ table: String, by key: String, _ old: Prunable, _ limit: Int) throws -> Int {
        try session.change(
            "DELETE FROM \(table) WHERE (\(key)) IN (SELECT \(key) \(old.sql) LIMIT \(limit))", old.times(at: now))
    }

    /// Removes what was found to be old. Each row is checked again: an operator may have requeued a dead one since.
    private func drop(_ old: OldRows, into summary: inout PruneSummary) throws {
        for id in old.bodies {
            summary.bodies += try session.change(
                """
                UPDATE delivery_body SET body = NULL WHERE delivery_id = ? AND body IS NOT NULL AND EXISTS (
                    SELECT 1 FROM delivery
                    WHERE delivery.id = delivery_id AND state = 'delivered' AND finalized_ms <= ? AND \(Prunable.keepsNothing))
                """,
                [id, now - QueueStore.bodyRetention])
        }
        for id in old.deliveries {
            var parameters: Parameters = ["id": id]
            parameters = parameters + Prunable.deliveries.times(at: now)
            let gone = try session.first(
                "DELETE FROM delivery WHERE id = :id AND \(Prunable.oldDelivery) RETURNING state", parameters
            ) { $0.wordIfAny(DeliveryState.self) }
            if gone == .delivered { summary.delivered += 1 }
            if gone == .dead { summary.dead += 1 }
        }
    }
}
